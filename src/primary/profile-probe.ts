// A short-lived process: has a process profile itself through its inspector (address and seconds in argv), prints the
// profile as Chrome DevTools opens it, and is done. It ends with 1 where there is none.

/** Between two looks at the stack, µs. */
const INTERVAL_US = 1000;

interface Answer {
  readonly id?: number;
  readonly result?: { readonly profile?: unknown };
}

function probe(address: string, seconds: number): void {
  const socket = new WebSocket(address);
  const call = (id: number, method: string, params = {}): void =>
    socket.send(JSON.stringify({ id, method, params }));
  socket.onopen = () => {
    call(1, 'Profiler.enable');
    call(2, 'Profiler.setSamplingInterval', { interval: INTERVAL_US });
    call(3, 'Profiler.start');
  };
  socket.onmessage = ({ data }) => {
    const { id, result } = JSON.parse(String(data)) as Answer;
    if (id === 3) setTimeout(() => call(4, 'Profiler.stop'), seconds * 1000);
    if (id !== 4) return;
    if (result?.profile) process.stdout.write(JSON.stringify(result.profile), () => process.exit(0));
    else process.exit(1);
  };
  // The process has gone meanwhile.
  socket.onclose = () => process.exit(1);
  socket.onerror = () => process.exit(1);
}

const [, , address, seconds] = process.argv;
if (address?.startsWith('ws://')) probe(address, Number(seconds));
