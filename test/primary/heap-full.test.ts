import { expect } from 'chai';
import { HeapFull } from '../../src/primary/heap-full.ts';

/** What is found in lines that come in these pieces. */
function foundIn(...pieces: string[]): { readonly atMiB: number | undefined } | undefined {
  const heap = new HeapFull();
  for (const piece of pieces) heap.take(Buffer.from(piece));
  return heap.found;
}

const TRACE = (atMiB: string): string =>
  `\n<--- Last few GCs --->\n\n[18:0x150] 1087 ms: Mark-Compact 54.1 (85.9) -> 53.9 (88.1) MB, 3.09 / 0.00 ms (average mu = 0.761) ` +
  `allocation fail[18:0x150]     1111 ms: Mark-Compact (reduce) 69.6 (88.1) -> ${atMiB} (103.9) MB, 21.13 / 0.00 ms\n\n\n<--- JS stacktrace --->\n\n`;

describe('what V8 says when its heap is full', () => {
  for (const line of [
    'FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory',
    'FATAL ERROR: Ineffective mark-compacts near heap limit Allocation failed - JavaScript heap out of memory',
    'FATAL ERROR: CALL_AND_RETRY_LAST Allocation failed - JavaScript heap out of memory',
  ]) {
    it(`is found: ${line}`, () => {
      expect(foundIn(`before\n${line}\n----- Native stack trace -----\n`)).to.deep.equal({
        atMiB: undefined,
      });
      expect(foundIn(TRACE('1047.8'), `${line}\n`)).to.deep.equal({ atMiB: 1047.8 });
      expect(foundIn(`${TRACE('69')}${line}\n`)).to.deep.equal({ atMiB: 69 });
    });
  }

  it('is found in a trace whose beginning V8 has dropped', () => {
    const trace =
      '\n<--- Last few GCs --->\nalltime since start of marking 5 ms) (average mu = 0.401, cu[22479:0x17262000]      133 ms: ' +
      'Incremental Mark-Compact (reduce) 30.1 (31.8) -> 30.0 (31.8) MB, 6.16 / 0.00 ms (average mu = 0.268, cu[22479:0x17262000]' +
      '      141 ms: Mark-Compact (reduce) 30.0 (31.8) -> 29.9 (31.8) MB, 7.12 / 0.00 ms last resort\n';
    const fatal = 'FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory\n';
    expect(foundIn(trace, fatal)).to.deep.equal({ atMiB: 29.9 });
  });

  it('is nothing else that an app writes', () => {
    expect(foundIn(TRACE('69'))).to.equal(undefined);
    expect(foundIn('the docs say: JavaScript heap out of memory\n')).to.equal(undefined);
    expect(foundIn('Error: FATAL ERROR: heap out of memory\n')).to.equal(undefined);
    expect(foundIn('FATAL ERROR: v8::ToLocalChecked Empty MaybeLocal\n')).to.equal(undefined);
  });
});
