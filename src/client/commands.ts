// The commands that talk to a running primary: status, top, metrics, reload, scale, profile and the others.

import type { Progress, Status } from '../control/status.ts';
import { CANNOT_SERVE, OK } from '../core/exit-codes.ts';
import { exists } from '../host/process-name.ts';
import { statusIn, topIn } from './answers.ts';
import { Control, type Looked } from './connection.ts';
import { type HeapWanted, takeHeap } from './heap.ts';
import { type ProfileWanted, takeProfile } from './profile.ts';
import { statusPage } from './status-table.ts';
import type { Terminal } from './terminal.ts';
import { MAX_COLUMNS, page, shown } from './text.ts';
import { topPage } from './top-table.ts';
import { upgrade } from './upgrade.ts';
import { watch } from './watch.ts';

/** How long `stop` waits for the process itself to go, after it said that all is gone. */
const GONE_MS = 2000;

export type Command =
  | { readonly name: 'status'; readonly json: boolean; readonly watch: boolean }
  | { readonly name: 'top'; readonly json: boolean }
  | { readonly name: 'metrics' | 'rollback' | 'stop' }
  | { readonly name: 'reload'; readonly force: boolean }
  | { readonly name: 'scale'; readonly workers: number }
  | { readonly name: 'upgrade'; readonly node: string | undefined }
  | ({ readonly name: 'profile' } & ProfileWanted)
  | ({ readonly name: 'heap' } & HeapWanted);

/** Runs a command against the primary that answers in one of the usual places; resolves with the exit code. */
export async function runCommand(command: Command, looked: Looked, terminal: Terminal): Promise<number> {
  const control = await Control.find(looked);
  if (typeof control === 'string') {
    terminal.err(`${control}\n`);
    return CANNOT_SERVE;
  }
  try {
    switch (command.name) {
      case 'status':
        if (command.watch) await watch(control, () => Control.find(looked), command.json, terminal);
        else await showStatus(control, command.json, terminal);
        return OK;
      case 'top':
        await showTop(control, command.json, terminal);
        return OK;
      case 'metrics':
        terminal.out(await control.getText('/metrics'));
        return OK;
      case 'scale':
        return await act(control, command.name, `/scale?workers=${command.workers}`, terminal);
      case 'upgrade':
        return await upgrade(control, command.node, (progress) => tell(progress, terminal));
      case 'profile':
        await takeProfile(control, command, terminal);
        return OK;
      case 'heap':
        await takeHeap(control, command, terminal);
        return OK;
      case 'reload':
        return await act(control, command.name, command.force ? '/reload?force=true' : '/reload', terminal);
      case 'rollback':
      case 'stop':
        return await act(control, command.name, `/${command.name}`, terminal);
    }
  } catch (error) {
    terminal.err(`${command.name} failed: ${shown(error instanceof Error ? error.message : error)}\n`);
    return CANNOT_SERVE;
  }
}

async function showStatus(control: Control, asJson: boolean, terminal: Terminal): Promise<void> {
  const answer = await control.get('/status');
  terminal.out(asJson ? json(answer) : page(statusPage(statusIn(answer)), MAX_COLUMNS, terminal.colours));
}

async function showTop(control: Control, asJson: boolean, terminal: Terminal): Promise<void> {
  const answer = await control.get('/top');
  if (asJson) return terminal.out(json(answer));
  const { lines, width } = topPage(topIn(answer), terminal.size()?.columns);
  terminal.out(page(lines, width, terminal.colours));
}

const json = (answer: unknown): string => `${JSON.stringify(answer, null, 2)}\n`;

/** Has the primary do something, and tells how it goes. */
async function act(control: Control, name: string, path: string, terminal: Terminal): Promise<number> {
  const { pid } = (await control.get('/status')) as Status;
  const end = await control.post(path, (progress) => tell(progress, terminal));
  if (!('ok' in end)) throw new Error('expected how it ended, got something else');
  if (end.ok && name === 'stop') await gone(pid);
  return end.ok ? OK : CANNOT_SERVE;
}

function tell(progress: Progress, terminal: Terminal): void {
  if ('text' in progress) terminal.out(`${progress.text}\n`);
  else if (!('ok' in progress)) return;
  else if (progress.ok) terminal.out(`${progress.result}\n`);
  else terminal.err(`${progress.result}\n`);
}

/** Resolves when the process has gone. */
async function gone(pid: number): Promise<void> {
  const deadline = Date.now() + GONE_MS;
  while (Date.now() < deadline) {
    if (!exists(pid)) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
