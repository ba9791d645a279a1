// The templates of a Dockerfile and its .dockerignore: a build stage, and an image that has what runs and nothing else.

export interface Dockerfile {
  readonly name: string;
  /** What an install of the dependencies hangs on, seen from the folder of the file. */
  readonly inputs: readonly string[];
  readonly install: string;
  /** The instructions that make what runs of all the files; undefined = they are it. */
  readonly build: string | undefined;
  /** The instructions that bring what runs from the build stage into the image. */
  readonly result: string;
  /** The folder of hello-server in the image. */
  readonly program: string;
  readonly settings: Readonly<Record<string, string>>;
  readonly port: number;
  /** How long a failing check is not counted, in seconds: until the app has booted. */
  readonly bootSeconds: number;
  /** What docker run has to be told for a stop to be over in time; undefined = nothing, its 10 s are enough. */
  readonly stopSeconds: number | undefined;
  /** What runs where docker run does not say anything else; undefined = Hello. */
  readonly command: readonly string[] | undefined;
}

export function dockerfile(values: Dockerfile): string {
  const { name, inputs, program, settings, port, stopSeconds, command } = values;
  const env = Object.entries(settings).map(([variable, value]) => ` ${variable}=${quoted(value)}`);
  const stop =
    stopSeconds === undefined
      ? ''
      : `# A stop may take longer than docker's 10 s: docker run --stop-timeout ${stopSeconds} ..., or Compose's stop_grace_period.\n`;
  return `# ${name} as an image: docker build -t ${name} .
# Another base, with node, npm and a shell: docker build --build-arg NODE_IMAGE=node:22-slim -t ${name} .
ARG NODE_IMAGE=node:24-slim

FROM \${NODE_IMAGE} AS build
WORKDIR /app
# First what the dependencies hang on: a change of the source does not fetch them again.
COPY ${copied(inputs)}
RUN ${values.install}
COPY . .
${values.build === undefined ? '' : `${values.build}\n`}
FROM \${NODE_IMAGE}
# The control socket's folder is in /dev/shm: writable also with --read-only, and nobody else's.
ENV NODE_ENV=production XDG_RUNTIME_DIR=/dev/shm${env.join('')}
WORKDIR /app
${values.result}
RUN ln -s ${program}/dist/main.js /usr/local/bin/hello-server
# By number, so that Kubernetes can see that it is not root; in the public images it is the user node.
USER 1000:1000
EXPOSE ${port}
${stop}STOPSIGNAL SIGTERM
HEALTHCHECK --interval=5s --timeout=5s --start-period=${values.bootSeconds}s --retries=3 CMD ["node", "${program}/scripts/healthcheck.js"]
# What follows the image's name in docker run is the command line of hello-server: an APP, a command, nothing for ${command ? 'this one' : 'Hello'}.
ENTRYPOINT ["hello-server"]
${command ? `CMD ${JSON.stringify(command)}\n` : ''}`;
}

/** What docker build leaves out for an app that is built in the image: secrets, what the image makes itself, the files of docker. */
export const dockerignore = (
  envFiles: readonly string[],
): string => `# Not for the image: what it makes itself, and what is nobody's but yours.
node_modules
.git
.env
.env.local
.env.*.local
npm-debug.log*
Dockerfile
.dockerignore
${envFiles.map((file) => `${file.replace(/^\.\//, '')}\n`).join('')}`;

const copied = (files: readonly string[]): string =>
  files.some((file) => /[^\w./-]/.test(file)) ? JSON.stringify([...files, './']) : `${files.join(' ')} ./`;

/** A value of ENV; docker would put variables in for a $. */
const quoted = (text: string): string =>
  /^[\w./:%-]+$/.test(text) ? text : `"${text.replace(/[\\"$]/g, '\\$&')}"`;
