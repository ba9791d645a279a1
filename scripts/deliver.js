// Writes the files that hello-server is delivered with, by the templates of src/init/; a test holds them equal.

import { readFileSync, writeFileSync } from 'node:fs';
import { delivered } from '../build/src/init/delivered.js';

const at = (path) => new URL(`../${path}`, import.meta.url);
const { version } = JSON.parse(readFileSync(at('package.json'), 'utf8'));
for (const [path, text] of Object.entries(delivered(version))) writeFileSync(at(path), text);
