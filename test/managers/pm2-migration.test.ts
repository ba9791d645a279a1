// docs/migration.md under the real pm2: its cluster mode's commands, and its app, which works there and here.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { block, codeIn, tableRows } from '../helpers/manual.ts';
import { Pm2 } from '../helpers/pm2.ts';
import { exchange, request } from '../helpers/raw.ts';
import { eventually } from '../helpers/server.ts';

/** They go on until they are interrupted, change pm2 itself, or the machine. */
const NOT_RUN = ['pm2 logs', 'pm2 monit', 'pm2 update', 'pm2 save', 'pm2 startup'];

describe('docs/migration.md, under pm2', () => {
  const folder = mkdtempSync(join(tmpdir(), 'hello-server-from-pm2-'));
  let pm2: Pm2;
  before(async () => {
    writeFileSync(join(folder, 'app.js'), block('docs/migration.md#your-apps-own-code'));
    pm2 = await Pm2.open({}, folder);
  });
  after(async () => {
    await pm2.end();
    rmSync(folder, { recursive: true, force: true });
  });

  const answers = async (): Promise<void> => {
    const asked = exchange(pm2.port, request('GET', '/', 'Connection: close'));
    expect((await asked).body).to.match(/^instance \d\n$/);
  };

  const answersSoon = (when: string): Promise<void> => {
    const isThere = (): Promise<boolean> =>
      answers().then(
        () => true,
        () => false,
      );
    return eventually(isThere, `it answers ${when}`);
  };

  it('has commands that pm2 takes, for an app that works in its cluster mode', async () => {
    const commands = new Set(
      tableRows('docs/migration.md#command-by-command')
        .flatMap(([theirs = '']) => codeIn(theirs))
        .filter((text) => text.startsWith('pm2 ') && !NOT_RUN.includes(text)),
    );
    const run = async (text: string): Promise<void> => {
      expect([...commands], `the page has \`${text}\``).to.include(text);
      commands.delete(text);
      const { code, out, err } = await pm2.type(text);
      expect(code, `${text}\n${out}${err}`).to.equal(0);
    };
    await run('pm2 start app.js -i max');
    await answersSoon('after its start');
    for (const text of ['pm2 list', 'pm2 describe app', 'pm2 scale app 4']) await run(text);
    expect(await pm2.entries()).to.have.length(4);
    for (const text of ['pm2 reload app', 'pm2 restart app']) {
      await run(text);
      await answersSoon(`after ${text}`);
    }
    for (const text of ['pm2 stop app', 'pm2 delete app']) await run(text);
    await pm2.says(/^closed$/m);
    for (const text of ['pm2 start app.js -i 4', 'pm2 delete app', 'pm2 start app.js --watch', 'pm2 flush']) {
      if (text === 'pm2 delete app') commands.add(text);
      await run(text);
    }
    expect([...commands], 'commands that are not run').to.deep.equal([]);
  });
});
