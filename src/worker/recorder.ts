// Arms a worker: each request is recorded, before the app has it, where the primary reads it should the worker die.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { RECORD_FD } from '../core/protocol.ts';
import { RecordWriter } from '../host/request-record.ts';
import { nameOf } from '../http/held.ts';

/** What is to be called as each request begins, for so many ms; undefined where the worker is not armed. */
export function recorder(armedMs: number): ((req: IncomingMessage, res: ServerResponse) => void) | undefined {
  if (armedMs === 0) return undefined;
  const writer = new RecordWriter(RECORD_FD);
  setTimeout(() => writer.close(), armedMs).unref();
  return (req, res) => {
    if (!writer.isOpen) return;
    const place = writer.begin(res, nameOf(req));
    res.once('close', () => writer.end(res, place));
  };
}
