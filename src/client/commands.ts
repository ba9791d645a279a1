// The commands that talk to a running primary: status, reload, scale and stop.

import { printable } from '../core/config.ts';
import { CANNOT_SERVE, OK } from '../core/exit-codes.ts';
import type { Progress, Status } from '../core/status.ts';
import { Control, type Looked } from './control.ts';
import { table } from './table.ts';

/** How long `stop` waits for the process itself to go, after it said that all is gone. */
const GONE_MS = 2000;

/** Where a command writes: results to `out`, what went wrong to `err`; one call is one line or more. */
export interface Terminal {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
}

export type Command =
  | { readonly name: 'status'; readonly json: boolean }
  | { readonly name: 'reload' | 'stop' }
  | { readonly name: 'scale'; readonly workers: number };

/** Runs a command against the primary that answers in one of the usual places; resolves with the exit code. */
export async function runCommand(command: Command, looked: Looked, terminal: Terminal): Promise<number> {
  const control = await Control.find(looked);
  if (typeof control === 'string') {
    terminal.err(`${control}\n`);
    return CANNOT_SERVE;
  }
  try {
    if (command.name === 'status') {
      const status = (await control.get('/status')) as Status;
      terminal.out(command.json ? `${JSON.stringify(status, null, 2)}\n` : table(status));
      return OK;
    }
    const { pid } = (await control.get('/status')) as Status;
    const path = command.name === 'scale' ? `/scale?workers=${command.workers}` : `/${command.name}`;
    const end = await control.post(path, (progress) => tell(progress, terminal));
    if (end.ok && command.name === 'stop') await gone(pid);
    return end.ok ? OK : CANNOT_SERVE;
  } catch (error) {
    terminal.err(
      `${command.name} failed: ${printable(error instanceof Error ? error.message : String(error))}\n`,
    );
    return CANNOT_SERVE;
  }
}

function tell(progress: Progress, terminal: Terminal): void {
  if ('text' in progress) terminal.out(`${progress.text}\n`);
  else if (progress.ok) terminal.out(`${progress.result}\n`);
  else terminal.err(`${progress.result}\n`);
}

/** Resolves when the process has gone. */
async function gone(pid: number): Promise<void> {
  const deadline = Date.now() + GONE_MS;
  while (Date.now() < deadline) {
    try {
      process.kill(pid, 0);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ESRCH') return;
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
