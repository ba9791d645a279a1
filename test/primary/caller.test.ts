// The primary's end of the channel to its caller, with a caller that reads when the test says so.

import { expect } from 'chai';
import { fromPrimary, sealed, type ToCaller } from '../../src/core/caller.ts';
import { Caller, MOST_UNREAD, type Obeys } from '../../src/primary/caller.ts';

/** A caller that reads nothing until it is told to. */
class Reader {
  readonly sent: ToCaller[] = [];
  readonly #unread: (() => void)[] = [];

  readonly send = (message: Record<string, unknown>, done: () => void): void => {
    this.sent.push(fromPrimary(message) as ToCaller);
    this.#unread.push(done);
  };

  readsAll(): void {
    for (const done of this.#unread.splice(0)) done();
  }
}

const obeysOf = (stops: string[], said: string[] = []): Obeys => ({
  stop: (what) => void stops.push(what),
  commands: {
    status: () => {
      throw new Error('no status');
    },
    reload: (force: boolean, report: (progress: unknown) => void) => {
      said.push(`reload ${force}`);
      report({ text: 'reloading' });
      report({ ok: false, result: 'reload abandoned: no database' });
    },
    stop: () => void said.push('stop'),
    scale: () => void said.push('scale'),
  } as never,
});

describe('the caller of a primary', () => {
  it('is told what happens, and that the fleet serves, in this order', () => {
    const reader = new Reader();
    const caller = new Caller(reader);
    caller.told({ notice: 'ready', of: { worker: 0, generation: 1, pid: 7 }, afterMs: 1 });
    caller.told({ notice: 'listening', port: 3000 });
    expect(reader.sent.map(({ type }) => type)).to.deep.equal(['told', 'serves', 'told']);
    expect(reader.sent[1]).to.deep.equal({ type: 'serves', port: 3000 });
  });

  describe('when it does not read', () => {
    it('has so many notices waiting and no more, is told how many were left out, and hears the next ones', () => {
      const reader = new Reader();
      const caller = new Caller(reader);
      for (let i = 0; i < MOST_UNREAD + 250; i += 1)
        caller.told({ notice: 'ignored signal', signal: 'SIGUSR1' });
      expect(reader.sent).to.have.length(MOST_UNREAD);
      reader.readsAll();
      expect(reader.sent.slice(MOST_UNREAD)).to.deep.equal([{ type: 'missed', notices: 250 }]);
      caller.told({ notice: 'closed' });
      expect(reader.sent.at(-1)).to.deep.include({ text: 'Server closed successfully' });
    });

    it('is waited for at the end until it has read', async () => {
      const reader = new Reader();
      const caller = new Caller(reader);
      caller.told({ notice: 'closed' });
      let isFlushed = false;
      const flushed = caller.flushed().then(() => {
        isFlushed = true;
      });
      await new Promise((resolve) => setImmediate(resolve));
      expect(isFlushed).to.equal(false);
      reader.readsAll();
      await flushed;
    });
  });

  it('is answered once for each question, by how the command ended; what throws is an answer, too', () => {
    const reader = new Reader();
    const caller = new Caller(reader);
    const said: string[] = [];
    caller.obey(obeysOf([], said));
    caller.take(sealed({ id: 5, ask: 'reload', force: true }));
    caller.take(sealed({ id: 6, ask: 'status' }));
    caller.take(sealed({ id: 7, ask: 'scale', workers: 0.5 }));
    caller.take({ type: 'shutdown' });
    expect(said).to.deep.equal(['reload true']);
    expect(reader.sent).to.deep.equal([
      { type: 'answer', id: 5, ok: false, result: 'reload abandoned: no database' },
      { type: 'answer', id: 6, ok: false, result: 'no status' },
      { type: 'answer', id: 7, ok: false, result: 'expected a number of workers, got 0.5' },
    ]);
  });

  it('may ask for a stop before there is anything to stop', () => {
    const caller = new Caller(new Reader());
    const said: string[] = [];
    caller.take(sealed({ id: 1, ask: 'stop' }));
    caller.obey(obeysOf([], said));
    expect(said).to.deep.equal(['stop']);
  });

  for (const when of ['before', 'after'] as const)
    it(`stops the fleet by its end, also one that comes ${when} the fleet began`, () => {
      const stops: string[] = [];
      const caller = new Caller(new Reader());
      if (when === 'before') caller.gone();
      caller.obey(obeysOf(stops));
      if (when === 'after') caller.gone();
      expect(stops).to.deep.equal(['disconnect']);
    });
});
