// docs/containers.md on a Docker engine: the image of a reader's app, that of the repository, Compose and Swarm.

import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { expect } from 'chai';
import { Engine } from '../helpers/engine.ts';
import { freePort } from '../helpers/free-port.ts';
import { block, command, commands, page, tableCommands } from '../helpers/manual.ts';
import { KINDS, Meter, NOTHING_LOST } from '../helpers/meter.ts';
import { losesNothing, nextCommand, UserProject } from '../helpers/project.ts';
import { type Answer, exchange, Raw, request } from '../helpers/raw.ts';
import { eventually, fixture, ROOT } from '../helpers/server.ts';
import { otherNode } from '../helpers/upgrade.ts';

const PORT = 3000;
const START = [
  'Server listening on port 3000',
  'Visit http://localhost:3000 or use curl -v http://localhost:3000',
];
const STOP = ['Received SIGTERM, shutting down gracefully...', 'Server closed successfully'];
/**
 * The clients of the promise, fewer of them with a connection for each request: docker's proxy has a connection of its
 * own for each of those, whose port is not free again for a minute, and after 28 000 ports it resets what comes.
 */
const CLIENTS = KINDS.map((kind) => (kind.fresh ? { ...kind, thinkMs: 60 } : kind));
const REQUEST_LINE = /^\S+ - \S+ \S+$/;

/** Answers with its release, /wait after two seconds, /health with the status given; where that is an error, it is unwell. */
const app = (release: number, health = 200): string => `
export const healthy = () => {
  if (${health} >= 500) throw new Error('it is ill');
};
export default (req, res) => {
  if (req.url === '/health') res.writeHead(${health});
  else res.setHeader('X-Release', '${release}');
  setTimeout(() => res.end('Hello, World!'), req.url === '/wait' ? 2000 : 0);
};
`;

const PAGE = 'docs/containers.md';
/** The page's commands for the app of its reader, those for the image of the repository, and those of its files. */
const COMPOSE = commands(block('docs/containers.md#with-compose:2'));
const CLONE = commands(block('docs/containers.md#hello-from-a-clone-of-hello-server'));
const PROXY = [
  ...commands(block('docs/containers.md#behind-haproxy')),
  ...commands(block('docs/containers.md#behind-haproxy:2')),
  ...commands(block('docs/containers.md#several-machines-with-swarm')),
];
/** An app of its own on top of the repository's image. */
const ON_TOP = block('docs/containers.md#hello-from-a-clone-of-hello-server:2');

describe('in containers', function () {
  this.timeout(300_000);
  const engine = new Engine();
  const ran = new Set<string>();
  /** Runs the command of the page that begins so, as it stands, in the folder of the clone. */
  const shown = (start: string): Promise<string> => {
    const line = [...CLONE, ...PROXY].find((one) => one.startsWith(start));
    if (line === undefined) throw new Error(`expected a command \`${start} ...\` in ${PAGE}`);
    ran.add(line);
    return engine.line(line);
  };
  const answer = (port = PORT): Promise<Answer> => exchange(port, request('GET', '/', 'Connection: close'));
  const serves = (what = 'it serves', port = PORT): Promise<void> =>
    eventually(async () => (await answer(port).catch(() => undefined))?.status === 200, what, 60_000);
  /** Lines of a log, those of requests apart: workers say them when they like, and docker's own check asks too. */
  const apart = (log: string): string[] =>
    log.split('\n').filter((line) => line !== '' && !REQUEST_LINE.test(line));
  const lines = async (name: string): Promise<string[]> => apart(await engine.logs(name));
  const remove = async (): Promise<void> => {
    const { stdout } = await engine.docker('ps', '-aq');
    for (const id of stdout.split('\n').filter(Boolean)) await engine.docker('rm', '-f', id);
  };

  before(async function () {
    this.timeout(600_000);
    await engine.boot();
    await shown('docker build -t hello-server .');
    await engine.build('an-app', ON_TOP, {
      'my-app.js': app(1),
    });
  });
  after(() => engine.stop());

  describe('the image', () => {
    afterEach(remove);

    it('has what runs and nothing else, runs as nobody special, and adds little to its base', async () => {
      const of = (format: string): Promise<string> => engine.inspect('hello-server', format);
      expect(await of('{{.Config.User}} {{.Config.StopSignal}} {{json .Config.Entrypoint}}')).to.equal(
        '1000:1000 SIGTERM ["hello-server"]',
      );
      expect(await of('{{json .Config.ExposedPorts}}')).to.equal('{"3000/tcp":{}}');
      expect(await of('{{json .Config.Healthcheck.Test}}')).to.match(/^\["CMD","node",/);
      const { stdout } = await engine.docker(
        'run',
        '--rm',
        '--entrypoint',
        'ls',
        'hello-server',
        'node_modules',
      );
      const { dependencies, devDependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
      expect(stdout.split('\n')).to.include.members(Object.keys(dependencies));
      expect(stdout.split('\n')).not.to.include.oneOf(Object.keys(devDependencies));
      const [base, image] = [await engine.inspect('node:24-slim', '{{.Size}}'), await of('{{.Size}}')].map(
        Number,
      );
      const added = (Number(image) - Number(base)) / 1e6;
      console.log(`      base ${Math.round(Number(base) / 1e6)} MB, the image adds ${added.toFixed(1)} MB`);
      expect(page(PAGE)).to.include('The image adds less than 3.5 MB');
      expect(added).to.be.lessThan(3.5);
    });

    it('serves, says the lines of a start and a stop, and is healthy', async () => {
      await shown('docker run -d -p 3000:3000 --name');
      await serves();
      expect((await answer()).body).to.equal('Hello, World!');
      await eventually(async () => (await lines('hello-server')).length === 2, 'all workers are ready');
      expect(await lines('hello-server')).to.deep.equal(START);
      await eventually(
        async () => /^\S+Z - GET \/$/m.test(await engine.logs('hello-server')),
        'the line of the request',
      );
      expect(await engine.line('docker exec hello-server cat /proc/1/comm')).to.match(/node|MainThread/);
      await eventually(
        async () => (await engine.inspect('hello-server', '{{.State.Health.Status}}')) === 'healthy',
        'the container is healthy',
        30_000,
      );
      const followed = shown('docker logs -f');
      await shown('docker stop hello-server');
      expect(apart(await followed)).to.deep.equal([...START, ...STOP]);
      expect(await engine.inspect('hello-server', '{{.State.ExitCode}}')).to.equal('0');
    });

    it('answers in a stop what it was asked before, within docker’s 10 s', async () => {
      await engine.line('docker run -d -p 3000:3000 --name hello-server an-app');
      await serves();
      const client = await Raw.open(PORT);
      client.send('GET /wait HTTP/1.1\r\nHost: localhost\r\n\r\n');
      await eventually(
        async () =>
          JSON.parse(await engine.line('docker exec hello-server hello-server status --json')).workers.some(
            (worker: { inFlight: number }) => worker.inFlight === 1,
          ),
        'the request is in flight',
      );
      await engine.line('docker stop hello-server');
      const { status, headers } = await client.answer();
      expect([status, headers.connection]).to.deep.equal([200, 'close']);
      expect(await engine.inspect('hello-server', '{{.State.ExitCode}}')).to.equal('0');
    });

    it('reloads by a command in the container and by HUP, and loses nothing', async () => {
      await engine.line('docker run -d -p 3000:3000 --name hello-server hello-server');
      await serves();
      const meter = new Meter(PORT);
      await engine.line('docker exec hello-server hello-server reload');
      await engine.line('docker kill -s HUP hello-server');
      await eventually(
        async () => /reloaded: generation 3 /.test(await engine.logs('hello-server')),
        'the second reload is over',
        60_000,
      );
      expect(await meter.stop()).to.include(NOTHING_LOST);
      expect(await engine.line('docker exec hello-server hello-server status')).to.match(/pid 1,/);
      expect(await engine.logs('hello-server')).to.match(/reloaded: generation 2 /);
    });

    it('is upgraded by a command in the container, and process 1 stays what it is', async () => {
      await engine.line('docker run -d -p 3000:3000 --name hello-server hello-server');
      await serves();
      const meter = new Meter(PORT);
      for (const generation of [3, 5])
        expect(await engine.line('docker exec hello-server hello-server upgrade')).to.match(
          new RegExp(`^renewed hello-server .*: generation ${generation} serves$`, 'm'),
        );
      expect(await meter.stop()).to.include(NOTHING_LOST);
      expect(await engine.line('docker exec hello-server hello-server status')).to.match(/pid 1,/);
      await engine.line('docker stop hello-server');
      expect(await engine.inspect('hello-server', '{{.State.ExitCode}}')).to.equal('0');
      expect(await engine.logs('hello-server')).to.match(/Server closed successfully\n/);
    });

    it('is not upgraded on a Node that would have to end for it', async () => {
      await engine.build('old', 'FROM hello-server\nCOPY node /usr/local/bin/node\n', {
        node: readFileSync(otherNode(20)),
      });
      await engine.line('docker run -d -p 3000:3000 --name hello-server old');
      await serves();
      const { status, stderr } = await engine.docker('exec', 'hello-server', 'hello-server', 'upgrade');
      expect(status).to.equal(1);
      expect(stderr).to.match(
        /^upgrade abandoned: this is process 1, whose end is that of its container, .*\n$/,
      );
      await serves();
    });

    it('has as many workers as the CPU quota allows', async () => {
      await engine.line('docker run -d -p 3000:3000 --name hello-server --cpus 0.5 hello-server');
      await serves();
      expect(await engine.line('docker exec hello-server hello-server status')).to.match(
        /1 of 1 workers ready/,
      );
    });

    for (const version of [20, 24])
      it(`keeps an app that leaks within 512 MiB on Node ${version}: nothing is killed, and of 100 answers one is lost at most`, async () => {
        await engine.build(
          `leaks:${version}`,
          'FROM hello-server\nCOPY node /usr/local/bin/node\nWORKDIR /srv/app\nCOPY leaks.js .\nCMD ["./leaks.js"]\n',
          { 'leaks.js': readFileSync(fixture('leaks.js'), 'utf8'), node: readFileSync(otherNode(version)) },
        );
        await engine.line(
          'docker run -d -p 3000:3000 --name hello-server --memory 512m -e WEB_CONCURRENCY=3 -e LOG_LEVEL=debug ' +
            `leaks:${version}`,
        );
        await serves();
        const tally = { answered: 0, lost: 0 };
        for (let asked = 0; asked < 100; asked++) {
          const { status } = await answer().catch(() => ({ status: 0 }));
          if (status === 200) tally.answered++;
          else tally.lost++;
          await setTimeout(700);
        }
        const log = await engine.logs('hello-server');
        // Replacements in quick succession are not logged each; that their workers are ready is.
        const ready = log.match(/^worker \d \(pid \d+\) ready after /gm) ?? [];
        const replaced = ready.length - 3;
        const killed = await engine.line(
          'docker exec hello-server sh -c "cat /sys/fs/cgroup/memory/memory.oom_control /sys/fs/cgroup/memory.events 2>/dev/null || true"',
        );
        const kills = Number(/^oom_kill (\d+)$/m.exec(killed)?.[1]);
        console.log(`      ${JSON.stringify({ ...tally, kills, replaced })}`);
        expect(log).to.match(/^each of 3 workers has a share of 113 MiB of the 512 MiB of memory/m);
        expect(log).to.match(/^replacing worker \d \(pid \d+\): its (RSS|heap) of \d+ MiB is above /m);
        expect(replaced).to.be.above(3);
        expect(kills).to.equal(0);
        expect(tally.lost).to.be.at.most(1);
      });

    it('needs no capability and no file system to write on', async () => {
      const flags = '--read-only --cap-drop ALL --security-opt no-new-privileges';
      expect(page(PAGE)).to.include(flags);
      await engine.line(`docker run -d -p 3000:3000 --name hello-server ${flags} hello-server`);
      await serves();
      await engine.line('docker exec hello-server hello-server status');
      await eventually(async () => (await lines('hello-server')).length === 2, 'all workers are ready');
      expect(await lines('hello-server')).to.deep.equal(START);
    });

    it('respawns a killed worker and leaves no zombie', async () => {
      await engine.line('docker run -d -p 3000:3000 --name hello-server hello-server');
      await serves();
      await engine.line(`docker exec hello-server node -e "
        const { workers } = JSON.parse(require('child_process').execFileSync('hello-server', ['status', '--json']));
        process.kill(workers[0].pid, 'SIGKILL');"`);
      await eventually(
        async () => /respawning/.test(await engine.logs('hello-server')),
        'the worker is respawned',
      );
      await serves();
      await engine.line('docker exec hello-server hello-server status');
      const states = async (): Promise<string> =>
        (await engine.docker('top', 'hello-server', '-o', 'pid,stat')).stdout;
      await eventually(async () => !/ Z/.test(await states()), 'no zombie is left');
    });

    it('is unhealthy when its app answers /health with an error', async () => {
      await engine.build('ill-app', 'FROM hello-server\nCOPY . .\nCMD ["./my-app.js"]\n', {
        'my-app.js': app(1, 500),
      });
      await engine.line('docker run -d --name hello-server ill-app');
      const check = (): Promise<{ status: number | null; stderr: string }> =>
        engine.docker('exec', 'hello-server', 'node', '/app/scripts/healthcheck.js');
      await eventually(async () => /500/.test((await check()).stderr), 'the check finds the error');
      const { status, stderr } = await check();
      expect([status, stderr]).to.deep.equal([1, '/health answered 500\n']);
    });

    it('is unhealthy by its admin listener when its app says that it is unwell', async () => {
      await engine.line('docker run -d --name hello-server -e ADMIN_PORT=9464 ill-app');
      const check = (): Promise<{ status: number | null; stderr: string }> =>
        engine.docker('exec', 'hello-server', 'node', '/app/scripts/healthcheck.js');
      await eventually(async () => /503/.test((await check()).stderr), 'the check finds that it is unwell');
      const { status, stderr } = await check();
      expect([status, stderr]).to.deep.equal([1, '/readyz answered 503\n']);
    });

    it('keeps the contract of Cloud Run and App Service: PORT, TERM, 10 s, json on stdout', async () => {
      const id = await engine.line('docker run -d -p 8080:8080 -e PORT=8080 hello-server');
      await serves('it serves on PORT', 8080);
      await engine.line(`docker stop -t 10 ${id}`);
      expect(await engine.inspect(id, '{{.State.ExitCode}}')).to.equal('0');
      const json = await engine.line(
        'docker run -d -p 8080:8080 -e PORT=8080 -e LOG_FORMAT=json hello-server',
      );
      await serves('it serves on PORT', 8080);
      await engine.line(`docker stop -t 10 ${json}`);
      const { stdout } = await engine.docker('logs', json);
      const messages = stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line).msg);
      expect(messages).to.include.members(['request', ...STOP]);
    });

    it('says in one line that a port is taken, by docker or by itself', async () => {
      await engine.line('docker run -d -p 3000:3000 hello-server');
      const { status, stderr } = await engine.docker('run', '-d', '-p', '3000:3000', 'hello-server');
      expect([status, stderr]).to.match(/125,.*port is already allocated/);
      await remove();
      const other = createServer().listen(PORT);
      try {
        await engine.docker('run', '--name', 'hello-server', '--network', 'host', 'hello-server');
      } finally {
        other.close();
      }
      expect(await lines('hello-server')).to.deep.equal(['Port 3000 is already in use']);
      expect(await engine.inspect('hello-server', '{{.State.ExitCode}}')).to.equal('1');
    });

    it('says in one line that an env file is missing', async () => {
      const { status, stderr } = await engine.docker('run', '--env-file', 'nope.env', 'hello-server');
      expect([status, stderr]).to.match(/125,.*nope\.env: no such file/);
    });

    it('says in one line that the app is not in the image, and docker restarts it ever more slowly', async () => {
      const began = Date.now();
      await engine.line('docker run -d --name hello-server --restart unless-stopped hello-server ./nope.js');
      const restarts = async (): Promise<number> =>
        Number(await engine.inspect('hello-server', '{{.RestartCount}}'));
      await eventually(async () => (await restarts()) >= 5, 'docker has restarted it five times', 60_000);
      // 0.1 + 0.2 + 0.4 + 0.8 s; docker counts the fifth before it waits 1.6 s for it.
      expect(Date.now() - began).to.be.greaterThan(1500);
      await engine.line('docker stop hello-server');
      expect(new Set(await lines('hello-server'))).to.deep.equal(
        new Set(['./nope.js: expected a module, got no such file']),
      );
      expect(await engine.inspect('hello-server', '{{.State.ExitCode}}')).to.equal('78');
    });
  });

  describe('an app of a user', () => {
    let project: UserProject;
    afterEach(remove);
    /** Runs what the user types in the folder of the app. */
    const types = (line: string): Promise<string> => {
      ran.add(line);
      return engine.line(line, project.folder);
    };
    const answers = async (port = PORT): Promise<void> => {
      await serves('the app serves', port);
      expect((await answer(port)).body).to.equal('Hello from Express');
    };
    const reloads = (line: string, generation: number): Promise<void> =>
      losesNothing(
        PORT,
        async () => {
          await types(line);
          await eventually(
            async () => (await engine.logs('shop')).includes(`reloaded: generation ${generation} serves`),
            `generation ${generation} serves`,
            30_000,
          );
        },
        CLIENTS,
      );
    const stops = async (): Promise<void> => {
      await types(command('docs/containers.md', 'docker stop shop'));
      expect(await engine.inspect('shop', '{{.State.ExitCode}}')).to.equal('0');
      expect(await engine.logs('shop')).to.match(/^Server closed successfully$/m);
    };

    describe('who reads README.md in an empty folder', () => {
      const [init = '', build = '', run = '', reload = ''] = commands(
        block('README.md#under-pm2-systemd-or-docker:3'),
      );
      before(async () => {
        project = new UserProject();
        await (await project.isReaders()).installs();
      });
      after(() => project.remove());

      it('is an Express app in an image, and is reloaded without a loss', async () => {
        const out = await types(init);
        expect(out).to.include('wrote Dockerfile and .dockerignore, to run ./server.js as shop\n');
        expect(nextCommand(out, 'build it')).to.equal(build);
        expect(nextCommand(out, 'start it')).to.equal(run);
        expect(nextCommand(`${out}\n`, 'reload it')).to.equal(reload);
        await types(build);
        await types(run);
        await answers();
        await reloads(reload, 2);
        await eventually(
          async () => (await engine.inspect('shop', '{{.State.Health.Status}}')) === 'healthy',
          'the container is healthy',
          30_000,
        );
      });

      it('is steered by the commands of the page, which begins as README.md does, and keeps a Dockerfile', async () => {
        const [again = '', ...rest] = commands(block('docs/containers.md#make-an-image-of-your-app'));
        const kept = await engine.run('sh', '-c', `cd "$0" && ${again}`, project.folder);
        expect([kept.status, kept.stderr]).to.match(/^1,Dockerfile is there already: --force /);
        expect(rest).to.deep.equal([build, run, reload]);
        await types(command('docs/containers.md', 'docker run -d -p 3000:3000 --name shop shop'));
        await answers();
        await reloads(command('docs/containers.md', 'docker exec shop hello-server reload'), 2);
        await reloads(command('docs/containers.md', 'docker kill -s HUP shop'), 3);
        const status = await types(command('docs/containers.md', 'docker exec shop hello-server status'));
        expect(status).to.match(/ (\d+) of \1 workers ready/);
        const followed = types(command('docs/containers.md', 'docker logs -f shop'));
        await stops();
        // Docker ends this with the container, even where it has not come to the end of a long log.
        expect(await followed).to.match(/^Server listening on port 3000$/m);
      });

      it('has its settings from the command and from a file, and the command line behind its image', async () => {
        project.write('shop.env', 'SHUTDOWN_TIMEOUT=3\n');
        for (const line of commands(block('docs/containers.md#settings'))) await types(line);
        await answers(8080);
        expect(await engine.line('docker exec shop printenv SHUTDOWN_TIMEOUT')).to.equal('3');
        expect(await engine.line('docker run --rm shop --help')).to.match(/^Usage: hello-server /);
      });

      it('runs under Compose by the file of the page, and is reloaded without a loss', async () => {
        project.write('compose.yaml', block('docs/containers.md#with-compose'));
        const [up = '', inside = '', down = ''] = COMPOSE;
        await types(up);
        await answers();
        await losesNothing(PORT, async () => void (await types(inside)), CLIENTS);
        await types(down);
        expect(await engine.line('docker ps -q')).to.equal('');
      });

      it('runs by the Dockerfile that the page has for who writes it alone', async () => {
        project.write('Dockerfile', block('docs/containers.md#your-own-dockerfile'));
        await types(build);
        await types(run);
        await answers();
        await reloads(reload, 2);
        await stops();
      });
    });

    it('that is built is built in the image, with an odd name, a longer stop and its settings in a file', async () => {
      const server = "dist/it's my server.js";
      project = new UserProject().install();
      const { folder } = project;
      const build = `scripts.build=mkdir -p dist && cp server.js "${server}"`;
      await engine.run('npm', 'pkg', 'set', build, '--prefix', folder);
      await engine.run('npm', 'run', 'build', '--prefix', folder);
      const port = await freePort();
      project.write('my settings.env', `PORT=${port}\nSHUTDOWN_DELAY=0.5\nSHUTDOWN_TIMEOUT=20\n`);
      const { out, err } = project.init(['docker', server, '--env-file', 'my settings.env']);
      expect(err).to.equal('');
      expect(out).to.include(`wrote Dockerfile and .dockerignore, to run ./${server} as shop\n`);
      await engine.line(nextCommand(out, 'build it'), folder);
      await engine.line(nextCommand(out, 'start it'), folder);
      await answers(port);
      expect(await engine.inspect('shop', '{{.Config.StopTimeout}} {{.Config.User}}')).to.equal(
        '23 1000:1000',
      );
      expect(await engine.line('docker exec shop ls -A /app')).to.not.match(
        /^(Dockerfile|\.dockerignore|my settings\.env)$/m,
      );
      await engine.line(nextCommand(out, 'reload it'));
      await stops();
      project.remove();
    });
  });

  describe('behind HAProxy', () => {
    before(async () => {
      await shown('openssl');
      await shown('cat deploy/tls.crt');
    });

    describe('under Compose', () => {
      after(() => shown('docker compose down'));

      it('serves on both ports, with TLS', async () => {
        engine.env = { RATE_LIMIT: '50' };
        await shown('docker compose up');
        await serves('HAProxy finds a replica');
        expect(await shown('curl http')).to.equal('Hello, World!');
        expect(await shown('curl -k https')).to.equal('Hello, World!');
      });

      it('refuses the requests beyond the rate limit with 429', async () => {
        const statuses = new Set<number>();
        for (let i = 0; i < 60; i++) statuses.add((await answer()).status);
        expect(statuses).to.deep.equal(new Set([200, 429]));
      });

      it('says in one line that the env file is missing', async () => {
        await engine.line('mv deploy/hello-server.env deploy/away.env');
        const { status, stderr } = await engine.run('docker-compose', 'up', '-d');
        await engine.line('mv deploy/away.env deploy/hello-server.env');
        expect(status).not.to.equal(0);
        expect(stderr).to.match(/Couldn't find env file: .*deploy\/hello-server\.env/);
      });
    });

    describe('under Swarm', () => {
      const SERVICE = 'hello_hello-server';
      const ALIVE = 'docker service ps -q -f desired-state=running';
      /** Runs an update while the meter's clients ask; tells the tally and how the update ended. */
      const update = async (act: () => Promise<unknown>): Promise<[object, string]> => {
        const meter = new Meter(PORT, CLIENTS);
        await act();
        const state = (): Promise<string> =>
          engine.line(`docker service inspect -f '{{.UpdateStatus.State}}' ${SERVICE}`);
        await eventually(async () => /completed$/.test(await state()), 'the update is over', 200_000);
        const tally = await meter.stop();
        console.log(`      ${JSON.stringify(tally)}`, ...meter.losses.slice(0, 3));
        return [tally, await state()];
      };
      const release = async (): Promise<string | undefined> => (await answer()).headers['x-release'];
      /** The update of the page, to another image. */
      const updateTo = (image: string): Promise<unknown> => {
        const line = PROXY.find((one) => one.startsWith('docker service update')) ?? '';
        return engine.run('sh', '-c', line.replace('hello-server:2', image));
      };

      before(async () => {
        await engine.build('hello-server:2', ON_TOP, { 'my-app.js': app(2) });
        await engine.build('hello-server:without-app', ON_TOP.replace('my-app', 'nope'));
        await engine.build('hello-server:ill', ON_TOP, { 'my-app.js': app(3, 500) });
        engine.env = { RATE_LIMIT: '1000000000' };
        await shown('docker swarm init');
        await shown('docker stack deploy');
        await eventually(
          async () => (await engine.line('docker service ls -f name=hello_hello-server')).includes('2/2'),
          'two replicas run',
          120_000,
        );
        await serves('HAProxy finds a replica');
      });
      after(async () => {
        await shown('docker stack rm');
        await eventually(
          async () => (await engine.line('docker ps -q')) === '',
          'all containers are gone',
          60_000,
        );
        await shown('docker swarm leave');
      });

      it('loses no request in an update to a new image', async () => {
        const [tally, state] = await update(() => shown('docker service update'));
        expect(tally).to.include(NOTHING_LOST);
        expect([state, await release()]).to.deep.equal(['completed', '2']);
      });

      it('rolls an image without the app back and loses no request', async () => {
        const [tally, state] = await update(() => updateTo('hello-server:without-app'));
        expect(tally).to.include(NOTHING_LOST);
        expect([state, await release()]).to.deep.equal(['rollback_completed', '2']);
        const ended = await engine.line('docker ps -a -q -f ancestor=hello-server:without-app -f exited=78');
        for (const id of ended.split('\n'))
          expect(await lines(id)).to.deep.equal(['./nope.js: expected a module, got no such file']);
      });

      it('rolls an image that never gets healthy back and loses no request', async () => {
        const [tally, state] = await update(() => updateTo('hello-server:ill'));
        expect(tally).to.include(NOTHING_LOST);
        expect([state, await release()]).to.deep.equal(['rollback_completed', '2']);
        expect((await engine.line(`${ALIVE} ${SERVICE}`)).split('\n')).to.have.lengthOf(2);
      });
    });
  });

  describe('the page', () => {
    it('has no command that was not run', () => {
      const settings = commands(block('docs/containers.md#settings'));
      const all = [...tableCommands(PAGE), ...settings, ...COMPOSE, ...CLONE, ...PROXY];
      expect(all.filter((one) => !ran.has(one))).to.deep.equal([]);
    });
  });
});
