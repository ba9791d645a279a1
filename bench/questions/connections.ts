// What does a request cost that comes on a connection of its own?

import { FRESH } from '../measure/load.ts';
import { compareUnderLoad } from '../measure/turns.ts';
import { gunicorn } from '../peers/gunicorn.ts';
import { nginx } from '../peers/nginx.ts';
import { pm2 } from '../peers/pm2.ts';
import { puma } from '../peers/puma.ts';
import { watt } from '../peers/watt.ts';
import type { Question } from '../question.ts';
import { bareCluster, hello } from '../subjects.ts';

export const connections: Question = {
  name: 'connections',
  asks: 'What does a request cost that comes on a connection of its own?',
  how: '32 clients, each connecting anew for each request; latency counts from the start of the connection.',
  ask: (settings) =>
    compareUnderLoad(
      [
        {
          title: 'several processes',
          baseline: 'bare node:cluster, 2 workers',
          subjects: [bareCluster(2), hello(2), pm2(2), watt(2), nginx(2), puma(2), gunicorn(4)],
        },
      ],
      FRESH,
      settings,
    ),
};
