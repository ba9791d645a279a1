// Builds dist/: main.js, which every process runs and which loads the file of its role; page.html, the page that is served; and
// lib/, the modules that others import, with their types.

import { execFileSync } from 'node:child_process';
import { appendFileSync, chmodSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const dist = join(root, 'dist');
const typescript = dirname(createRequire(import.meta.url).resolve('typescript/package.json'));

/** http-terminator's logger, which writes only where it is asked to and takes 10 ms of a worker's start. */
const quiet = {
  name: 'no roarr',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^roarr$/ }, () => ({ path: 'roarr', namespace: 'quiet' }));
    onLoad({ filter: /./, namespace: 'quiet' }, () => ({
      contents: 'exports.Roarr = { child: () => exports.Roarr, warn() {} };',
    }));
  },
};

/**
 * What is loaded only where it is needed, each a file of its own: V8 reads a file whole, and each process has another role.
 * Few need the metrics, and they from the first scrape on.
 */
const APART = {
  worker: 'src/worker/worker.ts',
  primary: 'src/primary/run.ts',
  commands: 'src/client/commands.ts',
  init: 'src/init/init.ts',
  development: 'src/dev/development.ts',
  prometheus: 'src/control/prometheus.ts',
};
const apart = {
  name: 'apart',
  setup({ onResolve }) {
    onResolve({ filter: /^\..*\.ts$/ }, ({ kind, path, resolveDir }) => {
      const [name] =
        Object.entries(APART).find(([, file]) => join(root, file) === join(resolveDir, path)) ?? [];
      return name && kind === 'dynamic-import' ? { path: `./${name}.js`, external: true } : undefined;
    });
  },
};

rmSync(dist, { recursive: true, force: true });
execFileSync(process.execPath, [join(typescript, 'bin', 'tsc')], { cwd: root, stdio: 'inherit' });
// What package.json exports imports from the lower floors alone: the rest of it runs from main.js.
for (const name of readdirSync(join(dist, 'lib'))) {
  if (!/^(app\.|core$|log$|http$)/.test(name)) rmSync(join(dist, 'lib', name), { recursive: true });
}
writeFileSync(join(dist, 'lib', 'package.json'), '{ "type": "module" }\n');

// CommonJS: an import of node:http makes newer Nodes load all that can be had of it, undici and TLS included.
await build({
  absWorkingDir: root,
  entryPoints: {
    main: 'src/main.ts',
    worker: APART.worker,
    primary: APART.primary,
    commands: APART.commands,
    init: APART.init,
    development: APART.development,
    'hang-probe': 'src/primary/hang-probe.ts',
    'profile-probe': 'src/primary/profile-probe.ts',
    'heap-probe': 'src/primary/heap-probe.ts',
  },
  outdir: dist,
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  external: ['pino'],
  plugins: [quiet, apart],
  define: { 'import.meta.url': 'importMetaUrl' },
  // In front of all: behind other statements 'use strict' would not count. The first line is what a shell runs of this
  // file, and a string to Node, which otherwise takes our --env-file for its own and ends where the file is missing.
  banner: {
    js: "':' //; exec node -- \"$0\" \"$@\"\n'use strict';\nconst importMetaUrl = require('node:url').pathToFileURL(__filename).href;",
  },
  sourcemap: 'linked',
  sourcesContent: false,
  logLevel: 'warning',
});
// By require(): import() would have Node load all that it has for modules of the other kind.
const main = join(dist, 'main.js');
const required = readFileSync(main, 'utf8').replace(
  /\bimport\(("\.\/\w+\.js")\)/g,
  'Promise.resolve(require($1))',
);
writeFileSync(main, required);
await prometheus();
writeFileSync(join(dist, 'package.json'), '{ "type": "commonjs" }\n');
chmodSync(join(dist, 'main.js'), 0o755);
writeFileSync(join(dist, 'page.html'), await page());

/** What makes the metrics: prom-client, with what it imports and the licences of all. */
async function prometheus() {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: [APART.prometheus],
    outdir: dist,
    bundle: true,
    minify: true,
    metafile: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    logLevel: 'warning',
  });
  const packages = Object.keys(metafile.inputs).map(
    (file) => /^(?:.*\/)?node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(file)?.[1],
  );
  const licences = [...new Set(packages.filter((name) => name !== undefined))].map(
    (name) => `${name} is part of this file.\n\n${licenceOf(name)}`,
  );
  appendFileSync(join(dist, 'prometheus.js'), `/*\n${licences.join('\n\n').replaceAll('*/', '* /')}\n*/\n`);
}

function licenceOf(name) {
  return readFileSync(join(root, 'node_modules', name, 'LICENSE'), 'utf8').trim();
}

/** The page with its one script and its one style within it: it asks for nothing but its data. */
async function page() {
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: ['src/page/page.ts', 'src/page/page.css'],
    outdir: dist,
    write: false,
    bundle: true,
    minify: true,
    charset: 'utf8',
    platform: 'browser',
    target: 'es2022',
    format: 'iife',
    logLevel: 'warning',
  });
  const made = (end) => outputFiles.find(({ path }) => path.endsWith(end))?.text.trim() ?? '';
  let html = readFileSync(join(root, 'src', 'page', 'index.html'), 'utf8').replace(/<!--.*?-->\s*/gs, '');
  const put = (place, text) => {
    if (html.split(place).length !== 2) throw new Error(`expected \`${place}\` once in src/page/index.html`);
    html = html.replace(place, () => text);
  };
  put('<link rel="stylesheet" href="page.css">', within('style', made('.css')));
  put('<script type="module" src="page.ts"></script>', within('script', made('.js')));
  put('<html lang="en">', `<!-- uPlot is part of this page.\n\n${licenceOf('uplot')}\n-->\n<html lang="en">`);
  return html;
}

/** An element with a text that HTML takes as it is; esbuild has escaped what would end it. */
function within(name, text) {
  if (text === '' || new RegExp(`</${name}|<!--`, 'i').test(text))
    throw new Error(`expected a ${name} that does not end itself in the page`);
  return `<${name}>${text}</${name}>`;
}
