import { expect } from 'chai';
import { startedBy } from '../../src/init/start-script.ts';

const SCRIPTS: readonly [script: string, file: string | undefined][] = [
  ['node server.js', 'server.js'],
  ['node ./bin/www', './bin/www'],
  ['node .', '.'],
  ['/usr/bin/node server.js --port 80', 'server.js'],
  ['NODE_ENV=production node server.js', 'server.js'],
  ['cross-env NODE_ENV=production node server.js', 'server.js'],
  ['exec node --enable-source-maps --import tsx server.ts', 'server.ts'],
  ['node --import=tsx -r dotenv/config "my server.js"', 'my server.js'],
  ['node --env-file .env -- server.js', 'server.js'],
  ['npm run build && node dist/main.js', 'dist/main.js'],
  ['hello-server ./server.js', './server.js'],
  ['npx hello-server start --env-file app.env ./server.js', './server.js'],
  ['node_modules/.bin/hello-server ./server.js -- --an option', './server.js'],
  ['', undefined],
  ['node', undefined],
  ['hello-server', undefined],
  ['hello-server start', undefined],
  ['next start', undefined],
  ['nest start', undefined],
  ['nodemon server.js', undefined],
  ['node server.js && echo done', undefined],
  ['node $SERVER', undefined],
];

describe('the app of a start script', () => {
  for (const [script, file] of SCRIPTS)
    it(`is ${file ?? 'none'} in ${JSON.stringify(script)}`, () => {
      expect(startedBy(script)).to.equal(file);
    });
});
