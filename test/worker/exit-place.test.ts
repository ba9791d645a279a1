import { expect } from 'chai';
import { placeBelow, placeIn } from '../../src/worker/exit-place.ts';

describe('the place of an exit', () => {
  it('is the nearest frame that is in a file, relative to the working directory below it', () => {
    const frames = [
      '    at node:internal/process/task_queues:95:5',
      '    at new Promise (<anonymous>)',
      '    at eval (eval at run (webpack-internal:///x), <anonymous>:1:1)',
      '    at async Jobs.run [as go] (file:///srv/app/lib/jobs.js:17:3)',
      '    at /srv/app/other.js:1:1',
    ];
    expect(placeIn(frames, '/srv/app')).to.equal('lib/jobs.js:17');
    expect(placeIn(frames, '/srv/app/lib')).to.equal('jobs.js:17');
    expect(placeIn(frames, '/srv/other')).to.equal('/srv/app/lib/jobs.js:17');
    expect(placeIn(frames, undefined)).to.equal('/srv/app/lib/jobs.js:17');
    expect(placeIn([], '/')).to.equal(undefined);
  });

  for (const [frame, place] of [
    ['    at /srv/app/jobs.cjs:17:3', 'jobs.cjs:17'],
    ['    at Object.<anonymous> (/srv/app/(group)/a b.js:2:1)', '(group)/a b.js:2'],
    ['    at file:///srv/app/a%20b.mjs:9:9', 'a b.mjs:9'],
    ['    at ..x (/srv/app/..x.js:1:1)', '..x.js:1'],
    ['    at f (file://host/odd.js:1:1)', undefined],
  ] as const) {
    it(`is read of \`${frame.trim()}\``, () => {
      expect(placeIn([frame], '/srv/app')).to.equal(place);
    });
  }

  it('is below the function that was called, whatever the app has made of stacks', () => {
    const { stackTraceLimit, prepareStackTrace } = Error;
    const exit = (): string | undefined => placeBelow(exit);
    expect(exit()).to.match(/^(test|build\/test)\/worker\/exit-place\.test\.[jt]s:\d+$/);
    try {
      Error.stackTraceLimit = 0;
      expect(exit()).to.match(/exit-place/);
      expect(Error.stackTraceLimit).to.equal(0);
      Error.prepareStackTrace = (_, sites) => sites;
      expect(exit()).to.equal(undefined);
      Error.prepareStackTrace = () => {
        throw new Error('odd');
      };
      expect(exit()).to.equal(undefined);
    } finally {
      Error.stackTraceLimit = stackTraceLimit;
      Error.prepareStackTrace = prepareStackTrace;
    }
  });
});
