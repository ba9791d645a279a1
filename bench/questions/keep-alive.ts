// What does a request on a kept connection cost, everything on and the request log in a file, against its peers?

import { KEEP_ALIVE } from '../measure/load.ts';
import { compareUnderLoad } from '../measure/turns.ts';
import type { Question } from '../question.ts';
import { bareCluster, bareHttp, fastify, gunicorn, hello, nginx, pm2, puma } from '../subjects.ts';

export const keepAlive: Question = {
  name: 'keep-alive',
  asks: 'What does a request on a kept connection cost?',
  how: '32 connections, each asking again as soon as it is answered.',
  ask: (settings) =>
    compareUnderLoad(
      [
        {
          title: 'one process',
          baseline: 'bare node:http',
          subjects: [bareHttp(), hello(1), fastify, nginx(1)],
        },
        {
          title: 'several processes',
          baseline: 'bare node:cluster, 2 workers',
          subjects: [bareCluster(2), hello(2), pm2(2), nginx(2), puma(2), gunicorn(4)],
        },
      ],
      KEEP_ALIVE,
      settings,
    ),
};
