// What does the request log cost: off, text, json, and into a pipe whose reader does not keep up?

import { KEEP_ALIVE } from '../measure/load.ts';
import { compareUnderLoad } from '../measure/turns.ts';
import type { Question } from '../question.ts';
import { hello, slowPipe } from '../subjects.ts';

const off = hello(1, { tag: 'log off', env: { ACCESS_LOG: 'false' }, log: 'no request log' });

export const logCost: Question = {
  name: 'log-cost',
  asks: 'What does the request log cost?',
  how: 'As keep-alive. The slow pipe is read at 4 KiB a second.',
  ask: (settings) =>
    compareUnderLoad(
      [
        {
          title: 'the request log',
          baseline: off.name,
          subjects: [
            off,
            hello(1, { tag: 'text' }),
            hello(1, { tag: 'json', env: { LOG_FORMAT: 'json' }, log: 'json request log into a file' }),
            hello(1, {
              tag: 'slow pipe',
              stdout: slowPipe,
              log: 'text request log into a pipe read at 4 KiB/s',
            }),
          ],
        },
      ],
      KEEP_ALIVE,
      settings,
      'cpuUsPerRequest',
    ),
};
