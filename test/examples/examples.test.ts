// Each example is installed, started, asked, reloaded and stopped by the commands of its README.

import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect } from 'chai';
import { type Example, Examples, exampleFile, exampleNames } from '../helpers/example.ts';
import { Postgres } from '../helpers/postgres.ts';
import { get } from '../helpers/raw.ts';

/** What an example says when it shuts down in its own way. */
const OWN_SHUTDOWN: Readonly<Record<string, string>> = {
  fastify: 'Fastify closed',
  nest: 'shut down on SIGTERM',
};
/** What a README says of an example that can be changed at once. */
const CHANGE = 'Change the greeting in `server.js` and reload';

describe('the example', function () {
  this.timeout(180_000);
  let examples: Examples;
  let database: Postgres;
  before(async () => {
    examples = new Examples();
    database = await Postgres.start();
  });
  after(async () => {
    await database.stop();
    examples.remove();
  });

  for (const name of exampleNames()) {
    describe(name, () => {
      let example: Example;
      before(async () => {
        example = await examples.install(name, database.env);
      });

      it('does what its README says, and loses nothing in the reload', () => example.walk());

      const words = OWN_SHUTDOWN[name];
      if (words)
        it('shuts down in its own way once in each worker, in a reload and in a stop', async () => {
          const server = await example.serve({ WEB_CONCURRENCY: '2' });
          await example.reload(server);
          await example.stop(server);
          expect(server.out.split(words), server.log).to.have.length(1 + 4);
        });

      if (exampleFile(name, 'README.md').includes(CHANGE))
        it('says what has been changed after a reload', async () => {
          const server = await example.serve();
          const file = join(example.folder, 'server.js');
          writeFileSync(file, readFileSync(file, 'utf8').replace('Hello from', 'Good day from'));
          await example.reload(server);
          expect((await get(server)).body).to.match(/^Good day from /);
          await example.stop(server);
        });

      it('stops in order on a Ctrl-C', async () => {
        const server = await example.serve();
        server.interrupt();
        await server.end();
        expect(server.out, server.log).to.match(
          /\nReceived SIGINT, shutting down gracefully...\n(.*\n)*Server closed successfully\n/,
        );
        expect(server.err).to.equal('');
      });

      it('says in one line that its port is taken', async () => {
        const other = createServer().listen(0);
        await once(other, 'listening');
        const address = other.address();
        const port = String(typeof address === 'object' && address?.port);
        try {
          const server = example.launch('npm start', { PORT: port });
          expect((await server.end()).code).to.equal(1);
          expect(server.err).to.equal(`Port ${port} is already in use\n`);
        } finally {
          other.close();
        }
      });
    });
  }
});
