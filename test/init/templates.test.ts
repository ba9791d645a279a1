// How each template writes what is the user's: no path and no setting ends a word early, or becomes something else.

import { expect } from 'chai';
import { parse } from 'yaml';
import { delivered } from '../../src/init/delivered.ts';
import { dockerfile } from '../../src/init/templates/dockerfile.ts';
import { ecosystem } from '../../src/init/templates/ecosystem.ts';
import { manifest } from '../../src/init/templates/kubernetes.ts';
import { procfile } from '../../src/init/templates/procfile.ts';
import { unitPath, unitWord } from '../../src/init/templates/unit.ts';

const ODD = `./it's "50%" $HOME \\ café.js`;

describe('the templates', () => {
  it('of a unit: a word of a command is one word to systemd, with no variable and no specifier in it', () => {
    expect(unitWord('/srv/shop/server.js')).to.equal('/srv/shop/server.js');
    expect(unitWord('/srv/my shop')).to.equal('"/srv/my shop"');
    expect(unitWord('/srv/100%')).to.equal('/srv/100%%');
    expect(unitWord('$HOME')).to.equal('$$HOME');
    expect(unitWord('a;b')).to.equal('"a;b"');
    expect(unitWord(ODD)).to.equal(`"./it's \\"50%%\\" $$HOME \\\\ café.js"`);
    expect(unitWord('')).to.equal('""');
  });

  it('of a unit: a setting keeps its $, as Environment= knows no variables', () => {
    expect(unitWord('HOST=$a b', 'Environment')).to.equal('"HOST=$a b"');
  });

  it('of a unit: a path that is a whole line is written as it is, % apart', () => {
    expect(unitPath("/srv/my 100% shop's")).to.equal("/srv/my 100%% shop's");
  });

  it('of pm2: strings are what they were', () => {
    for (const modules of ['esm', 'commonjs'] as const) {
      const values = {
        name: 'shop',
        main: 'm.js',
        app: ODD,
        envFiles: [ODD],
        settings: { HOST: ODD },
        modules,
      };
      const [, app] = /^const APP = (.*);$/m.exec(ecosystem(values)) ?? [];
      expect(app).to.equal(`'./it\\'s "50%" $HOME \\\\ café.js'`);
    }
  });

  it('of Docker: a setting is no place for variables, and its command is JSON', () => {
    const text = dockerfile({
      name: 'shop',
      inputs: ['package.json', 'my package.tgz'],
      install: 'npm ci',
      build: undefined,
      result: 'COPY --from=build /app ./',
      program: '/app/node_modules/hello-server',
      settings: { PORT: '8080', ADMIN_HOST: 'a "$b" \\' },
      port: 8080,
      bootSeconds: 30,
      stopSeconds: 32,
      command: [ODD],
    });
    expect(text).to.include(' PORT=8080 ADMIN_HOST="a \\"\\$b\\" \\\\"\n');
    expect(text).to.include('\nCOPY ["package.json","my package.tgz","./"]\nRUN npm ci\nCOPY . .\n\nFROM ');
    expect(text).to.include('\nEXPOSE 8080\n');
    expect(text).to.include('docker run --stop-timeout 32 ');
    expect(JSON.parse(/^CMD (.*)$/m.exec(text)?.[1] ?? '')).to.deep.equal([ODD]);
  });

  it('of Kubernetes: arguments and settings are texts, whatever is in them', () => {
    const [deployment = ''] = manifest({
      name: 'shop',
      file: 'kubernetes.yaml',
      image: 'shop:1',
      args: [ODD],
      port: 8080,
      adminPort: 9000,
      shutdownDelay: 5,
      shutdownTimeout: 30,
      graceSeconds: 42,
      settingsFile: 'hello-server.env',
      settings: { PORT: '8080', RELOAD_SURGE: '25%', ACCESS_LOG: 'false', ADMIN_HOST: "it's: #1" },
      logFormat: 'text',
    }).split('\n---\n');
    const { containers } = parse(deployment).spec.template.spec;
    expect(containers[0].args).to.deep.equal([ODD]);
    expect(containers[0].env).to.deep.include.members([
      { name: 'PORT', value: '8080' },
      { name: 'RELOAD_SURGE', value: '25%' },
      { name: 'ACCESS_LOG', value: 'false' },
      { name: 'ADMIN_HOST', value: "it's: #1" },
    ]);
  });

  it('of a Procfile: words are what a shell takes for them, and an --env-file is no option of Node’s', () => {
    expect(procfile({ main: 'main.js', args: ['./server.js'] })).to.equal(
      'web: exec node main.js ./server.js\n',
    );
    expect(procfile({ main: 'main.js', args: ['--env-file', 'a.env', './server.js'] })).to.equal(
      'web: exec node -- main.js --env-file a.env ./server.js\n',
    );
    expect(procfile({ main: 'main.js', args: ["./it's $HOME.js"] })).to.equal(
      `web: exec node main.js './it'\\''s $HOME.js'\n`,
    );
  });

  it('give no line with a blank at its end', () => {
    for (const [path, text] of Object.entries(delivered('1.0.0'))) expect(text, path).to.not.match(/[ \t]$/m);
  });
});
