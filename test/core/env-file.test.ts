import { expect } from 'chai';
import { readEnvFile } from '../../src/core/env-file.ts';
import { checkReading, renewed } from '../../src/core/reading.ts';

describe('an env file', () => {
  it('is one NAME=value to a line, with comments and empty lines between', () => {
    const { values, errors } = readEnvFile(
      'f',
      '# hello\n\nA=1\r\n  # indented\n\tB=two words\nC=\nD=a=b;c$HOME\nA=2\n_x9={"k":"v"}\n__proto__=p',
    );
    expect(errors).to.deep.equal([]);
    expect(Object.entries(values)).to.deep.equal([
      ['A', '2'],
      ['B', 'two words'],
      ['C', ''],
      ['D', 'a=b;c$HOME'],
      ['_x9', '{"k":"v"}'],
      ['__proto__', 'p'],
    ]);
  });

  for (const [line, problem] of [
    ['A="b"', 'quotes in the value of A'],
    ["A='b'", 'quotes in the value of A'],
    ['A=`b`', 'quotes in the value of A'],
    ['A=b # c', 'a # in the value of A'],
    ['A=b#c', 'a # in the value of A'],
    ['A=b\\', 'a \\ in the value of A'],
    ['A=b\\nc', 'a \\ in the value of A'],
    ['A= b', 'a space at an end in the value of A'],
    ['A=b ', 'a space at an end in the value of A'],
    ['A=b\t', 'a space at an end in the value of A'],
    ['A=b\0c', 'a control character in the value of A'],
    ['; a comment', 'a ; where a comment begins with #'],
    ['export A=b', 'export before A'],
    ['A', 'no ='],
    ['=b', 'the name ``'],
    ['A =b', 'the name `A `'],
    ['1A=b', 'the name `1A`'],
    ['A-B=c', 'the name `A-B`'],
    ['\uFEFFA=b', 'the name `\uFEFFA`'],
  ] as const)
    it(`is refused where a line is ${JSON.stringify(line)}, which not all read alike`, () => {
      expect(readEnvFile('f', `X=1\n${line}\nY=2`)).to.deep.equal({
        values: { X: '1', Y: '2' },
        errors: [`f line 2: expected NAME=value as Node, systemd and Docker read it alike, got ${problem}`],
      });
    });

  it('never shows a value, which may be a secret', () => {
    const lines = ['KEY="hunter2"', 'KEY=hunter2 ', 'hunter2', 'KEY=hunter2#', 'export KEY=hunter2'];
    expect(readEnvFile('f', lines.join('\n')).errors.join('\n')).not.to.include('hunter2');
  });
});

describe('a reading of the environment', () => {
  const files = [
    { values: { A: 'first', B: 'first', PORT: '81' }, errors: [] },
    { values: { A: 'second', OWN: 'file' }, errors: ['f line 1: …'] },
  ];

  it('has what the process has before the files, and the last file before the first', () => {
    const { reading, portGiven, errors } = checkReading({ OWN: 'process', DRAIN_TIMEOUT: 'x' }, files);
    expect(reading.env).to.deep.equal({ A: 'second', B: 'first', PORT: '81' });
    expect(reading.config.port).to.equal(81);
    expect(portGiven).to.equal(true);
    expect(errors).to.deep.equal(['f line 1: …', 'DRAIN_TIMEOUT: expected seconds from 0 to 86400, got `x`']);
  });

  it('takes a variable that is set and empty for set, as Node does', () => {
    const { reading, portGiven } = checkReading({ PORT: '' }, files);
    expect(reading.config.port).to.equal(3000);
    expect(portGiven).to.equal(false);
  });

  it('takes effect but for what a running primary keeps', () => {
    const first = checkReading({ PORT: '80', REQUEST_TIMEOUT: '5' }, []).reading;
    const { reading } = checkReading(
      { PORT: '81', CONTROL_SOCKET: '/x', ADMIN_HOST: '::1', REQUEST_TIMEOUT: '6', LOG_LEVEL: 'warn' },
      [],
    );
    const next = renewed(first, reading);
    expect(next.fixed).to.deep.equal(['PORT', 'CONTROL_SOCKET', 'ADMIN_HOST']);
    expect(next.reading.config).to.deep.equal({
      ...first.config,
      requestTimeoutMs: 6000,
      logLevel: 'warn',
    });
  });
});
