// puma with a Rack app, as Debian or whoever put it on the PATH has it.

import { join } from 'node:path';
import { plural } from '../change.ts';
import { SUBJECTS } from '../paths.ts';
import { replaceWorkers } from '../replacing.ts';
import type { Subject } from '../subject.ts';
import { firstMatch } from '../versions.ts';

/** puma in cluster mode, which is what its phased restart needs. */
export function puma(workers: number): Subject {
  return {
    name: `puma, ${plural(workers)}`,
    settings: `-w ${workers} -t 8:8, Rack, no access log (its default), phased restart by USR1`,
    needs: 'puma',
    version: () => firstMatch('puma', ['--version'], /version (\S+)/),
    command: ({ port }) => ({
      file: 'puma',
      args: [
        ...['-w', String(workers), '-t', '8:8', '-e', 'production'],
        ...['-b', `tcp://127.0.0.1:${port}`, join(SUBJECTS, 'config.ru')],
      ],
    }),
    reload: (server) => replaceWorkers(server, 'SIGUSR1'),
  };
}
