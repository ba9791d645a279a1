import { expect } from 'chai';
import { doubtIn, HELD_CHARS, holdingIn, lastWordsIn, MOST_HELD } from '../../src/core/last-words.ts';
import { fromWorker, seal } from '../../src/core/protocol.ts';

const ODD = [undefined, null, 1, '', 'text', [], {}, Symbol.iterator, () => {}];

describe('what a worker says of its end', () => {
  it('is taken as it is said', () => {
    const holding = ['GET /report'];
    const exit = { place: 'jobs.js:17' };
    expect(lastWordsIn({ holding, exit })).to.deep.equal({ holding, exit });
    expect(lastWordsIn({ holding })).to.deep.equal({ holding });
    for (const cause of [
      { cause: 'exit called', code: 3, place: 'jobs.js:17' },
      { cause: 'fatal error', error: 'uncaughtException: no such table' },
    ] as const)
      expect(doubtIn({ cause, holding })).to.deep.equal({ cause, holding });
  });

  it('is bounded', () => {
    const many = Array.from({ length: 1000 }, () => 'x'.repeat(5000));
    expect(holdingIn(many).map(({ length }) => length)).to.deep.equal(Array(MOST_HELD).fill(HELD_CHARS));
    const error = 'x'.repeat(1e6);
    expect(JSON.stringify(doubtIn({ cause: { cause: 'fatal error', error } })).length).to.be.lessThan(1000);
    expect(JSON.stringify(lastWordsIn({ exit: { place: error } })).length).to.be.lessThan(1000);
  });

  it('is nothing, whatever else an app sends', () => {
    for (const odd of ODD) {
      expect(holdingIn(odd), String(odd)).to.deep.equal([]);
      expect(holdingIn([odd]).every((held) => typeof held === 'string')).to.equal(true);
      expect(doubtIn(odd)).to.equal(undefined);
      expect(doubtIn({ cause: odd })).to.equal(undefined);
      expect(doubtIn({ cause: { cause: 'exit called', code: odd === 1 ? 1.5 : odd } })).to.equal(undefined);
      expect(lastWordsIn({ holding: odd, exit: undefined }).holding).to.deep.equal([]);
      expect(lastWordsIn({ exit: { place: odd } }).exit?.place ?? '').to.be.a('string');
    }
  });

  it('comes over the channel', () => {
    const said = [
      { type: 'holding', requests: ['GET /a'] },
      { type: 'last words', holding: ['GET /a'], exit: { place: 'a.js:1' } },
      {
        type: 'replace',
        why: 'exit called',
        doubt: { cause: { cause: 'exit called', code: 1, place: 'a.js:1' }, holding: [] },
      },
    ] as const;
    for (const message of said) expect(fromWorker(seal(message))).to.deep.equal(message);
  });
});
