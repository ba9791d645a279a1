// What systemd is told. A program that writes its arguments down stands in for systemd-notify.

import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { type Inheritance, Notifier } from '../../src/host/systemd.ts';
import { Script } from '../core/script.ts';

const NOTHING: Inheritance = { fd: undefined, sockets: 0, notifySocket: undefined, watchdogMs: undefined };

describe('the notifier', () => {
  const path = process.env.PATH;
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'hello-server-'));
    process.env.PATH = `${folder}:${path}`;
  });
  afterEach(() => {
    process.env.PATH = path;
    rmSync(folder, { recursive: true, force: true });
  });

  /** Stands in for systemd-notify: a shell script that does `what`. */
  const program = (what: string): void => {
    const file = join(folder, 'systemd-notify');
    writeFileSync(file, `#!/bin/sh\n${what}\n`);
    chmodSync(file, 0o755);
  };
  const record = (): void => program(`echo "$@" >>'${folder}/said'`);
  const said = (): string[] => {
    const lines = readFileSync(join(folder, 'said'), 'utf8').trimEnd().split('\n');
    return lines.map((line) => line.replace(/MONOTONIC_USEC=\d+/, 'MONOTONIC_USEC=…'));
  };

  /** A fleet of one worker that serves. */
  const serving = (): Script => {
    const script = new Script(1);
    for (const event of [
      { type: 'wake' },
      { type: 'forked', id: 1, pid: 101 },
      { type: 'ready', id: 1 },
    ] as const) {
      script.on(event);
    }
    return script;
  };
  const notifier = (
    inheritance: Partial<Inheritance>,
    onFailure = (reason: string): void => failed(reason),
  ) => new Notifier({ ...NOTHING, notifySocket: '/run/systemd/notify', ...inheritance }, onFailure);
  const failed = (reason: string): never => {
    throw new Error(reason);
  };

  it('tells what is new, in order: readiness, status, a reload, a stop', async () => {
    record();
    const told = notifier({});
    const script = serving();
    told.show(script.fleet, 0);
    told.show(script.fleet, 1);
    script.on({ type: 'reload' });
    told.show(script.fleet, 2);
    script.on({ type: 'stop', what: 'stop' });
    told.show(script.fleet, 3);
    await told.end();
    expect(said()).to.deep.equal([
      'READY=1 STATUS=running: 1 of 1 workers ready, generation 1',
      'RELOADING=1 MONOTONIC_USEC=… STATUS=reloading: 1 of 1 workers ready, generation 2',
      'STOPPING=1 STATUS=stopping: 1 of 1 workers ready, generation 2',
    ]);
  });

  it('feeds the watchdog by turns of the loop, three times in its time, and not otherwise', async () => {
    record();
    const told = notifier({ watchdogMs: 60_000 });
    const { fleet } = serving();
    told.show(fleet, 0);
    for (const now of [500, 19_999, 20_000, 39_999, 40_000]) told.show(fleet, now);
    await told.end();
    expect(said()).to.deep.equal([
      'READY=1 STATUS=running: 1 of 1 workers ready, generation 1 WATCHDOG=1',
      'WATCHDOG=1',
      'WATCHDOG=1',
    ]);
  });

  it('does not feed it while no worker serves', async () => {
    record();
    const told = notifier({ watchdogMs: 60_000 });
    const script = serving();
    told.show(script.fleet, 0);
    script.on({ type: 'exit', id: 1, ending: { signal: 'SIGKILL' } });
    for (const now of [20_000, 40_000]) told.show(script.fleet, now);
    await told.end();
    expect(
      said()
        .join('\n')
        .match(/WATCHDOG/g),
    ).to.have.length(1);
  });

  it('says why systemd does not hear it, once for each reason', async () => {
    const reasons: string[] = [];
    const told = notifier({ watchdogMs: 30 }, (reason) => reasons.push(reason));
    const { fleet } = serving();
    const failing = async (what: string, now: number): Promise<void> => {
      program(`echo "${what}" >&2; exit 1`);
      told.show(fleet, now);
      told.show(fleet, now + 10);
      await told.end();
    };
    await failing('Failed to notify: No such file', 0);
    await failing('Failed to notify: Permission denied', 100);
    expect(reasons).to.deep.equal(['Failed to notify: No such file', 'Failed to notify: Permission denied']);
  });

  it('says that there is no such program', async () => {
    process.env.PATH = folder;
    const reasons: string[] = [];
    const told = notifier({}, (reason) => reasons.push(reason));
    told.show(serving().fleet, 0);
    await told.end();
    expect(reasons).to.have.length(1);
    expect(reasons[0]).to.include('ENOENT');
  });

  it('is silent where nobody listens', async () => {
    program('exit 1');
    const told = notifier({ notifySocket: undefined, watchdogMs: 30 });
    told.show(serving().fleet, 0);
    await told.end();
  });
});
