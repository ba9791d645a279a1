// gunicorn with Flask, as Debian or whoever put it on the PATH has it.

import { plural } from '../change.ts';
import { SUBJECTS } from '../paths.ts';
import { replaceWorkers } from '../replacing.ts';
import type { Subject } from '../subject.ts';
import { firstMatch } from '../versions.ts';

/** gunicorn with Flask: its sync workers, which are its default, or threads that keep connections. */
export function gunicorn(workers: number, kind: 'sync' | 'gthread' = 'sync'): Subject {
  const threads = kind === 'gthread' ? ['--worker-class', 'gthread', '--threads', '32'] : [];
  return {
    name: `gunicorn + Flask, ${plural(workers)}${kind === 'sync' ? '' : ', threads'}`,
    settings: [
      `-w ${workers}`,
      ...(kind === 'sync'
        ? ['sync workers, which close the connection after each answer']
        : ['--worker-class gthread --threads 32 --keep-alive 5']),
      'access log into a file',
      'reload by HUP',
    ].join(', '),
    needs: 'gunicorn',
    version: () =>
      `${firstMatch('gunicorn', ['--version'], /version ([^)\s]+)/)}, Flask ${firstMatch('python3', ['-c', 'import importlib.metadata as m; print(m.version("flask"))'], /(\S+)/)}`,
    command: ({ port }) => ({
      file: 'gunicorn',
      args: [
        ...['-w', String(workers), '-b', `127.0.0.1:${port}`, '--chdir', SUBJECTS],
        ...threads,
        ...['--keep-alive', '5', '--access-logfile', '-', 'app:app'],
      ],
      // Nothing of Python is left beside the sources.
      env: { PYTHONDONTWRITEBYTECODE: '1' },
    }),
    reload: (server) => replaceWorkers(server, 'SIGHUP'),
  };
}
