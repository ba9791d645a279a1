import { expect } from 'chai';
import { wantsColours } from '../../src/client/terminal.ts';
import { cut, cutFromLeft, cutLine, flow, page, piece, widthOf, wrapped } from '../../src/client/text.ts';

describe('a line', () => {
  it('is cut with … on either side, by the columns that it takes', () => {
    expect([cut('abcdef', 6), cut('abcdef', 4), cut('abcdef', 1), cut('abcdef', 0)]).to.deep.equal([
      'abcdef',
      'abc…',
      '…',
      '',
    ]);
    expect([cutFromLeft('abcdef', 4), cutFromLeft('abcdef', 0)]).to.deep.equal(['…def', '']);
    expect(cut('報告書', 4)).to.equal('報…');
    expect(widthOf('報…a')).to.equal(4);
  });

  it('is cut across its pieces', () => {
    const line = [piece('ab', 'bad'), piece('cd'), piece('ef', 'dim')];
    const text = (width: number): string =>
      cutLine(line, width)
        .map((one) => one.text)
        .join('');
    expect([6, 5, 4, 3, 2, 1].map(text)).to.deep.equal(['abcdef', 'abcd…', 'abc…', 'ab…', 'a…', '…']);
  });

  it('is coloured when it is written, and not otherwise', () => {
    const line = [piece('a'), piece('b', 'bad'), piece('c', 'warn')];
    expect(page([line, []], 9, false)).to.equal('abc\n\n');
    expect(page([line], 9, true)).to.equal('a\u001b[31mb\u001b[39m\u001b[33mc\u001b[39m\n');
    expect(page([line], 2, true)).to.equal('a\u001b[31m…\u001b[39m\n');
  });

  it('flows and wraps onto the next one', () => {
    const texts = (lines: ReturnType<typeof flow>): string[] =>
      lines.map((one) => one.map(({ text }) => text).join(''));
    expect(
      texts(
        flow(
          ['one', 'two', 'three'].map((text) => piece(text)),
          8,
        ),
      ),
    ).to.deep.equal(['one  two', 'three']);
    expect(texts(wrapped('one two three', 9, 'bad', 1))).to.deep.equal([' one two', ' three']);
  });
});

describe('colours', () => {
  for (const [env, isTerminal, wanted] of [
    [{}, true, true],
    [{}, false, false],
    [{ NO_COLOR: '1' }, true, false],
    [{ NO_COLOR: '' }, true, true],
    [{ TERM: 'dumb' }, true, false],
    [{ FORCE_COLOR: '1' }, false, true],
    [{ FORCE_COLOR: '0' }, true, false],
    [{ FORCE_COLOR: '1', NO_COLOR: '1' }, false, true],
  ] as const) {
    it(`are ${wanted ? '' : 'not '}wanted on a ${isTerminal ? 'terminal' : 'pipe'} with ${JSON.stringify(env)}`, () => {
      expect(wantsColours(env, isTerminal)).to.equal(wanted);
    });
  }
});
