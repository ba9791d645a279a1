// A short-lived process: has a process write its heap through its inspector (address in argv), prints the snapshot as Chrome
// DevTools opens it, and is done. It ends with 1 where there is none.

import { writeSync } from 'node:fs';

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: { readonly chunk?: unknown };
  readonly error?: unknown;
}

function probe(address: string): void {
  const socket = new WebSocket(address);
  socket.onopen = () => socket.send(JSON.stringify({ id: 1, method: 'HeapProfiler.takeHeapSnapshot' }));
  socket.onmessage = ({ data }) => {
    const { id, method, params, error } = JSON.parse(String(data)) as Message;
    if (method === 'HeapProfiler.addHeapSnapshotChunk') write(Buffer.from(String(params?.chunk)));
    if (id === 1) process.exit(error === undefined ? 0 : 1);
  };
  // The process has gone meanwhile.
  socket.onclose = () => process.exit(1);
  socket.onerror = () => process.exit(1);
}

/** Writes all of it, and waits with it: what the reader has not taken is neither kept here nor fetched. */
function write(bytes: Buffer): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(1, bytes, at);
}

const [, , address] = process.argv;
if (address?.startsWith('ws://')) probe(address);
