// Whole lines out of pieces of any size, and objects out of lines.

import { expect } from 'chai';
import { asObjects, Lines } from '../../src/log/app-output.ts';

/** What comes of the pieces, as it is passed on. */
function passed(...pieces: readonly string[]): string[] {
  const out: string[] = [];
  const lines = new Lines((text) => out.push(text.toString()));
  for (const piece of pieces) lines.take(Buffer.from(piece));
  lines.end();
  return out;
}

describe('lines', () => {
  it('are passed on whole, however they come', () => {
    expect(passed('one\ntwo\nth', 'r', 'ee\nfour')).to.deep.equal(['one\ntwo\n', 'three\n', 'four\n']);
    expect(passed('a\n', 'b\n')).to.deep.equal(['a\n', 'b\n']);
    expect(passed('', '\n')).to.deep.equal(['\n']);
    expect(passed()).to.deep.equal([]);
  });

  it('may come in hundreds of thousands of pieces', () => {
    const pieces = Array.from({ length: 400_000 }, (_, i) => 'ab'.charAt(i % 2));
    const out: Buffer[] = [];
    const lines = new Lines((text) => out.push(text));
    for (const piece of pieces) lines.take(Buffer.from(piece));
    lines.end();
    expect(Buffer.concat(out).toString()).to.equal(`${pieces.join('')}\n`);
  });

  it('are broken between two characters when they are longer than 1 MiB', () => {
    const text = '€'.repeat(1_000_000);
    const out = passed(text.slice(0, 400_000), text.slice(400_000));
    expect(out.length).to.equal(3);
    expect(out.map((line) => line.trimEnd()).join('')).to.equal(text);
  });
});

describe('an app’s lines in json', () => {
  const of = { pid: 7, worker: 0, generation: 1 };

  it('are objects: its own as they are, any other as the msg of one', () => {
    const objects = asObjects(Buffer.from('{"a":1}\nplain\r\n[1]\n{no}\n\n'), 'stderr', of)
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(objects[0]).to.deep.equal({ a: 1 });
    expect(objects.slice(1).map(({ msg }) => msg)).to.deep.equal(['plain', '[1]', '{no}', '']);
    expect(objects[1]).to.include({ level: 'error', stream: 'stderr', ...of });
  });
});
