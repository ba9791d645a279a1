// pm2 in its cluster mode.

import { join } from 'node:path';
import { type Change, named, plural } from '../change.ts';
import { ROOT, SUBJECTS } from '../paths.ts';
import { byCommand } from '../replacing.ts';
import type { Subject } from '../subject.ts';
import { manifestOf } from '../versions.ts';

const PM2 = join(ROOT, 'node_modules', 'pm2');

/** pm2 in cluster mode. */
export function pm2(workers: number, change: Change = {}): Subject {
  const { app } = change;
  const env = (folder: string): Record<string, string> => ({
    ...change.env,
    PM2_HOME: join(folder, 'pm2'),
    PM2_DISABLE_VERSION_CHECK: 'true',
  });
  return {
    ...named(`pm2 cluster, ${plural(workers)}`, change),
    settings: `pm2-runtime start -i ${workers}, no request log, ${app === undefined ? 'server.close() on SIGINT' : 'the app as it is'}, reload by \`pm2 reload all\``,
    version: () => manifestOf(PM2),
    command: ({ node, folder }) => ({
      file: node,
      args: [
        join(PM2, 'bin', 'pm2-runtime'),
        'start',
        app ?? join(SUBJECTS, 'http.cjs'),
        '-i',
        String(workers),
      ],
      env: env(folder),
    }),
    reload: (server) =>
      byCommand(server, [join(PM2, 'bin', 'pm2'), 'reload', 'all'], {
        HOME: server.folder,
        ...env(server.folder),
        PORT: String(server.port),
      }),
  };
}
