// An upgrade in a scripted world: what is done in which order, and what when a part of it fails.

import { expect } from 'chai';
import { NO_STATS } from '../../src/core/figures.ts';
import { Scripted, settled } from './scripted-world.ts';

const SERVES = { type: 'successor serves', pid: 4711, program: { version: '2', node: 'v99.0.0' } } as const;

describe('the primary in an upgrade', () => {
  let progress: string[];
  beforeEach(() => {
    progress = [];
  });

  /** Asks for it as a command does. */
  const ask = async (world: Scripted): Promise<void> => {
    world.commands?.upgrade(undefined, (report) => {
      if ('text' in report) progress.push(report.text);
      else progress.push('follow' in report ? `follow ${report.follow} of ${report.pid}` : report.result);
    });
    await settled();
    await settled();
  };
  const allLeave = async (world: Scripted): Promise<void> => {
    for (const worker of world.alive) world.exit(worker, { code: 0 });
    for (let i = 0; i < 8; i++) await settled();
  };
  const why = (world: Scripted): string | undefined =>
    world.log.find((text) => text.startsWith('upgrade abandoned'));

  it('hands on its generation, its workers and who it is', async () => {
    const world = await new Scripted().serving();
    world.primary.dispatch({ type: 'scale', workers: 1 });
    await ask(world);
    const [{ handed }] = world.successors as [(typeof world.successors)[0]];
    expect(handed).to.deep.include({
      as: 'interim',
      port: 3000,
      portGiven: true,
      host: null,
      predecessor: process.pid,
    });
    expect(handed.fleet).to.deep.include({ generation: 1, wanted: 1, workers: 2 });
  });

  it('becomes its successor when all workers have gone, as one generation more than the interim one', async () => {
    const world = await new Scripted().serving();
    await ask(world);
    world.successors[0]?.tell(SERVES);
    expect(world.alive.every((worker) => worker.sent.some(({ type }) => type === 'drain'))).to.equal(true);
    expect(world.became).to.equal(undefined);
    await allLeave(world);
    expect(world.became).to.deep.include({ as: 'relayed', predecessor: 4711 });
    expect(world.became?.fleet.generation).to.equal(2);
    expect(progress.at(-1)).to.equal(`follow 3 of ${process.pid}`);
    expect(world.log).to.include('all have gone: this process becomes hello-server 2 on Node v99.0.0');
    // In this world the exec fails: then it serves again itself.
    expect(why(world)).to.equal('upgrade abandoned: no such program');
    expect(world.successors[0]?.did).to.include('stop');
    expect(world.alive).to.have.length(2);
  });

  it('ends in favour of its successor where the process cannot become another', async () => {
    const world = await new Scripted({}, undefined, false).serving();
    await ask(world);
    world.successors[0]?.tell(SERVES);
    for (let i = 0; i < 4; i++) await settled();
    await world.pass(600);
    expect(world.successors[0]?.did).to.deep.equal(['mute', 'take over']);
    expect(progress.at(-1)).to.equal('follow 2 of 4711');
    expect(world.exitCode).to.equal(undefined);
    await allLeave(world);
    await world.pass(1000);
    expect(world.exitCode).to.equal(0);
    expect(world.log).to.not.include('Server closed successfully');
  });

  it('serves again where the socket does not come back, with its control socket open', async () => {
    const world = await new Scripted().serving();
    world.socketComesBack = false;
    await ask(world);
    world.successors[0]?.tell(SERVES);
    world.commands = undefined;
    await allLeave(world);
    await world.pass(600);
    expect(why(world)).to.equal('upgrade abandoned: the successor did not hand the listening socket back');
    expect(world.successors[0]?.did).to.include('stop');
    expect(world.commands).to.not.equal(undefined);
    expect(world.alive).to.have.length(2);
  });

  it('opens what it keeps open before the socket is to come back in the place of stdin', async () => {
    const world = await new Scripted().serving();
    await ask(world);
    const { did } = world.successors[0] as (typeof world.successors)[0];
    world.successors[0]?.tell(SERVES);
    world.sabotage.checkDescriptors = () => void did.push('reserve');
    await allLeave(world);
    expect(did.slice(0, 2)).to.deep.equal(['reserve', 'take socket']);
  });

  it('serves on where there can be no successor, or none can be started', async () => {
    const world = await new Scripted().serving();
    world.noSuccessor = 'there is no Node';
    await ask(world);
    expect(progress.at(-1)).to.equal('upgrade abandoned: there is no Node');
    world.noSuccessor = undefined;
    world.sabotage.succession = () => {
      throw new Error('spawn ENOMEM');
    };
    await ask(world);
    expect(progress.at(-1)).to.equal('upgrade abandoned: a successor cannot be started: spawn ENOMEM');
    expect(world.alive).to.have.length(2);
    expect(world.exitCode).to.equal(undefined);
  });

  it('gives up a successor that says nothing', async () => {
    const world = await new Scripted({ BOOT_TIMEOUT: '2' }).serving();
    await ask(world);
    for (let s = 0; s < 20; s++) {
      for (const worker of world.alive) worker.says({ type: 'beat', stats: NO_STATS });
      await world.pass(1000);
    }
    expect(why(world)).to.equal('upgrade abandoned: the successor did not serve in time');
    world.successors[0]?.tell(SERVES);
    expect(world.alive.some((worker) => worker.sent.some(({ type }) => type === 'drain'))).to.equal(false);
  });

  it('is stopped with its successor', async () => {
    const world = await new Scripted().serving();
    await ask(world);
    world.primary.dispatch({ type: 'stop', signal: 'SIGTERM', what: 'SIGTERM' });
    expect(world.successors[0]?.did).to.deep.equal(['stop']);
    await allLeave(world);
    await world.pass(1000);
    expect(world.exitCode).to.equal(0);
  });
});
