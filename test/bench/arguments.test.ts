// The bench's command line.

import { expect } from 'chai';
import { parse } from '../../bench/arguments.ts';

const read = (...args: string[]): unknown => parse(args, ['reload', 'nodes']);

describe("the bench's arguments", () => {
  it('are questions, --quick and --node in any order', () => {
    expect(read()).to.deep.equal({ names: [], quick: false, node: undefined });
    expect(read('nodes', '--node', '/opt/node', '--quick', 'reload')).to.deep.equal({
      names: ['nodes', 'reload'],
      quick: true,
      node: '/opt/node',
    });
  });

  it('are refused in one line that says what was expected', () => {
    expect(read('relaod')).to.equal('expected a question, one of reload, nodes, got `relaod`');
    expect(read('--fast')).to.equal('expected --quick, --node PATH or a question, got `--fast`');
    expect(read('--node')).to.equal('expected --node PATH, got no path');
  });
});
