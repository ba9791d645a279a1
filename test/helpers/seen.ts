// What a running server lets be seen on its admin listener.

import { familiesIn } from '../../src/control/prometheus-text.ts';
import type { Status } from '../../src/control/status.ts';
import { freePort } from './free-port.ts';
import { type Options, type Running, serve } from './server.ts';

/** A server with its admin listener. */
export interface Seen {
  readonly server: Running;
  readonly admin: string;
}

/** Serves with an admin listener on a free port. */
export async function seen({ env = {}, ...options }: Options = {}): Promise<Seen> {
  const port = await freePort();
  const server = await serve({ ...options, env: { ...env, ADMIN_PORT: String(port) } });
  return { server, admin: `http://127.0.0.1:${port}` };
}

export const statusAt = async (admin: string): Promise<Status> =>
  (await (await fetch(`${admin}/status`)).json()) as Status;

/** The samples of `/metrics`, by name with labels as they are written: `jobs_total{kind="a"}`. */
export async function samplesAt(admin: string): Promise<Map<string, number>> {
  const text = await (await fetch(`${admin}/metrics`)).text();
  const families = familiesIn(text);
  if (typeof families === 'string') throw new Error(families);
  const samples = new Map<string, number>();
  for (const { name, values } of families) {
    for (const { metricName = name, labels, value } of values) {
      const inside = Object.entries(labels).map(([label, text]) => `${label}="${text}"`);
      samples.set(inside.length > 0 ? `${metricName}{${inside.join(',')}}` : metricName, value);
    }
  }
  return samples;
}
