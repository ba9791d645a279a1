// What is said of something thrown: anything may be thrown, and none of it makes a second error.

import { expect } from 'chai';
import { codeOf, describeThrown } from '../../src/log/thrown.ts';

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

const throwing = (): never => {
  throw new Error('a getter');
};

/** An error whose stack is there already: only then can its getters be exchanged. */
function odd(getters: PropertyDescriptorMap): Error {
  const error = new Error();
  void error.stack;
  return Object.defineProperties(error, getters);
}

const ODD: Readonly<Record<string, unknown>> = {
  undefined: undefined,
  null: null,
  'an empty text': '',
  'a symbol': Symbol('s'),
  'a null prototype': Object.create(null),
  'a revoked proxy': revoked(),
  'an error with a revoked proxy as cause': new Error('outer', { cause: revoked() }),
  'an error whose message is no string': Object.assign(new Error(), { message: { toString: throwing } }),
  'a getter that throws': Object.defineProperty({}, 'message', { get: throwing }),
  'an error with getters that throw': odd({
    message: { get: throwing },
    stack: { get: throwing },
    code: { get: throwing },
    cause: { get: throwing },
  }),
  'a toString that throws': { toString: throwing, [Symbol.toPrimitive]: throwing },
  'a proxy that throws at everything': new Proxy(
    {},
    { get: throwing, getPrototypeOf: throwing, ownKeys: throwing, has: throwing },
  ),
  'a function': throwing,
};

describe('something thrown', () => {
  for (const [what, thrown] of Object.entries(ODD)) {
    it(`(${what}) is one line, and no error of its own`, () => {
      const { message } = describeThrown(thrown);
      expect(message).to.be.a('string').and.match(/^.+$/);
      expect(codeOf(thrown)).to.equal(undefined);
    });
  }

  it('is shown with its causes and its own properties, as Node prints them', () => {
    const inner = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:1'), { code: 'ECONNREFUSED' });
    const { message, stack } = describeThrown(new TypeError('fetch failed', { cause: inner }));
    expect(message).to.equal('fetch failed (connect ECONNREFUSED 127.0.0.1:1)');
    expect(stack).to.match(/^TypeError: fetch failed\n.*\[cause\]: Error: connect ECONNREFUSED/s);
    expect(stack).to.contain("code: 'ECONNREFUSED'");
  });

  it('is shown with the errors of an AggregateError, which has no message at times', () => {
    const errors = ['connect ::1', 'connect 127.0.0.1'].map((text) => new Error(text));
    const { message, stack } = describeThrown(new AggregateError(errors));
    expect(message).to.equal('connect ::1, connect 127.0.0.1');
    expect(stack).to.contain('[errors]').and.contain('Error: connect 127.0.0.1');
  });

  it('has a reason where there is no text at all', () => {
    expect(describeThrown(new Error()).message).to.equal('no reason given');
    expect(describeThrown(Object.assign(new Error(), { code: 'EFOO' })).message).to.equal('EFOO');
    expect(describeThrown('first\nsecond').message).to.equal('first');
  });

  it('ends although its causes go round in a circle', () => {
    const error = new Error('round');
    error.cause = error;
    expect(describeThrown(error).message).to.equal('round');
  });
});
