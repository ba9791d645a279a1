// Standalone output: a server.js with the modules that it needs beside it.
import { fileURLToPath } from 'node:url';

/** The repository's folder, which paths in the output are relative to. */
const root = fileURLToPath(new URL('../../..', import.meta.url));

export default { output: 'standalone', outputFileTracingRoot: root, turbopack: { root } };
