// A reload by signal, and work under load that must lose nothing.

import { expect } from 'chai';
import { KINDS, type Kind, Meter, NOTHING_LOST, slowProxy } from './meter.ts';
import { eventually, type Running } from './server.ts';

/** Reloads by HUP and waits until the generation serves. */
export async function reload(server: Running, generation: number, ms = 100_000): Promise<void> {
  server.signal('SIGHUP');
  await server.says(new RegExp(`reloaded: generation ${generation} `), ms);
}

/** Runs the meter while `work` goes on, and expects that it lost nothing. */
export async function losingNothing(
  server: Running,
  work: () => Promise<void>,
  kinds: readonly Kind[] = KINDS,
  delayMs = 0,
): Promise<void> {
  const proxy = delayMs > 0 ? await slowProxy(server.port, delayMs) : { port: server.port, close: () => {} };
  const meter = new Meter(proxy.port, kinds);
  await eventually(() => meter.tally.ok > 300, 'load');
  await work();
  const { ok, ...lost } = await meter.stop();
  proxy.close();
  expect(lost, `${JSON.stringify(meter.losses.slice(0, 5))}\n${server.log}`).to.deep.equal(NOTHING_LOST);
  expect(ok).to.be.greaterThan(300);
}
