// Platformatic Watt, whose workers are threads of one process.

import { join } from 'node:path';
import { type Change, named, plural } from '../change.ts';
import { PACKAGES, SUBJECTS } from '../paths.ts';
import { byCommand } from '../replacing.ts';
import { lastingFolder, type Subject } from '../subject.ts';
import { manifestOf } from '../versions.ts';

const WATTPM = join(PACKAGES, 'wattpm');
const COMMAND = join(WATTPM, 'bin', 'cli.js');

/** What a run changes about it. */
export interface WattChange extends Pick<Change, 'tag' | 'app'> {
  /** The folder of its project, where that is not the one that runs any app. */
  readonly project?: string;
}

/** Watt at its defaults. Its `reload` starts another process and refuses connections meanwhile; `restart` replaces worker by worker. */
export function watt(workers: number, change: WattChange = {}): Subject {
  const { project = join(SUBJECTS, 'watt'), app = join(SUBJECTS, 'http.cjs') } = change;
  // What it compiles it keeps below the home: the first start fills it, as a first deployment does.
  const env = (folder: string): Record<string, string> => ({ HOME: lastingFolder('watt'), TMPDIR: folder });
  return {
    ...named(`Watt, ${plural(workers)}`, change),
    settings: `wattpm start, workers: ${workers}, no request log, reload by \`wattpm restart\``,
    needsNode: '22.19.0',
    version: () => manifestOf(WATTPM),
    command: ({ node, folder }) => ({
      file: node,
      args: [COMMAND, 'start', project],
      env: { ...env(folder), APP: app, WORKERS: String(workers) },
    }),
    reload: (server) => byCommand(server, [COMMAND, 'restart', String(server.pid)], env(server.folder)),
  };
}

/** The same with an app that exports `create()`: it loses fewer requests than one that listens. */
export function wattCreated(workers: number): Subject {
  const subject = watt(workers, { tag: 'create()', app: join(SUBJECTS, 'create.cjs') });
  return { ...subject, settings: `${subject.settings}, an app that exports create()` };
}
