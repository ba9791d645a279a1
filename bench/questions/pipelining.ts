// What does a request cost when ten are sent at once on each connection?

import { KEEP_ALIVE } from '../measure/load.ts';
import { compareUnderLoad } from '../measure/turns.ts';
import { fastify } from '../peers/fastify.ts';
import { nginx } from '../peers/nginx.ts';
import type { Question } from '../question.ts';
import { bareHttp, hello } from '../subjects.ts';

export const pipelining: Question = {
  name: 'pipelining',
  asks: 'What does a request cost when ten are on the way at once on each connection?',
  how: '32 connections, ten requests on the way on each.',
  ask: (settings) =>
    compareUnderLoad(
      [
        {
          title: 'one process',
          baseline: 'bare node:http',
          subjects: [bareHttp(), hello(1), fastify, nginx(1)],
        },
      ],
      { ...KEEP_ALIVE, pipelining: 10 },
      settings,
    ),
};
