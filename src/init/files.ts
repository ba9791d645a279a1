// What init makes for each kind: the files, and the commands that come next.

import { relative } from 'node:path';
import { readConfig } from '../core/config.ts';
import { dockerStopSeconds, graceSeconds } from './deadlines.ts';
import { image } from './image.ts';
import { onOneLine, type Project, programInstalled, programOf } from './project.ts';
import { service } from './service.ts';
import { type Found, fixedPort, inContainer } from './settings.ts';
import { dockerignore } from './templates/dockerfile.ts';
import { ecosystem } from './templates/ecosystem.ts';
import { manifest } from './templates/kubernetes.ts';
import { procfile, shellWord } from './templates/procfile.ts';
import type { Kind } from './wish.ts';

export interface Made {
  /** The name of the file below the project, and what is in it. */
  readonly file: string;
  readonly text: string;
  /** A file that belongs to it, written where there is none yet. */
  readonly beside?: { readonly file: string; readonly text: string };
  /** What to type next: what for, and the command. */
  readonly next: readonly (readonly [what: string, command: string])[];
}

export interface Ingredients {
  readonly project: Project;
  readonly name: string;
  readonly envFiles: readonly string[];
  readonly found: Found;
}

/** Kubernetes' own default: a pod that stops goes on accepting for so long, in seconds. */
const POD_DELAY = '5';
const ADMIN_PORT = 9464;

export const MAKERS: Readonly<Record<Kind, (from: Ingredients) => Made>> = {
  pm2: ({ project, name, envFiles, found }) => ({
    file: 'ecosystem.config.js',
    text: ecosystem({
      name,
      main: relative(project.folder, programOf(project.folder)),
      app: project.app,
      envFiles: envFiles.map(onOneLine),
      settings: found.own,
      modules: project.modules,
    }),
    next: [
      ['start it', 'pm2 start ecosystem.config.js'],
      ['reload it', `pm2 sendSignal SIGHUP ${name}`],
    ],
  }),

  systemd: ({ project, name, envFiles, found }) => ({
    file: `${name}.service`,
    text: service(project, name, envFiles, found),
    next: [
      [
        'start it',
        `sudo cp ${name}.service /etc/systemd/system/ && sudo systemctl daemon-reload && sudo systemctl enable --now ${name}`,
      ],
      ['reload it', `sudo systemctl reload ${name}`],
    ],
  }),

  docker: ({ project, name, envFiles, found }) => {
    const port = fixedPort('docker', found.config);
    const stop = dockerStopSeconds(found.config);
    const options = [
      `-d -p ${port}:${port}`,
      ...envFiles.map((file) => `--env-file ${shellWord(file)}`),
      ...(stop === undefined ? [] : [`--stop-timeout ${stop}`]),
    ];
    return {
      file: 'Dockerfile',
      text: image(project, name, found),
      beside: { file: '.dockerignore', text: dockerignore(envFiles) },
      next: [
        ['build it', `docker build -t ${name} .`],
        ['start it', `docker run ${options.join(' ')} --name ${name} ${name}`],
        ['reload it', `docker exec ${name} hello-server reload`],
      ],
    };
  },

  kubernetes: ({ project, name, found }) => {
    const all = { ...found.all, SHUTDOWN_DELAY: found.all.SHUTDOWN_DELAY ?? POD_DELAY };
    const { config } = readConfig(all);
    const apart = ['SHUTDOWN_DELAY', 'LOG_FORMAT', 'ADMIN_PORT', 'ADMIN_HOST'] as const;
    const tag = project.version?.replaceAll('+', '-') ?? '1';
    return {
      file: 'kubernetes.yaml',
      text: manifest({
        name,
        file: 'kubernetes.yaml',
        image: `${name}:${tag}`,
        args: [project.app],
        port: fixedPort('kubernetes', config),
        adminPort: config.adminPort ?? ADMIN_PORT,
        shutdownDelay: config.shutdownDelayMs / 1000,
        shutdownTimeout: config.shutdownTimeoutMs / 1000,
        graceSeconds: graceSeconds(config),
        settingsFile: 'node_modules/hello-server/deploy/hello-server.env',
        logFormat: found.all.LOG_FORMAT ?? 'json',
        settings: inContainer(found.all, config, ...apart),
      }),
      next: [
        [
          'build its image, by the Dockerfile of hello-server init docker',
          `docker build -t ${name}:${tag} .`,
        ],
        ['start it, when the cluster has the image', 'kubectl apply -f kubernetes.yaml'],
        ['give it another image', `kubectl set image deployment/${name} ${name}=${name}:TAG`],
      ],
    };
  },

  procfile: ({ project, envFiles }) => ({
    file: 'Procfile',
    text: procfile({
      main: programInstalled(project),
      args: [...envFiles.flatMap((file) => ['--env-file', onOneLine(file)]), project.app],
    }),
    next: [
      [
        'commit it and deploy, on Heroku',
        'git add Procfile && git commit -m Procfile && git push heroku main',
      ],
    ],
  }),
};
