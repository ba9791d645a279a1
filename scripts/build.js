// Builds dist/: main.js, which every process runs and which loads the file of its role; page.html, the page that is served; and
// lib/, the modules that others import or require, with their types.

import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  copyFileSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
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

/** In front of a CommonJS file: what import.meta.url stands for there. */
const URL_OF_FILE =
  "'use strict';\nconst importMetaUrl = require('node:url').pathToFileURL(__filename).href;";

rmSync(dist, { recursive: true, force: true });
await library();

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
    js: `':' //; exec node -- "$0" "$@"\n${URL_OF_FILE}`,
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

/**
 * What others import, as CommonJS that every Node requires, and imports by a module of one line: so there is one of it in a
 * process, however it comes there. Beside them the declarations of all that they name.
 */
async function library() {
  const lib = join(dist, 'lib');
  execFileSync(process.execPath, [join(typescript, 'bin', 'tsc'), '--emitDeclarationOnly'], {
    cwd: root,
    stdio: 'inherit',
  });
  const wanted = declarationsFrom(['index.d.ts', 'app.d.ts'].map((name) => join(lib, name)));
  for (const name of readdirSync(lib, { recursive: true, encoding: 'utf8' })) {
    const path = join(lib, name);
    if (path.endsWith('.ts') && !wanted.has(path)) rmSync(path);
  }
  for (const name of readdirSync(lib, { recursive: true, encoding: 'utf8' }).sort().reverse()) {
    if (!name.endsWith('.ts') && readdirSync(join(lib, name)).length === 0) rmdirSync(join(lib, name));
  }
  await build({
    absWorkingDir: root,
    entryPoints: { index: 'src/index.ts', app: 'src/app.ts' },
    outdir: lib,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    external: ['pino'],
    plugins: [quiet],
    define: { 'import.meta.url': 'importMetaUrl' },
    banner: { js: URL_OF_FILE },
    sourcemap: 'linked',
    sourcesContent: false,
    logLevel: 'warning',
  });
  const write = (name, text) => writeFileSync(join(lib, name), text);
  write('package.json', '{ "type": "commonjs" }\n');
  const names = Object.keys(createRequire(import.meta.url)(join(lib, 'index.js')));
  write('index.mjs', `export { ${names.sort().join(', ')} } from './index.js';\n`);
  write('index.d.mts', "export * from './index.js';\n");
  write(
    'app.mjs',
    `import app from './app.js';\n\nexport default app.default;\nexport const { options, ready } = app;\n`,
  );
  // A default export that is taken from CommonJS means one thing to a bundler and another to Node.
  copyFileSync(join(lib, 'app.d.ts'), join(lib, 'app.d.mts'));
}

/** These declarations, and all that they import. */
function declarationsFrom(paths, found = new Set()) {
  for (const path of paths) {
    if (found.has(path)) continue;
    found.add(path);
    // By the names that consumers' compilers resolve, older ones too.
    const text = readFileSync(path, 'utf8').replace(
      /((?:from|import\() ?['"]\.[^'"]+)\.ts(?=['"])/g,
      '$1.js',
    );
    writeFileSync(path, text);
    const imported = text.matchAll(/(?:from|import\() ?['"](\.[^'"]+)\.js['"]/g);
    declarationsFrom(
      [...imported].map(([, to]) => join(dirname(path), `${to}.d.ts`)),
      found,
    );
  }
  return found;
}

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
