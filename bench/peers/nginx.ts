// nginx, which answers by itself, as Debian or whoever put it on the PATH has it.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { plural } from '../change.ts';
import { replaceWorkers } from '../replacing.ts';
import type { Subject } from '../subject.ts';
import { firstMatch } from '../versions.ts';

/** A worker that leaves keeps its idle connections so long. */
const MIN_TIMEOUT = 'keepalive_min_timeout 5s;';
/** Below its own folder: those it has by default may not be ours to write to. */
const TEMPORARY = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
  .map((name) => `${name}_temp_path temp;`)
  .join('\n  ');

/** nginx answering by itself. */
export function nginx(workers: number): Subject {
  const spares = knowsMinTimeout();
  return {
    name: `nginx, ${plural(workers)}`,
    settings: [
      `worker_processes ${workers}`,
      'return 200',
      'access_log into a file',
      spares ? 'keepalive_min_timeout 5s' : 'without keepalive_min_timeout, which this version does not know',
      'reload by HUP',
    ].join(', '),
    needs: 'nginx',
    version: nginxVersion,
    command: ({ port, folder }) => {
      const file = join(folder, 'nginx.conf');
      writeFileSync(file, nginxConfig(port, workers, spares));
      return { file: 'nginx', args: ['-p', folder, '-c', file, '-e', 'error.log'] };
    },
    reload: (server) => replaceWorkers(server, 'SIGHUP'),
  };
}

const nginxVersion = (): string => firstMatch('nginx', ['-v'], /nginx\/(\S+)/);

/** Whether this nginx takes `keepalive_min_timeout`, which came with 1.27.4: it is asked, not its version. */
function knowsMinTimeout(): boolean {
  const folder = mkdtempSync(join(tmpdir(), 'hello-server-bench-'));
  try {
    const file = join(folder, 'nginx.conf');
    const text = `pid nginx.pid; events {} http { access_log off; ${TEMPORARY} ${MIN_TIMEOUT} }`;
    writeFileSync(file, text);
    return spawnSync('nginx', ['-t', '-p', folder, '-c', file, '-e', 'error.log']).status === 0;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const nginxConfig = (port: number, workers: number, spares: boolean): string => `
${process.getuid?.() === 0 ? 'user root;' : ''}
daemon off;
worker_processes ${workers};
pid nginx.pid;
events { worker_connections 4096; }
http {
  access_log access.log;
  ${spares ? MIN_TIMEOUT : ''}
  ${TEMPORARY}
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location / {
      default_type 'text/html; charset=utf-8';
      return 200 'Hello, World!';
    }
  }
}
`;
