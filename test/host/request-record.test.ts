import { closeSync, existsSync, openSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { expect } from 'chai';
import { closeRecord, openRecord, RecordWriter, readRecord } from '../../src/host/request-record.ts';

describe('the record of requests', () => {
  let fd: number;
  let writer: RecordWriter;
  beforeEach(() => {
    fd = openRecord() ?? -1;
    writer = new RecordWriter(fd);
  });
  afterEach(() => closeRecord(fd));

  it('has what began and did not end, the latest first', () => {
    expect(readRecord(fd)).to.deep.equal([]);
    const [a, b, c] = [{}, {}, {}];
    const first = writer.begin(a, 'GET /a');
    writer.begin(b, 'POST /longer');
    writer.end(a, first);
    writer.begin(c, 'GET /c');
    expect(readRecord(fd)).to.deep.equal(['GET /c', 'POST /longer']);
  });

  it('keeps no more of a shorter text that comes into the place of a longer one', () => {
    const a = {};
    writer.end(a, writer.begin(a, `GET /${'x'.repeat(190)}`));
    writer.begin({}, 'GET /');
    expect(readRecord(fd)).to.deep.equal(['GET /']);
  });

  it('takes any text, cut where it is too long', () => {
    writer.begin({}, `GET /${'é'.repeat(400)}`);
    writer.begin({}, 'GET /\n\0\u2028');
    writer.begin({}, '');
    const [empty, odd, long] = readRecord(fd);
    expect([empty, odd]).to.deep.equal(['', 'GET /\n\0\u2028']);
    expect(long).to.match(/^GET \/é{100,}$/);
  });

  it('has the latest where more are held than it has places for, and mixes up none that end', () => {
    const held = Array.from({ length: 300 }, () => ({}));
    const places = held.map((holder, i) => writer.begin(holder, `GET /${i}`));
    expect(readRecord(fd)).to.have.length(256);
    expect(readRecord(fd)[0]).to.equal('GET /299');
    held.forEach((holder, i) => {
      if (i !== 299) writer.end(holder, places[i] ?? 0);
    });
    expect(readRecord(fd)).to.deep.equal(['GET /299']);
  });

  it('reuses its places for as long as it is told to', () => {
    for (let i = 0; i < 5000; i++) {
      const holder = {};
      writer.end(holder, writer.begin(holder, `GET /${i}`));
    }
    expect(readRecord(fd)).to.deep.equal([]);
  });

  it('that is closed holds nothing, and takes nothing', () => {
    const a = {};
    const place = writer.begin(a, 'GET /a');
    writer.close();
    expect(writer.isOpen).to.equal(false);
    writer.end(a, place);
    expect(readRecord(fd)).to.deep.equal([]);
  });

  it('throws nothing where it cannot be written or read', () => {
    const broken = openSync('/dev/null', 'r');
    closeSync(broken);
    const other = new RecordWriter(broken);
    other.begin({}, 'GET /a');
    expect(other.isOpen).to.equal(false);
    expect(readRecord(broken)).to.deep.equal([]);
  });

  it('has no name, and none where there is no place for it', () => {
    const named = ['/dev/shm', tmpdir()]
      .filter((folder) => existsSync(folder))
      .flatMap((folder) => readdirSync(folder))
      .filter((name) => name.startsWith(`hello-server-${process.pid}-`));
    expect(named).to.deep.equal([]);
    expect(openRecord(['/no/such/folder'])).to.equal(undefined);
  });
});
