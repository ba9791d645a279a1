// The command that renews a running primary: tells its stages, and follows it to the process that serves in the end.

import type { Progress, Status } from '../control/status.ts';
import { CANNOT_SERVE, OK } from '../core/exit-codes.ts';
import { exists } from '../host/process-name.ts';
import { upgradedText } from '../log/upgrades.ts';
import type { Control } from './connection.ts';

/** How often it is asked whether the new one serves, and for how long without an answer. */
const ASK_MS = 100;
const SILENT_MS = 180_000;

/** Resolves with the exit code; rejects where the server has gone. */
export async function upgrade(
  control: Control,
  node: string | undefined,
  tell: (progress: Progress) => void,
): Promise<number> {
  const before = (await control.get('/status')) as Status;
  const end = await control.post(
    node === undefined ? '/upgrade' : `/upgrade?node=${encodeURIComponent(node)}`,
    tell,
  );
  if ('ok' in end) return end.ok ? OK : CANNOT_SERVE;
  if (!('follow' in end)) return CANNOT_SERVE;
  const after = await statusOf(control, end);
  const result = `${upgradedText(before, after)}: generation ${after.generation} serves`;
  tell({ ok: true, result });
  return OK;
}

/** The status of the new one. It answers as soon as it serves; rejects when its process has gone. */
async function statusOf(
  control: Control,
  { follow, pid }: { readonly follow: number; readonly pid: number },
): Promise<Status> {
  let deadline = Date.now() + SILENT_MS;
  for (;;) {
    const status = (await control.get('/status').catch(() => undefined)) as Status | undefined;
    if (status && status.generation >= follow) return status;
    if (status) deadline = Date.now() + SILENT_MS;
    // It serves again by itself, as its successor has gone.
    if (status?.state === 'running') throw new Error('it was abandoned on the way: the log says why');
    if (!exists(pid)) throw new Error('the new server ended before it served');
    if (Date.now() > deadline)
      throw new Error(`the new server (pid ${pid}) does not answer here; its CONTROL_SOCKET may be another`);
    await new Promise((resolve) => setTimeout(resolve, ASK_MS));
  }
}
