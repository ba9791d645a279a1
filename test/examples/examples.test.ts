// Each example is installed, started, asked, reloaded and stopped by the commands of its README.

import { once } from 'node:events';
import { createServer } from 'node:net';
import { expect } from 'chai';
import { type Example, Examples, exampleNames } from '../helpers/example.ts';
import { Postgres } from '../helpers/postgres.ts';

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
