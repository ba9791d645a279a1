// What does a request on a kept connection cost, everything on and the request log in a file, against its peers?

import { KEEP_ALIVE } from '../measure/load.ts';
import { compareUnderLoad } from '../measure/turns.ts';
import { fastify } from '../peers/fastify.ts';
import { gunicorn } from '../peers/gunicorn.ts';
import { nginx } from '../peers/nginx.ts';
import { pm2 } from '../peers/pm2.ts';
import { puma } from '../peers/puma.ts';
import { watt } from '../peers/watt.ts';
import type { Question } from '../question.ts';
import { bareCluster, bareHttp, hello } from '../subjects.ts';

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
          subjects: [bareCluster(2), hello(2), pm2(2), watt(2), nginx(2), puma(2), gunicorn(4)],
        },
      ],
      KEEP_ALIVE,
      settings,
    ),
};
