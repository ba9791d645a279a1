import { expect } from 'chai';
import { readCommandLine } from '../src/command-line.ts';

const COMMANDS = [
  'start',
  'dev',
  'status',
  'top',
  'metrics',
  'reload',
  'rollback',
  'scale',
  'profile',
  'heap',
  'stop',
  'init',
];
const PROFILE = 'profile [--worker N] [--seconds S] [-o FILE] with S an integer from 1 to 300';
const read = (line: string) => readCommandLine(line === '' ? [] : line.split(' '));

describe('the command line', () => {
  it('starts APP, Hello without one, with or without the word start', () => {
    expect(read('')).to.deep.equal({ asked: 'start', app: undefined });
    expect(read('start')).to.deep.equal({ asked: 'start', app: undefined });
    expect(read('./app.js')).to.deep.equal({ asked: 'start', app: './app.js' });
    expect(read('start ./app.js')).to.deep.equal({ asked: 'start', app: './app.js' });
    expect(read('./status')).to.deep.equal({ asked: 'start', app: './status' });
    expect(read('start ./app.js -- --a b --')).to.deep.equal({
      asked: 'start',
      app: './app.js',
      args: ['--a', 'b', '--'],
    });
    expect(read('status -- x')).to.deep.include({ asked: 'nothing' });
    expect(read('-- x')).to.deep.include({ asked: 'nothing' });
    expect(read('constructor')).to.deep.equal({ asked: 'start', app: 'constructor' });
  });

  it('reads dev, which takes what start takes, and needs an APP', () => {
    expect(read('dev ./app.ts')).to.deep.equal({ asked: 'start', app: './app.ts', dev: true });
    expect(read('dev --env-file a.env app.ts -- --a')).to.deep.equal({
      asked: 'start',
      app: 'app.ts',
      dev: true,
      args: ['--a'],
      envFiles: ['a.env'],
    });
  });

  it('knows every command', () => {
    for (const [line, asked] of [
      ['status', { json: false, watch: false }],
      ['status --json', { json: true, watch: false }],
      ['status --watch', { json: false, watch: true }],
      ['status --watch --json', { json: true, watch: true }],
    ] as const)
      expect(read(line)).to.deep.equal({ asked: 'command', command: { name: 'status', ...asked } });
    expect(read('top')).to.deep.equal({ asked: 'command', command: { name: 'top', json: false } });
    expect(read('top --json')).to.deep.equal({ asked: 'command', command: { name: 'top', json: true } });
    expect(read('rollback')).to.deep.equal({ asked: 'command', command: { name: 'rollback' } });
    expect(read('metrics')).to.deep.equal({ asked: 'command', command: { name: 'metrics' } });
    expect(read('reload')).to.deep.equal({ asked: 'command', command: { name: 'reload', force: false } });
    expect(read('reload --force')).to.deep.equal({
      asked: 'command',
      command: { name: 'reload', force: true },
    });
    expect(read('scale 4')).to.deep.equal({ asked: 'command', command: { name: 'scale', workers: 4 } });
    expect(read('stop')).to.deep.equal({ asked: 'command', command: { name: 'stop' } });
    const profile = { name: 'profile', worker: undefined, seconds: 10, file: undefined };
    expect(read('profile')).to.deep.equal({ asked: 'command', command: profile });
    for (const line of ['profile --worker 3 --seconds 30 -o x', 'profile --output=x --seconds=30 --worker=3'])
      expect(read(line)).to.deep.equal({
        asked: 'command',
        command: { name: 'profile', worker: 3, seconds: 30, file: 'x' },
      });
  });

  it('reads init', () => {
    const wish = { kind: 'pm2', app: undefined, name: undefined, force: false };
    expect(read('init pm2')).to.deep.equal({ asked: 'init', wish });
    expect(read('init docker x.js --name shop --force --env-file a.env')).to.deep.equal({
      asked: 'init',
      wish: { kind: 'docker', app: 'x.js', name: 'shop', force: true },
      envFiles: ['a.env'],
    });
  });

  it('reads heap', () => {
    const heap = { name: 'heap', worker: undefined, force: false, file: undefined };
    expect(read('heap')).to.deep.equal({ asked: 'command', command: heap });
    for (const line of ['heap --worker 3 --force -o -', 'heap --output=- --force --worker=3'])
      expect(read(line)).to.deep.equal({
        asked: 'command',
        command: { name: 'heap', worker: 3, force: true, file: '-' },
      });
  });

  for (const name of COMMANDS) {
    it(`has help of its own for ${name}`, () => {
      const help = read(`${name} --help`);
      expect(help.asked).to.equal('print');
      expect(help.asked === 'print' && help.text).to.match(
        new RegExp(`^Usage: hello-server ${name}[^]{80,}\\n$`),
      );
    });
  }

  it('answers --help, which names every command, and --version', () => {
    const help = read('--help');
    for (const name of COMMANDS)
      expect(help.asked === 'print' && help.text).to.match(new RegExp(`hello-server \\[?${name}\\b`));
    expect(read('--version')).to.deep.equal({ asked: 'version' });
  });

  it('takes env files anywhere before --, with every command', () => {
    const envFiles = ['a.env', 'b.env'];
    for (const line of [
      '--env-file a.env --env-file=b.env x.js',
      'start x.js --env-file a.env --env-file b.env',
    ])
      expect(read(line)).to.deep.equal({ asked: 'start', app: 'x.js', envFiles });
    expect(read('--env-file a.env status --env-file b.env')).to.deep.include({ asked: 'command', envFiles });
    expect(read('x.js -- --env-file a.env')).to.deep.equal({
      asked: 'start',
      app: 'x.js',
      args: ['--env-file', 'a.env'],
    });
  });

  for (const [line, expected] of [
    ['--port', 'expected --env-file FILE, --help or --version, got `--port`'],
    ['--env-file', 'expected --env-file FILE, got `--env-file`'],
    ['--env-file=', 'expected --env-file FILE, got `--env-file=`'],
    ['--env-file --help', 'expected --env-file FILE, got `--env-file --help`'],
    ['a.js b.js', 'expected one APP, got `a.js b.js`'],
    ['start a.js b.js', 'expected start [--env-file FILE] [APP], got `start a.js b.js`'],
    ['start --port', 'expected start [--env-file FILE] [APP], got `start --port`'],
    ['dev', 'expected dev [--env-file FILE] APP, got `dev`'],
    ['dev a.js b.js', 'expected dev [--env-file FILE] APP, got `dev a.js b.js`'],
    ['scale', 'expected scale N with N an integer from 1 to 512, got `scale`'],
    ['scale -1', 'expected scale N with N an integer from 1 to 512, got `scale -1`'],
    ['scale 513', 'expected scale N with N an integer from 1 to 512, got `scale 513`'],
    ['status --json=yes', 'expected status [--json] [--watch], got `status --json=yes`'],
    ['status --watch 5', 'expected status [--json] [--watch], got `status --watch 5`'],
    ['top --watch', 'expected top [--json], got `top --watch`'],
    ['top 5', 'expected top [--json], got `top 5`'],
    ['metrics --json', 'expected metrics, got `metrics --json`'],
    ['reload --force=1', 'expected reload [--force], got `reload --force=1`'],
    ['profile --seconds 0', `expected ${PROFILE}, got \`profile --seconds 0\``],
    ['profile --seconds 301', `expected ${PROFILE}, got \`profile --seconds 301\``],
    ['profile --worker x', `expected ${PROFILE}, got \`profile --worker x\``],
    ['profile --worker -1', `expected ${PROFILE}, got \`profile --worker -1\``],
    ['profile -o', `expected ${PROFILE}, got \`profile -o\``],
    ['profile 1', `expected ${PROFILE}, got \`profile 1\``],
    ...['heap --worker x', 'heap -o', 'heap now', 'heap --seconds 3'].map(
      (line) => [line, `expected heap [--worker N] [-o FILE] [--force], got \`${line}\``] as const,
    ),
    ...['init', 'init heroku', 'init pm2 a.js b.js', 'init pm2 --port 80'].map(
      (line) =>
        [
          line,
          `expected init pm2|systemd|docker|kubernetes|procfile [APP] [--name NAME] [--force], got \`${line}\``,
        ] as const,
    ),
    ['stop now', 'expected stop, got `stop now`'],
    ['stop \u001b[2J', 'expected stop, got `stop \\x1b[2J`'],
  ] as const) {
    it(`names what it expected instead of ${JSON.stringify(line)}`, () => {
      expect(read(line)).to.deep.equal({ asked: 'nothing', problem: expected });
    });
  }
});
