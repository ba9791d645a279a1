// fastify alone, without a process manager.

import { join } from 'node:path';
import { PACKAGES, SUBJECTS } from '../paths.ts';
import type { Subject } from '../subject.ts';
import { manifestOf } from '../versions.ts';

/** fastify in one process. */
export const fastify: Subject = {
  name: 'fastify',
  settings: 'one process, one route, its logger off (its default)',
  version: () => manifestOf(join(PACKAGES, 'fastify')),
  command: ({ node }) => ({ file: node, args: [join(SUBJECTS, 'fastify.cjs')] }),
};
