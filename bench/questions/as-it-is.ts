// What does an app cost that is served as it is?

import { join } from 'node:path';
import { KEEP_ALIVE } from '../measure/load.ts';
import { compareUnderLoad } from '../measure/turns.ts';
import { SUBJECTS } from '../paths.ts';
import type { Question } from '../question.ts';
import type { Subject } from '../subject.ts';
import { bareCluster, hello } from '../subjects.ts';

const NO_LOG = { env: { ACCESS_LOG: 'false' }, log: 'no request log' } as const;

const ours = (tag: string, file: string): Subject => hello(1, { ...NO_LOG, tag, app: join(SUBJECTS, file) });

const exported = ours('exported', 'exports.cjs');
const frameworks = (['Express', 'Fastify'] as const).map((tag) => {
  const file = `${tag.toLowerCase()}.cjs`;
  const bare = bareCluster(1, { tag, app: join(SUBJECTS, file) });
  return { title: tag, baseline: bare.name, subjects: [bare, ours(tag, file)] };
});

export const asItIs: Question = {
  name: 'as-it-is',
  asks: 'What does an app cost that is served as it is?',
  how: 'As keep-alive, one worker and no request log. The same listener, once exported and once in a server that it has listen itself; then Express and Fastify, which listen themselves, against the same app under bare node:cluster.',
  ask: (settings) =>
    compareUnderLoad(
      [
        {
          title: 'as it is',
          baseline: exported.name,
          subjects: [exported, ours('as it is', 'listens.cjs')],
        },
        ...frameworks,
      ],
      KEEP_ALIVE,
      settings,
      'cpuUsPerRequest',
    ),
};
