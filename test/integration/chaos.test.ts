// Kills, pauses, reloads, scaling and broken code at random, under load. The long suite gives it minutes.

import { mkdtempSync, rmSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type { Status } from '../../src/control/status.ts';
import { KINDS, Meter } from '../helpers/meter.ts';
import { Releases } from '../helpers/releases.ts';
import { eventually, serve, stays } from '../helpers/server.ts';

const SECONDS = Number(process.env.CHAOS_SECONDS ?? 8);
const SEED = Number(process.env.CHAOS_SEED ?? Date.now() % 1_000_000);
/** A loss belongs to a kill that came no longer than this before it. */
const AFTER_KILL_MS = 2500;
/** HANG_TIMEOUT, the explanation, and the kill. */
const HANG_MS = 2000 + 2000 + 500;

describe('chaos', () => {
  it(`of ${SECONDS} s ends with the fleet that was wanted, and losses only where a worker was killed (seed ${SEED})`, async function () {
    this.timeout((SECONDS + 90) * 1000);
    const random = generator(SEED);
    const pick = <T>(choices: readonly T[]): T => choices[Math.floor(random() * choices.length)] as T;
    const place = mkdtempSync(join(tmpdir(), 'hello-server-'));
    const control = join(place, 'control.sock');
    const releases = new Releases();
    releases.deploy('pid.js');
    const env = {
      CONTROL_SOCKET: control,
      HANG_TIMEOUT: '2',
      DRAIN_TIMEOUT: '4',
      BOOT_TIMEOUT: '3',
      ACCESS_LOG: 'false',
    };
    const server = await serve({ args: [releases.app], env });
    const began = Date.now();
    const meter = new Meter(server.port, KINDS);
    const kills: number[] = [];
    const done: string[] = [];
    const paused = new Set<number>();
    let broken = false;
    /** Those that serve now; of the last one nothing is taken, as a fleet of none answers nobody. */
    const victims = ({ workers }: Status): number[] => {
      const serving = workers.filter((w) => w.stage === 'ready' && !paused.has(w.pid)).map((w) => w.pid);
      return serving.length < 2 ? [] : serving;
    };

    const acts: Record<string, (status: Status) => void> = {
      kill: (status) => {
        const pids = victims(status);
        if (pids.length === 0) return;
        process.kill(pick(pids), 'SIGKILL');
        kills.push(Date.now());
      },
      pause: (status) => {
        const pids = victims(status);
        if (pids.length === 0) return;
        const pid = pick(pids);
        process.kill(pid, 'SIGSTOP');
        paused.add(pid);
        // Whether it wakes before it counts as hung is left to chance.
        setTimeout(() => {
          signal(pid, 'SIGCONT');
          paused.delete(pid);
        }, random() * 5000);
        kills.push(Date.now() + HANG_MS);
      },
      reload: () => server.signal('SIGHUP'),
      more: ({ wanted }) => wanted < 4 && server.signal('SIGTTIN'),
      fewer: (status) =>
        status.wanted > 2 && victims(status).length >= status.wanted && server.signal('SIGTTOU'),
      break: () => {
        releases.deploy(
          pick(['broken/throws.js', 'broken/rejects.js', 'broken/exits.js', 'broken/never-ready.js']),
        );
        broken = true;
      },
      mend: () => {
        releases.deploy('pid.js');
        broken = false;
      },
    };

    const history = (): string => `seed ${SEED}\n${done.join(', ')}\n${server.log}`;
    const end = began + SECONDS * 1000;
    while (Date.now() < end) {
      // While the code is broken nobody killed comes back: that would only show that a dead fleet loses requests.
      const name = pick(Object.keys(acts).filter((act) => !broken || (act !== 'kill' && act !== 'pause')));
      acts[name]?.(await statusAt(control));
      done.push(`${Date.now() - began} ${name}`);
      await stays(
        () => server.child.exitCode === null,
        () => `the primary lives\n${history()}`,
        random() * 800,
      );
    }

    acts.mend?.(await statusAt(control));
    for (const pid of server.workers()) signal(pid, 'SIGCONT');
    // Whatever was going on comes to rest; then one more reload must work.
    await eventually(
      async () => (await statusAt(control)).state === 'running',
      `it rests\n${history()}`,
      20_000,
    );
    const rested = await statusAt(control);
    server.signal('SIGHUP');
    await eventually(
      async () => {
        const { state, workers, wanted, generation } = await statusAt(control);
        return (
          state === 'running' &&
          generation > rested.generation &&
          workers.length === wanted &&
          workers.every((w) => w.stage === 'ready' && w.generation === generation)
        );
      },
      `only the wanted workers are left, all of them ready\n${history()}`,
      40_000,
    );
    const { wanted } = await statusAt(control);
    const tally = await meter.stop();
    expect(server.workers(), history()).to.have.length(wanted);
    expect(tally.ok, history()).to.be.greaterThan(SECONDS * 50);
    expect(tally, history()).to.include({ hang: 0, 'other status': 0 });
    for (const loss of meter.losses) {
      const at = began + loss.at;
      const cause = kills.find((kill) => at > kill - HANG_MS && at < kill + AFTER_KILL_MS);
      expect(cause, `${JSON.stringify(loss)} has no cause\n${history()}`).to.be.a('number');
    }
    expect(await server.stop(), history()).to.deep.equal({ code: 0, signal: null });
    releases.remove();
    rmSync(place, { recursive: true });
  });
});

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // it has gone meanwhile
  }
}

function statusAt(socketPath: string): Promise<Status> {
  return new Promise((resolve, reject) => {
    httpRequest({ socketPath, path: '/status', agent: false }, async (res) => {
      let text = '';
      for await (const chunk of res.setEncoding('utf8')) text += chunk;
      resolve(JSON.parse(text));
    })
      .on('error', reject)
      .end();
  });
}

/** Random numbers from 0 to 1, the same for the same seed (mulberry32). */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}
