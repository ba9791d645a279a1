// The files that hello-server is delivered with, made by the templates that init uses.

import { DEFAULTS, readConfig } from '../core/config.ts';
import { graceSeconds, unitDeadlines } from './deadlines.ts';
import { dockerfile } from './templates/dockerfile.ts';
import { ecosystem } from './templates/ecosystem.ts';
import { manifest } from './templates/kubernetes.ts';
import { procfile } from './templates/procfile.ts';
import { unit } from './templates/unit.ts';

const NAME = 'hello-server';
const SETTINGS = 'deploy/hello-server.env';
const POD = readConfig({ ...DEFAULTS, SHUTDOWN_DELAY: '5' }).config;
/** Workers of a small machine: the deadlines are the least ones. */
const UNIT = unitDeadlines(readConfig(DEFAULTS).config, 2);

/** Each by its path in the repository; `version` is the package's. */
export const delivered = (version: string): Readonly<Record<string, string>> => ({
  'ecosystem.config.js': ecosystem({
    name: NAME,
    main: 'dist/main.js',
    app: '',
    envFiles: [SETTINGS],
    settings: {},
    modules: 'esm',
  }),
  Procfile: procfile({ main: 'dist/main.js', args: [] }),
  Dockerfile: dockerfile({
    name: NAME,
    inputs: ['package.json', 'package-lock.json'],
    install: 'npm ci --ignore-scripts',
    build: `RUN npm run prepare && npm prune --omit=dev
# What an editor and a debugger want of the modules that others import is of no use in a container.
RUN find dist/lib -name '*.map' -delete -o -name '*.d.ts' -delete`,
    result: `COPY --from=build /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY package.json LICENSE ./
COPY scripts/healthcheck.js scripts/`,
    program: '/app',
    settings: {},
    port: 3000,
    bootSeconds: 30,
    stopSeconds: undefined,
    command: undefined,
  }),
  'deploy/kubernetes.yaml': manifest({
    name: NAME,
    file: 'deploy/kubernetes.yaml',
    image: `${NAME}:${version}`,
    args: [],
    port: 3000,
    adminPort: 9464,
    shutdownDelay: POD.shutdownDelayMs / 1000,
    shutdownTimeout: POD.shutdownTimeoutMs / 1000,
    graceSeconds: graceSeconds(POD),
    settingsFile: SETTINGS,
    settings: {},
    logFormat: 'json',
  }),
  'hello-server.service': unit({
    about: [
      'systemd unit of hello-server, installed by scripts/install-systemd. Settings: /etc/hello-server.env.',
    ],
    description: 'hello-server, a Node HTTP server under a clustered process manager',
    documentation: 'file:/opt/hello-server/README.md',
    folder: '/opt/hello-server',
    environmentFile: {
      path: '-/etc/hello-server.env',
      about: [
        'For each command below; what it says comes before Environment=. The server reads it again at each reload (--env-file), as',
        'its own user: secrets that only root may read belong into an EnvironmentFile= of their own, in a drop-in.',
      ],
    },
    settings: {},
    aboutCommand: [
      'node is looked for in /usr/local/bin and /usr/bin; an app of yours is the last word: ... /srv/app/current/app.js',
    ],
    start: 'node -- dist/main.js --env-file /etc/hello-server.env',
    reload: 'node dist/main.js reload',
    identifier: NAME,
    runtimeDirectory: NAME,
    deadlines: UNIT,
  }),
  'deploy/hello-server@.service': unit({
    about: [
      'systemd unit for several apps on one machine, an instance each: hello-server@shop serves the app in /srv/shop, which has',
      'hello-server in its node_modules, by the settings in /etc/hello-server/shop.env. They have to say its PORT, and may say',
      'its APP: ./server.js; without that package.json says it, by its main.',
      '  sudo cp node_modules/hello-server/deploy/hello-server@.service /etc/systemd/system/',
      '  sudo systemctl daemon-reload && sudo systemctl enable --now hello-server@shop',
    ],
    description: '%i, a Node HTTP server under hello-server',
    folder: '/srv/%i',
    environmentFile: {
      path: '/etc/hello-server/%i.env',
      about: [
        'For each command below; what it says comes before Environment=. The server reads it again at each reload (--env-file), as',
        'its own user: secrets that only root may read belong into an EnvironmentFile= of their own, in a drop-in.',
      ],
    },
    settings: { APP: '.' },
    aboutCommand: ['node is looked for in /usr/local/bin and /usr/bin.'],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: systemd puts the variable in.
    start: 'node -- node_modules/hello-server/dist/main.js --env-file /etc/hello-server/%i.env ${APP}',
    reload: 'node -- node_modules/hello-server/dist/main.js reload --env-file /etc/hello-server/%i.env',
    identifier: '%i',
    runtimeDirectory: 'hello-server-%i',
    deadlines: UNIT,
  }),
});
