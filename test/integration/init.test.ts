// `hello-server init` as a command: what it writes, what it says, and what it refuses without writing anything.

import { spawnSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { documentsOf, problemsOf } from '../helpers/manifest.ts';
import { MAIN, ROOT } from '../helpers/server.ts';

const SHOP = { name: '@acme/shop', version: '1.2.3', dependencies: { 'hello-server': '^1.0.0' } };
const USAGE = 'expected init pm2|systemd|docker|kubernetes|procfile [APP] [--name NAME] [--force], got';

describe('hello-server init', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'hello-server-init-'));
    write('package.json', JSON.stringify(SHOP));
    write('server.js', '');
    mkdirSync(join(folder, 'node_modules'));
    symlinkSync(ROOT, join(folder, 'node_modules', 'hello-server'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const write = (file: string, text: string): void => writeFileSync(join(folder, file), text);
  const read = (file: string): string => readFileSync(join(folder, file), 'utf8');
  const remove = (file: string): void => rmSync(join(folder, file), { recursive: true });
  const init = (args: readonly string[], env: Readonly<Record<string, string>> = {}) => {
    const { PATH, HOME } = process.env;
    const options = { cwd: folder, env: { PATH, HOME, ...env }, encoding: 'utf8', timeout: 10_000 } as const;
    const {
      status: code,
      stdout: out,
      stderr: err,
    } = spawnSync(process.execPath, ['--', MAIN, 'init', ...args], options);
    return { code, out, err };
  };

  it('says what it wrote and what to type next', () => {
    expect(init(['pm2'])).to.deep.equal({
      code: 0,
      out:
        'wrote ecosystem.config.js, to run ./server.js as shop\n' +
        'start it:\n  pm2 start ecosystem.config.js\nreload it:\n  pm2 sendSignal SIGHUP shop\n',
      err: '',
    });
  });

  it('writes a manifest for Kubernetes that is valid, with the settings of the environment and of files', () => {
    write('app.env', 'PORT=8080\nSHUTDOWN_TIMEOUT=30\nSECRET=not-a-setting\n');
    const { code, out, err } = init(['kubernetes', '--env-file', 'app.env'], {
      LOG_LEVEL: 'warn',
      HOST: '127.0.0.1',
    });
    expect([code, err]).to.deep.equal([0, '']);
    expect(out)
      .to.include('docker build -t shop:1.2.3 .\n')
      .and.include('kubectl apply -f kubernetes.yaml\n');
    const documents = documentsOf(read('kubernetes.yaml'));
    expect(documents.flatMap(problemsOf)).to.deep.equal([]);
    const { spec } = (documents[0] as { spec: { template: { spec: Record<string, unknown> } } }).spec
      .template;
    expect(spec.terminationGracePeriodSeconds).to.equal(5 + 30 + 7);
    const [container] = spec.containers as [Record<string, unknown>];
    expect(container).to.deep.include({ name: 'shop', image: 'shop:1.2.3', args: ['./server.js'] });
    expect(container.ports).to.deep.include.members([{ name: 'http', containerPort: 8080 }]);
    const env = Object.fromEntries(
      (container.env as { name: string; value: string }[]).map((it) => [it.name, it.value]),
    );
    expect(env).to.deep.equal({
      SHUTDOWN_DELAY: '5',
      LOG_FORMAT: 'json',
      ADMIN_PORT: '9464',
      ADMIN_HOST: '0.0.0.0',
      PORT: '8080',
      SHUTDOWN_TIMEOUT: '30',
      LOG_LEVEL: 'warn',
    });
  });

  it('gives a manifest for Kubernetes each setting once, and the log, the delay and the admin port that are asked for', () => {
    const asked = { SHUTDOWN_DELAY: '9', LOG_FORMAT: 'text', ADMIN_PORT: '9000', ADMIN_HOST: '127.0.0.1' };
    init(['kubernetes'], asked);
    const lines = [...read('kubernetes.yaml').matchAll(/- name: ([A-Z_]+)\n +value: '?(.*?)'?\n/g)];
    expect(lines.map(([, name, value]) => [name, value])).to.deep.equal([
      ...Object.entries({ ...asked, ADMIN_HOST: '0.0.0.0' }),
      ['PORT', '3000'],
    ]);
  });

  it('writes a Dockerfile with the port of the settings, and leaves a .dockerignore that is there', () => {
    write('.dockerignore', 'mine\n');
    const { out } = init(['docker'], { PORT: '8080', CONTROL_SOCKET: '/tmp/here.sock' });
    expect(out).to.include('wrote Dockerfile, to run ./server.js as shop\n');
    expect(out).to.include('docker run -d -p 8080:8080 --name shop shop\n');
    expect(read('Dockerfile'))
      .to.match(/^ENV .* PORT=8080$/m)
      .and.match(/^EXPOSE 8080$/m)
      .and.not.include('here.sock');
    expect(read('.dockerignore')).to.equal('mine\n');
    expect(init(['docker', '--force'])).to.include({ code: 0 });
    expect(read('.dockerignore')).to.equal('mine\n');
  });

  it('takes the name and the app it is given', () => {
    write('other app.js', '');
    expect(init(['procfile', 'other app.js']).code).to.equal(0);
    expect(read('Procfile')).to.equal(
      "web: exec node node_modules/hello-server/dist/main.js './other app.js'\n",
    );
    expect(init(['pm2', 'other app.js', '--name', 'Other']).out).to.include(
      'to run ./other app.js as Other\n',
    );
  });

  for (const [kind, file, word] of [
    ['pm2', 'ecosystem.config.js', "name: 'shop'"],
    ['docker', 'Dockerfile', '# shop as an image'],
    ['kubernetes', 'kubernetes.yaml', '# shop on Kubernetes'],
    ['procfile', 'Procfile', './server.js'],
  ] as const)
    it(`writes over a file that is there with --force alone: ${kind}`, () => {
      write(file, 'mine');
      const err = `${file} is there already: --force writes over it\n`;
      expect(init([kind])).to.deep.equal({ code: 1, out: '', err });
      expect(read(file)).to.equal('mine');
      expect(init([kind, '--force'])).to.include({ code: 0, err: '' });
      expect(read(file)).to.include(word);
    });

  describe('writes nothing and says in one line', () => {
    const refuses = (args: readonly string[], code: number, err: string, env = {}): void => {
      const before = readdirSync(folder);
      expect(init(args, env)).to.deep.equal({ code, out: '', err: `${err}\n` });
      expect(readdirSync(folder)).to.deep.equal(before);
    };

    for (const kind of ['pm2', 'systemd', 'docker', 'kubernetes', 'procfile'])
      it(`that there is no package.json: ${kind}`, () => {
        remove('package.json');
        refuses([kind], 1, 'package.json: expected one in this folder, got none: npm init -y makes one');
      });

    it('that package.json is none', () => {
      for (const text of ['', '{', '[]', 'null']) {
        write('package.json', text);
        refuses(['pm2'], 1, 'package.json: expected an object in JSON, got something else');
      }
    });

    it('that package.json cannot be read', () => {
      remove('package.json');
      mkdirSync(join(folder, 'package.json'));
      refuses(['pm2'], 1, 'package.json: expected one that can be read, got EISDIR');
    });

    it('that the app is not there', () => {
      refuses(['pm2', 'nope.js'], 1, 'nope.js: expected a module, got no such file');
    });

    it('that nothing tells the app', () => {
      remove('server.js');
      refuses(
        ['docker'],
        1,
        'APP: expected the file of your server, got none, and neither package.json (`start`, `main`) nor a server.js, app.js, index.js or main.js tells it',
      );
    });

    for (const [kind, name] of [
      ['pm2', 'all'],
      ['systemd', 'shop@2'],
      ['docker', 'Shop'],
      ['kubernetes', 'shop_2'],
    ] as const)
      it(`that ${kind} would refuse a name, given or of the package`, () => {
        const { err } = init([kind, '--name', name]);
        expect(err).to.match(/^name: expected .+, got `[\w@]+`: give another with --name NAME\n$/);
        refuses([kind, '--name', name], 1, err.trimEnd());
        write('package.json', JSON.stringify({ ...SHOP, name }));
        refuses([kind], 1, err.trimEnd());
      });

    it('that hello-server is not installed', () => {
      remove('node_modules');
      const missing =
        'hello-server: expected it in the node_modules of this project, got none: npm install hello-server';
      refuses(['pm2'], 1, missing);
    });

    it('that hello-server is no dependency, where it is installed anew', () => {
      write(
        'package.json',
        JSON.stringify({ ...SHOP, dependencies: {}, devDependencies: SHOP.dependencies }),
      );
      const missing =
        'package.json: expected hello-server among its dependencies, got it not: npm install hello-server';
      for (const kind of ['docker', 'procfile']) refuses([kind], 1, missing);
    });

    it('that a service could not see the folder', () => {
      refuses(
        ['systemd'],
        1,
        'expected a folder that a service can see, got one below /tmp, where each has files of its own',
      );
    });

    it('what is wrong with the settings, a line each', () => {
      write('app.env', 'PORT="8080"\n');
      refuses(
        ['pm2', '--env-file', 'app.env'],
        78,
        'app.env line 1: expected NAME=value as Node, systemd and Docker read it alike, got quotes in the value of PORT\n' +
          'SHUTDOWN_TIMEOUT: expected seconds from 0 to 86400, got `soon`',
        { SHUTDOWN_TIMEOUT: 'soon' },
      );
      refuses(['pm2', '--env-file', 'nope.env'], 78, 'nope.env: expected an env file, got no such file');
    });

    it('that a container has to know its port', () => {
      for (const kind of ['docker', 'kubernetes'])
        refuses([kind], 78, `PORT: expected an integer from 1 to 65535 for ${kind}, got \`0\``, {
          PORT: '0',
        });
    });

    it('which kinds there are', () => {
      refuses(['heroku'], 2, `${USAGE} \`init heroku\``);
      refuses([], 2, `${USAGE} \`init\``);
      refuses(['pm2', 'a.js', 'b.js'], 2, `${USAGE} \`init pm2 a.js b.js\``);
      refuses(['pm2', '--name='], 2, `${USAGE} \`init pm2 --name=\``);
    });
  });

  it('explains itself', () => {
    const { code, out } = init(['--help']);
    expect(code).to.equal(0);
    expect(out).to.match(/^Usage: hello-server init pm2\|systemd\|docker\|kubernetes\|procfile \[APP\] /);
  });
});
