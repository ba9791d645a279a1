import { expect } from 'chai';
import { NO_POISON, noteDeath, POISON_MS, type Poison } from '../../src/core/poison.ts';

/** Deaths in a row: when, and which requests were held. Returns what was named at each. */
function named(...deaths: readonly (readonly [now: number, ...holding: string[]])[]): string[][] {
  let poison: Poison = NO_POISON;
  return deaths.map(([now, ...holding]) => {
    const after = noteDeath(poison, holding, now);
    poison = after.poison;
    return after.named.map(({ request, deaths }) => `${request} ${deaths}`);
  });
}

describe('poison', () => {
  it('is a request that was held in two deaths within ten minutes', () => {
    expect(named([1000, 'GET /a', 'GET /b'], [2000, 'GET /c', 'GET /a'])).to.deep.equal([[], ['GET /a 2']]);
    expect(named([0, 'GET /a'], [POISON_MS - 1, 'GET /a'])).to.deep.equal([[], ['GET /a 2']]);
  });

  it('is none with another method, in one death alone, or later', () => {
    expect(named([0, 'GET /a'], [1, 'POST /a'])).to.deep.equal([[], []]);
    expect(named([0, 'GET /a', 'GET /a'])).to.deep.equal([[]]);
    expect(named([0, 'GET /a'], [POISON_MS, 'GET /a'])).to.deep.equal([[], []]);
  });

  it('is named once in ten minutes', () => {
    const deaths = [0, 1, 2, 3, POISON_MS, POISON_MS + 1].map((now) => [now, 'GET /a'] as const);
    expect(named(...deaths).map((names) => names.length)).to.deep.equal([0, 1, 0, 0, 0, 1]);
  });

  it('is remembered in bounded memory: the latest hundred requests, none beyond ten minutes', () => {
    let poison: Poison = NO_POISON;
    for (let i = 0; i < 1000; i++) ({ poison } = noteDeath(poison, [`GET /${i}`], i));
    expect(poison.length).to.equal(100);
    expect(poison.at(-1)?.request).to.equal('GET /999');
    for (let i = 0; i < 50; i++) ({ poison } = noteDeath(poison, ['GET /999'], 1000 + i));
    expect(poison.at(-1)?.deaths.length).to.equal(2);
    ({ poison } = noteDeath(poison, ['GET /late'], 2 * POISON_MS));
    expect(poison.map(({ request }) => request)).to.deep.equal(['GET /late']);
  });
});
