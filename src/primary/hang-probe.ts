// A short-lived process: pauses a process through its inspector (address in argv), prints what it does, and is done.

import { fileURLToPath } from 'node:url';
import { HOLDING } from '../core/protocol.ts';

/** One frame of the stack, the innermost first. */
export interface Frame {
  readonly name: string;
  /** Path or URL of the script. */
  readonly file: string;
  readonly line: number;
}

export interface HangReport {
  readonly frames: readonly Frame[];
  /** The requests it holds, as `GET /path`. */
  readonly holding: readonly string[];
}

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: {
    readonly callFrames?: readonly CallFrame[];
    readonly scriptId?: string;
    readonly url?: string;
  };
  readonly result?: { readonly result?: { readonly value?: unknown } };
}

interface CallFrame {
  readonly functionName: string;
  readonly location: { readonly scriptId: string; readonly lineNumber: number };
}

function probe(address: string): void {
  const socket = new WebSocket(address);
  const call = (id: number, method: string, params = {}): void =>
    socket.send(JSON.stringify({ id, method, params }));
  const scripts = new Map<string | undefined, string | undefined>();
  let frames: Frame[] = [];
  socket.onopen = () => {
    call(1, 'Debugger.enable');
    call(2, 'Debugger.pause');
  };
  socket.onmessage = ({ data }) => {
    const message = JSON.parse(String(data)) as Message;
    if (message.method === 'Debugger.scriptParsed')
      scripts.set(message.params?.scriptId, message.params?.url);
    else if (message.method === 'Debugger.paused') {
      frames = (message.params?.callFrames ?? []).map(({ functionName, location }) => ({
        name: functionName || '(anonymous)',
        file: pathOf(scripts.get(location.scriptId) ?? ''),
        line: location.lineNumber + 1,
      }));
      const expression = `globalThis[Symbol.for('${HOLDING}')]?.() ?? []`;
      call(3, 'Runtime.evaluate', { expression, returnByValue: true });
    } else if (message.id === 3) {
      const holding = message.result?.result?.value;
      process.stdout.write(JSON.stringify({ frames, holding: Array.isArray(holding) ? holding : [] }));
      socket.close();
    }
  };
}

/** The path that a script's URL names; what names no file stays as it is. */
function pathOf(url: string): string {
  try {
    return url.startsWith('file:') ? fileURLToPath(url) : url;
  } catch {
    return url;
  }
}

const [, , address] = process.argv;
if (address?.startsWith('ws://')) probe(address);
