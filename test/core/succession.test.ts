import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { nodeProblem, OLDEST_NODE, socketProblem, unsealed } from '../../src/core/succession.ts';
import { ROOT } from '../helpers/server.ts';

describe('a succession', () => {
  it('takes the Nodes that package.json takes, and no older one', () => {
    const { engines } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
    expect(engines.node).to.equal(`>=${OLDEST_NODE.join('.')}`);
    for (const version of ['v20.19.0', 'v20.20.2', 'v22.0.0', 'v26.12.1'])
      expect(nodeProblem(version), version).to.equal(undefined);
    for (const version of ['v20.18.9', 'v18.20.4', 'v8.99.0'])
      expect(nodeProblem(version)).to.equal(`expected Node 20.19 or later, got ${version}`);
    expect(nodeProblem('24.1.0')).to.equal('expected Node 20.19 or later, got something else');
  });

  it('keeps port and address: another one of either is named', () => {
    const before = { port: 3000, host: null } as Parameters<typeof socketProblem>[0];
    const of = (port: number, host?: string, given = true): string | undefined =>
      socketProblem(before, { port, host }, given);
    for (const same of [of(3000), of(0), of(4000, undefined, false)]) expect(same).to.equal(undefined);
    expect(of(4000)).to.match(/^PORT: expected 3000 as before, got 4000: /);
    expect(of(3000, '::1')).to.match(/^HOST: expected none as before, got ::1: /);
  });

  it('knows its messages from those of others', () => {
    for (const other of [undefined, null, 'ready', {}, { 'hello-server.succession': 1 }, { type: 'serves' }])
      expect(unsealed(other)).to.equal(undefined);
  });
});
