// Where things are: the repository, what subjects serve, and the packages of bench/package.json.

import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository's folder. */
export const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

export const SUBJECTS = join(ROOT, 'bench', 'subjects');

/** Where the packages of bench/package.json are. */
export const PACKAGES = join(ROOT, 'bench', 'node_modules');
