import { expect } from 'chai';
import { STOP_MARGIN_MS } from '../../src/core/deadlines.ts';
import { type Checked, checkReading } from '../../src/core/reading.ts';
import type { World } from '../../src/primary/world.ts';
import { statsOf } from '../helpers/stats.ts';
import { Scripted, settled } from './scripted-world.ts';

const term = { type: 'stop', signal: 'SIGTERM', what: 'SIGTERM' } as const;
const STOP_MS = 8000;

describe('the primary', () => {
  it('says that it serves when all workers do, and opens the control socket before', async () => {
    const world = await new Scripted().serving();
    expect(world.log.slice(-2)).to.deep.equal([
      'Server listening on port 3000',
      'Visit http://localhost:3000 or use curl -v http://localhost:3000',
    ]);
    expect(world.commands?.status().workers).to.have.length(2);
    expect(world.toldManager).to.not.deep.equal([]);
  });

  it('says nothing of serving once it was asked to stop while the control socket opened', async () => {
    const world = new Scripted();
    let open = (): void => {};
    world.controlOpens = new Promise((resolve) => {
      open = resolve;
    });
    await world.serving();
    world.primary.dispatch(term);
    open();
    await settled();
    expect(world.log.filter((line) => /listening|Visit/.test(line))).to.deep.equal([]);
    expect(world.toldManager).to.deep.equal([]);
  });

  describe('when its environment can be read again', () => {
    const read = (env: Record<string, string>, values: Record<string, string> = {}): Checked =>
      checkReading({ WEB_CONCURRENCY: '2', ...env }, [{ values, errors: [] }]);

    it('forks with it from the next reload on, and has its level and deadlines hold', async () => {
      const next = read({ LOG_LEVEL: 'warn', PORT: '81' }, { GREETING: 'moin' });
      const world = await new Scripted({}, () => Promise.resolve(next)).serving();
      world.primary.ask({ type: 'reload' });
      await settled();
      const [worker] = world.workers.slice(-1);
      expect(worker?.env).to.deep.equal({ GREETING: 'moin' });
      expect(worker?.assignment.config).to.include({ port: 3000, logLevel: 'warn' });
      expect(world.configured.map(({ logLevel }) => logLevel)).to.deep.equal(['warn']);
      expect(world.log).to.include('PORT: changed, which takes effect with a restart alone');
      worker?.exits({ code: 1 });
      expect(world.configured.map(({ logLevel }) => logLevel)).to.deep.equal(['warn', 'info']);
    });

    it('obeys a TERM although the reading never ends', async () => {
      const world = await new Scripted({}, () => new Promise(() => {})).serving();
      world.primary.ask({ type: 'reload' });
      world.primary.dispatch(term);
      for (const worker of [...world.workers]) world.exit(worker, { code: 0 });
      await settled();
      expect(world.exitCode).to.equal(0);
      expect(world.workers).to.have.length(2);
    });
  });

  describe('when a fork throws', () => {
    it('takes that for the exit of this worker, and forks again after its backoff', async () => {
      const world = await new Scripted().serving();
      world.sabotage.fork = () => {
        throw new Error('spawn ENOMEM');
      };
      world.exit(world.workers[0] as never, { signal: 'SIGKILL' });
      await world.pass(4000);
      expect(world.log.filter((line) => line.includes('cannot fork: spawn ENOMEM')).length).to.be.at.least(3);
      delete world.sabotage.fork;
      await world.pass(20_000);
      world.alive.at(-1)?.ready();
      const stages = world.commands?.status().workers.map(({ worker, stage }) => `${worker} ${stage}`);
      expect(stages).to.deep.equal(['0 ready', '1 ready']);
    });

    it('obeys a TERM at that moment within its bound', async () => {
      const world = await new Scripted().serving();
      world.sabotage.fork = () => {
        throw new Error('spawn ENOMEM');
      };
      world.exit(world.workers[0] as never, { signal: 'SIGKILL' });
      world.primary.dispatch(term);
      await world.pass(STOP_MS);
      for (const worker of world.alive) world.exit(worker, { signal: 'SIGKILL' });
      await world.pass(STOP_MARGIN_MS);
      expect(world.exitCode).to.equal(0);
    });

    it('gives up with 1 at the start when it never works', async () => {
      const world = new Scripted({ WEB_CONCURRENCY: '1' });
      world.sabotage.fork = () => {
        throw new Error('spawn ENOMEM');
      };
      await world.serving();
      await world.pass(120_000);
      expect(world.exitCode).to.equal(1);
    });
  });

  describe('when anything throws in a turn', () => {
    const parts = ['now', 'log', 'tellManager', 'watch', 'checkDescriptors'] as const;
    for (const part of parts) {
      it(`(${part}) logs it with its stack, drains the workers, and exits with 1 when they have gone`, async () => {
        const world = await failing(part);
        expect(world.log.at(-1)).to.equal(`the primary failed, stopping: ${part} fails`);
        expect(world.stacks.at(-1)).to.include(`Error: ${part} fails`);
        for (const worker of world.alive) {
          expect(worker.sent.at(-1)).to.deep.equal({ type: 'drain', why: 'stop', graceMs: STOP_MS });
          world.exit(worker, { code: 0 });
        }
        await world.pass(STOP_MARGIN_MS);
        expect(world.exitCode).to.equal(1);
      });

      it(`(${part}) kills workers that do not go, at SHUTDOWN_TIMEOUT, and exits then whatever they do`, async () => {
        const world = await failing(part);
        await world.pass(STOP_MS - 1001);
        expect(world.alive.some(({ killed }) => killed)).to.equal(false);
        await world.pass(1001);
        expect(world.alive.every(({ killed }) => killed)).to.equal(true);
        await world.pass(2 * STOP_MARGIN_MS);
        expect(world.exitCode).to.equal(1);
      });

      it(`(${part}) kills at once when it is told to stop`, async () => {
        const world = await failing(part);
        world.primary.dispatch(term);
        expect(world.alive.every(({ killed }) => killed)).to.equal(true);
      });
    }

    /** A serving fleet with a part of its world that has begun to throw. */
    async function failing(part: keyof World): Promise<Scripted> {
      const world = await new Scripted().serving();
      world.sabotage[part] = () => {
        delete world.sabotage[part];
        throw new Error(`${part} fails`);
      };
      if (part === 'watch') world.workers[0]?.says({ type: 'hello' });
      else if (part === 'log') world.primary.dispatch({ type: 'scale', workers: 3 });
      await world.pass(1000);
      return world;
    }
  });

  describe('when it is told to stop', () => {
    it('ends although the exit of a worker is never heard of', async () => {
      const world = await new Scripted().serving();
      world.primary.dispatch(term);
      await world.pass(STOP_MS + STOP_MARGIN_MS);
      expect(world.workers.every(({ killed }) => killed)).to.equal(true);
      await world.pass(STOP_MARGIN_MS);
      expect(world.exitCode).to.equal(1);
    });

    it('ends although the control socket or the service manager does not', async () => {
      const world = await new Scripted().serving();
      world.sabotage.end = () => {
        throw new Error('end fails');
      };
      world.primary.dispatch(term);
      for (const worker of world.workers) worker.says({ type: 'left' });
      for (const worker of world.workers) world.exit(worker, { code: 0 });
      await world.pass(STOP_MARGIN_MS);
      expect(world.exitCode).to.equal(0);
    });
  });

  it('has a worker give connections away that keeps more than its part, unless workers come and go anyway', async () => {
    const world = await new Scripted().serving();
    const beat = (of: number, connections: number, longLived = 0): void =>
      world.workers[of]?.says({ type: 'beat', stats: statsOf({}, { connections, longLived }) });
    const eased = () => world.workers.map(({ sent }) => sent.filter(({ type }) => type === 'ease'));
    beat(0, 150, 50);
    beat(1, 20);
    await world.pass(1000);
    beat(1, 20);
    expect(eased()).to.deep.equal([[], []]);
    beat(0, 150, 50);
    expect(eased()).to.deep.equal([[{ type: 'ease', connections: 40 }], []]);
    world.primary.dispatch({ type: 'reload' });
    await world.pass(1000);
    beat(0, 150, 50);
    expect(eased()[0]).to.have.length(1);
  });

  it('takes a beat without telling anyone, and keeps 512 workers apart', async () => {
    const world = await new Scripted({ WEB_CONCURRENCY: '512' }).serving();
    const told = world.toldManager.length;
    const stats = statsOf({ answers2xx: 1 }, { rssMiB: 1 });
    for (const worker of world.workers) worker.says({ type: 'beat', stats });
    expect(world.toldManager.length).to.equal(told);
    expect(new Set(world.workers.map(({ assignment }) => assignment.slot)).size).to.equal(512);
  });
});
