// The Dockerfile of an app: its dependencies installed, the app built where package.json says how.

import { existsSync } from 'node:fs';
import { join, posix } from 'node:path';
import { dockerStopSeconds } from './deadlines.ts';
import { onOneLine, type Project, programInstalled } from './project.ts';
import { type Found, fixedPort, inContainer } from './settings.ts';
import { dockerfile } from './templates/dockerfile.ts';

/** Where the app is in the image. */
const HOME = '/app';
/** For an app that may take as long as it likes to boot. */
const LONG_BOOT_SECONDS = 300;

export function image(project: Project, name: string, { config, own }: Found): string {
  const { builds, app } = project;
  const locked = there(project, 'package-lock.json');
  const install = `npm ${locked ? 'ci' : 'install'}${builds ? '' : ' --omit=dev'}`;
  return dockerfile({
    name,
    inputs: inputsOf(project),
    install,
    build: builds ? 'RUN npm run build && npm prune --omit=dev' : undefined,
    result: `COPY --from=build ${HOME} ./`,
    program: posix.join(HOME, programInstalled(project), '../..'),
    // The port that is published, whatever the app asks for.
    settings: inContainer(own, config),
    port: fixedPort('docker', config),
    bootSeconds: Math.ceil(config.bootTimeoutMs / 1000) || LONG_BOOT_SECONDS,
    stopSeconds: dockerStopSeconds(config),
    command: [app],
  });
}

const there = ({ folder }: Project, file: string): boolean => existsSync(join(folder, file));

/** What npm reads for an install: the lock, its settings, and packages that lie in the folder itself. */
function inputsOf(project: Project): string[] {
  const packed = Object.values(project.dependencies).flatMap((version) => {
    const [, file] = /^file:(?:\.\/)?([^/].*\.(?:tgz|tar\.gz))$/.exec(String(version)) ?? [];
    return file === undefined ? [] : [onOneLine(file)];
  });
  return [
    ...['package.json', 'package-lock.json', '.npmrc'].filter((file) => there(project, file)),
    ...packed.filter((file) => there(project, file)),
  ];
}
