// Every question there is, in the order of the report.

import type { Question } from './question.ts';
import { apps } from './questions/apps.ts';
import { asItIs } from './questions/as-it-is.ts';
import { balance } from './questions/balance.ts';
import { connections } from './questions/connections.ts';
import { firstSecond } from './questions/first-second.ts';
import { idleConnections } from './questions/idle-connections.ts';
import { keepAlive } from './questions/keep-alive.ts';
import { logCost } from './questions/log-cost.ts';
import { nodes } from './questions/nodes.ts';
import { pipelining } from './questions/pipelining.ts';
import { recovery } from './questions/recovery.ts';
import { reload } from './questions/reload.ts';
import { rest } from './questions/rest.ts';
import { scale } from './questions/scale.ts';
import { startStop } from './questions/start-stop.ts';
import { workers } from './questions/workers.ts';

export const QUESTIONS: readonly Question[] = [
  reload,
  keepAlive,
  connections,
  apps,
  startStop,
  pipelining,
  workers,
  nodes,
  logCost,
  asItIs,
  firstSecond,
  recovery,
  idleConnections,
  rest,
  scale,
  balance,
];
