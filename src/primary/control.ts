// The control server: answers status, reload, scale and stop over the control socket.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { MAX_WORKERS, parseWorkerCount } from '../core/config.ts';
import type { Progress, Status } from '../core/status.ts';

/** What the control server asks of the primary. Each command reports its progress, the last time with how it ended. */
export interface Commands {
  readonly status: () => Status;
  readonly reload: (report: Report) => void;
  readonly scale: (workers: number, report: Report) => void;
  readonly stop: (report: Report) => void;
}
export type Report = (progress: Progress) => void;

/** A server of the control socket's routes, not listening yet. */
export function controlServer(commands: Commands): Server {
  return createServer((req, res) => {
    req.resume();
    const url = new URL(req.url ?? '/', 'http://localhost');
    const report = reporter(res);
    switch (`${req.method} ${url.pathname}`) {
      case 'GET /status':
        json(res, 200, commands.status());
        return;
      case 'POST /reload':
        commands.reload(report);
        return;
      case 'POST /scale': {
        const given = url.searchParams.get('workers') ?? '';
        const workers = parseWorkerCount(given);
        if (workers !== undefined) commands.scale(workers, report);
        else
          json(res, 400, {
            error: `expected workers to be an integer from 1 to ${MAX_WORKERS}, got \`${given}\``,
          });
        return;
      }
      case 'POST /stop':
        commands.stop(report);
        return;
      default:
        json(res, 404, { error: `no such route: ${routeOf(req)}` });
    }
  });
}

const routeOf = (req: IncomingMessage): string => `${req.method} ${req.url}`;

function json(res: ServerResponse, status: number, body: unknown): void {
  res.writeHead(status, { 'Content-Type': 'application/json' });
  res.end(`${JSON.stringify(body)}\n`);
}

/** Reports as lines of JSON, each sent at once; a client that has left is no matter. */
function reporter(res: ServerResponse): Report {
  res.on('error', () => {});
  return (progress) => {
    if (!res.headersSent) res.writeHead(200, { 'Content-Type': 'application/x-ndjson' });
    res.write(`${JSON.stringify(progress)}\n`);
    if ('ok' in progress) res.end();
  };
}
