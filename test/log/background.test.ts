import { expect } from 'chai';
import { inBackground } from '../../src/log/background.ts';

/** A line of /proc/self/stat. */
const stat =
  (group: number, terminal: number, foreground: number, name = 'node') =>
  () =>
    `4711 (${name}) S 4000 ${group} 4000 ${terminal} ${foreground} 4194304 1 0 0 0`;

describe('the background of a terminal', () => {
  it('is where another group than ours is in its foreground', () => {
    expect(inBackground(stat(4711, 34_816, 4000))).to.equal(true);
    expect(inBackground(stat(4711, 34_816, 4000, 'a) S 1 1 1 1 1 (b'))).to.equal(true);
  });

  it('is not the foreground, nor a process without a terminal, nor one whose terminal has gone', () => {
    expect(inBackground(stat(4711, 34_816, 4711))).to.equal(false);
    expect(inBackground(stat(4711, 0, -1))).to.equal(false);
    expect(inBackground(stat(4711, 34_816, -1))).to.equal(false);
  });

  it('is not assumed where it cannot be known', () => {
    expect(inBackground(() => '')).to.equal(false);
    expect(
      inBackground(() => {
        throw new Error('ENOENT');
      }),
    ).to.equal(false);
  });
});
