// Explains a hung worker: opens its inspector for a moment and reads where it is stuck and which requests it holds.

import { execFile } from 'node:child_process';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Notice, WorkerName } from '../core/notices.ts';
import type { HangReport } from './hang-probe.ts';
import type { Handle } from './world.ts';

/** All of it takes no longer; then the worker is killed unexplained. */
const EXPLAIN_MS = 1700;

const PROBE = fileURLToPath(new URL('./hang-probe.js', import.meta.url));

/** What is to be said of a hung worker: what it is doing, as far as that can be found out in time. */
export async function explainHang(handle: Handle, of: WorkerName, silentMs: number): Promise<Notice> {
  const report = await probe(handle);
  const frame = report?.frames.find(({ file }) => !file.startsWith('node:')) ?? report?.frames[0];
  const place = frame && `${frame.name} (${basename(frame.file)}:${frame.line})`;
  const stack = report?.frames.map(({ name, file, line }) => `at ${name} (${file}:${line})`).join('\n');
  return { notice: 'hung', of, silentMs, place, holding: report?.holding ?? [], stack };
}

/** What the worker is doing, or undefined when it does not say in time. */
async function probe(handle: Handle): Promise<HangReport | undefined> {
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
      // The primary's own folder may be gone by now.
      { cwd: '/', timeout: Math.max(1, Math.round(left)), killSignal: 'SIGKILL' },
      (_error, stdout) => {
        try {
          const report: unknown = JSON.parse(stdout);
          resolve(isReport(report) ? report : undefined);
        } catch {
          resolve(undefined);
        }
      },
    );
  });
}

/** The probe prints what the worker said of itself, and that may be anything. */
function isReport(value: unknown): value is HangReport {
  if (typeof value !== 'object' || value === null || !('frames' in value) || !('holding' in value))
    return false;
  const { frames, holding } = value;
  return Array.isArray(frames) && Array.isArray(holding) && holding.every((held) => typeof held === 'string');
}
