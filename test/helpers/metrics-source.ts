// Where the tests of dashboard, alerts and docs get their metrics from: one function starts what serves them.

import { freePort } from './free-port.ts';
import { exchange, request } from './raw.ts';
import { eventually, serve } from './server.ts';

export interface MetricsSource {
  /** Host and port at which /metrics is. */
  readonly address: string;
  /** Gives it a request to count. */
  ask(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts a server whose metrics can be read. */
export async function startMetricsSource(): Promise<MetricsSource> {
  const port = await freePort();
  const server = await serve({ env: { ADMIN_PORT: String(port) } });
  return {
    address: `127.0.0.1:${port}`,
    async ask() {
      await exchange(server.port, request('GET', '/'));
    },
    async stop() {
      await server.stop();
    },
  };
}

/** The text of /metrics after one request, when the primary has heard of it and of both workers. */
export async function servedMetrics(): Promise<string> {
  const source = await startMetricsSource();
  try {
    await source.ask();
    let text = '';
    await eventually(async () => {
      text = await (await fetch(`http://${source.address}/metrics`)).text();
      const heard = ['0', '1'].every((worker) => text.includes(`heap_used_bytes{worker="${worker}"}`));
      return heard && text.includes('http_requests_total{code="2xx"} 1\n');
    }, 'the metrics of both workers and of the request');
    return text;
  } finally {
    await source.stop();
  }
}
