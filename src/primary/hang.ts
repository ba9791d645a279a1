// Explains a hung worker: opens its inspector for a moment and reads where it is stuck and which requests it holds.

import { execFile } from 'node:child_process';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { hung, type Line, type Subject } from '../core/messages.ts';
import type { HangReport } from './hang-probe.ts';
import type { WorkerHandle } from './worker-handle.ts';

/** All of it takes no longer; then the worker is killed unexplained. */
const EXPLAIN_MS = 1700;

const PROBE = fileURLToPath(new URL('./hang-probe.js', import.meta.url));

/** The line that says what a hung worker is doing, as far as it can be found out in time. */
export async function explainHang(handle: WorkerHandle, worker: Subject, silentMs: number): Promise<Line> {
  const report = await probe(handle);
  const frame = report?.frames.find(({ file }) => !file.startsWith('node:')) ?? report?.frames[0];
  const place = frame && `${frame.name} (${basename(frame.file)}:${frame.line})`;
  const stack = report?.frames.map(({ name, file, line }) => `at ${name} (${file}:${line})`).join('\n');
  return hung(worker, silentMs, place, report?.holding ?? [], stack);
}

/** What the worker is doing, or undefined when it does not say in time. */
async function probe(handle: WorkerHandle): Promise<HangReport | undefined> {
  const start = performance.now();
  const address = await handle.openInspector(EXPLAIN_MS);
  if (address === undefined) return undefined;
  const left = EXPLAIN_MS - (performance.now() - start);
  return new Promise((resolve) => {
    // A process of its own: Node 20 has a WebSocket client only behind a flag, and nothing of this can hurt the primary.
    const args = ['--experimental-websocket', '--no-warnings', PROBE, address];
    execFile(
      process.execPath,
      args,
      { timeout: Math.max(1, Math.round(left)), killSignal: 'SIGKILL' },
      (_error, stdout) => {
        try {
          resolve(JSON.parse(stdout) as HangReport);
        } catch {
          resolve(undefined);
        }
      },
    );
  });
}
