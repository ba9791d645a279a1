// docs/package.md: its programs print what it shows, and its tables have the options, members and events of the code.

import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { Fleet } from '../../src/api/fleet.ts';
import { KINDS } from '../../src/api/options.ts';
import { FLEET_EVENTS } from '../../src/core/fleet-events.ts';
import { block, codeIn, read } from '../helpers/manual.ts';
import { ROOT } from '../helpers/server.ts';

const PAGE = 'docs/package.md';

/** What stands between backquotes in the first cells of the table with this heading. */
function firstCells(heading: string): string[] {
  const lines = read(PAGE).lines.map(({ text }) => text);
  const from = lines.findIndex((text) => text.startsWith(`| ${heading} |`));
  const rows = lines.slice(from + 2);
  return rows
    .slice(
      0,
      rows.findIndex((text) => !text.startsWith('|')),
    )
    .flatMap((row) => codeIn(row.split('|')[1] ?? ''));
}

describe(PAGE, () => {
  const folder = mkdtempSync(join(tmpdir(), 'hello-server-package-'));
  before(() => {
    mkdirSync(join(folder, 'node_modules'));
    symlinkSync(ROOT, join(folder, 'node_modules', 'hello-server'));
  });
  after(() => rmSync(folder, { recursive: true }));

  const printed = (program: string, end: string): string => {
    const file = join(folder, `program.${end}`);
    writeFileSync(file, program);
    // Through a link Node does not see that the package is installed, and would warn of require() on 20 and 22.
    return execFileSync(process.execPath, ['--no-warnings', file], {
      cwd: folder,
      encoding: 'utf8',
      timeout: 30_000,
    });
  };

  it('has a program that runs a fleet', () => {
    expect(printed(block('docs/package.md#run-a-fleet'), 'mjs')).to.equal(
      block('docs/package.md#run-a-fleet:2'),
    );
  });

  it('has a program that serves by itself, as a module and in CommonJS', () => {
    expect(printed(block('docs/package.md#serve-in-a-process-of-your-own'), 'mjs')).to.equal(
      block('docs/package.md#serve-in-a-process-of-your-own:2'),
    );
    expect(printed(block('docs/package.md#serve-in-a-process-of-your-own:3'), 'cjs')).to.equal(
      block('docs/package.md#serve-in-a-process-of-your-own:4'),
    );
  });

  it('is installed by the line that README has', () => {
    expect(block('README.md#run-your-app')).to.include(block('docs/package.md#from-code'));
  });

  it('lists the options, the members of a fleet, and its events', () => {
    expect(firstCells('option')).to.deep.equal(Object.keys(KINDS));
    expect(firstCells('event')).to.have.members(FLEET_EVENTS);
    const members = Object.getOwnPropertyNames(Fleet.prototype).filter((name) => name !== 'constructor');
    const listed = firstCells('of `fleet`').map((text) => text.replace(/\(.*/, ''));
    const streams = ['stdout', 'stderr'];
    expect(listed).to.have.members([
      ...members.filter((name) => !streams.includes(name)),
      'closed',
      '[Symbol.asyncDispose]',
    ]);
  });
});
