// In the background of a terminal that lets no background process write (`stty tostop`).

import { spawnSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type { Status } from '../../src/control/status.ts';
import { exchange, request } from '../helpers/raw.ts';
import { eventually, MAIN, remove, serve } from '../helpers/server.ts';

/** Runs its arguments in the background of a terminal of their own; what they write there comes out of it. */
const IN_BACKGROUND = `line="stty tostop; set -m; $(printf '%q ' "$@") & wait"; exec script -qfec "$line" /dev/null`;

describe('in the background of a terminal, with stty tostop', () => {
  let place: string;
  beforeEach(() => {
    place = mkdtempSync(join(tmpdir(), 'hello-server-'));
  });
  afterEach(() => remove(place));

  it('its lines come out, and scale nothing; a TTOU of the user scales it down by one', async () => {
    const env = { CONTROL_SOCKET: join(place, 'control.sock'), WEB_CONCURRENCY: '3', SHELL: '/bin/bash' };
    const command = (...args: string[]) =>
      spawnSync(process.execPath, [MAIN, ...args], {
        encoding: 'utf8',
        timeout: 10_000,
        env: { PATH: process.env.PATH, CONTROL_SOCKET: env.CONTROL_SOCKET },
      });
    const status = (): Status => JSON.parse(command('status', '--json').stdout);
    const server = await serve({ env, under: ['bash', '-c', IN_BACKGROUND, 'bash'] });
    for (let i = 0; i < 5; i++) await exchange(server.port, request('GET', `/${i}`));
    await server.says(/GET \/4\r?\n/);
    const { pid, wanted, workers } = status();
    expect(wanted).to.equal(3);
    expect(workers.map(({ stage }) => stage)).to.deep.equal(['ready', 'ready', 'ready']);
    process.kill(pid, 'SIGTTOU');
    await eventually(() => status().wanted === 2, `two workers\n${server.log}`);
    expect(command('stop').status).to.equal(0);
    await server.says(/Server closed successfully/);
    expect(await server.end()).to.deep.equal({ code: 0, signal: null });
  });
});
