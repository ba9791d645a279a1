// What do more workers give, on kept connections?

import { KEEP_ALIVE } from '../measure/load.ts';
import { compareUnderLoad } from '../measure/turns.ts';
import type { Question } from '../question.ts';
import { bareCluster, hello, workerCounts } from '../subjects.ts';

export const workers: Question = {
  name: 'workers',
  asks: 'What do more workers give?',
  how: 'As keep-alive, with 1, 2, 4 ... workers, up to twice the cores. The load generator takes a core for itself.',
  ask: (settings) =>
    compareUnderLoad(
      workerCounts().map((count) => ({
        title: count === 1 ? '1 worker' : `${count} workers`,
        baseline: bareCluster(count).name,
        subjects: [bareCluster(count), hello(count)],
      })),
      KEEP_ALIVE,
      settings,
    ),
};
