// What a primary takes for a question of its caller's: whatever else comes over the channel is nobody's.

import { expect } from 'chai';
import { fromPrimary, questionIn, sealed } from '../../src/core/caller.ts';

describe('the channel between a primary and its caller', () => {
  it('carries questions as they are asked', () => {
    for (const question of [
      { id: 1, ask: 'status' },
      { id: 2, ask: 'reload', force: true },
      { id: 3, ask: 'scale', workers: 4 },
      { id: 4, ask: 'rollback' },
      { id: 5, ask: 'stop' },
    ] as const)
      expect(questionIn(sealed(question))).to.deep.equal(question);
  });

  it('ignores what is no question: of another sender, without a number, or not known', () => {
    const mark = (message: unknown) => ({ 'hello-server.caller': message });
    for (const raw of [
      undefined,
      null,
      'shutdown',
      { type: 'process:msg' },
      mark(null),
      mark('stop'),
      mark({ ask: 'stop' }),
      mark({ id: 1, ask: 'explode' }),
      mark({ id: 'one', ask: 'stop' }),
    ])
      expect(questionIn(raw), JSON.stringify(raw)).to.equal(undefined);
    expect(fromPrimary({ 'hello-server.succession': { type: 'here' } })).to.equal(undefined);
  });
});
