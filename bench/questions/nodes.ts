// What does a request cost on every Node that is supported, against the three-line server on the same Node?

import { KEEP_ALIVE } from '../measure/load.ts';
import { compareUnderLoad, type Group, type Settings } from '../measure/turns.ts';
import { nginx } from '../peers/nginx.ts';
import type { Question } from '../question.ts';
import type { Answer } from '../result.ts';
import { bareHttp, hello } from '../subjects.ts';
import { nodeOf } from '../versions.ts';

const MAJORS = [20, 22, 24, 26] as const;

export const nodes: Question = {
  name: 'nodes',
  asks: 'What does a request cost on every supported Node?',
  how: 'As keep-alive, in one process, each Node against the three-line server on the same Node; nginx is one and the same throughout.',
  ask: askAll,
};

async function askAll(settings: Settings): Promise<Answer> {
  const found = MAJORS.map((major) => {
    settings.progress(`looking for Node ${major}`);
    return { major, node: nodeOf(major, settings.node) };
  });
  const groups = found.flatMap(({ major, node }) => (node === undefined ? [] : [groupOf(major, node)]));
  const answer = await compareUnderLoad(groups, KEEP_ALIVE, settings, 'cpuUsPerRequest');
  return {
    ...answer,
    subjects: [
      ...answer.subjects,
      ...found.flatMap(({ major, node }) =>
        node === undefined
          ? [
              {
                name: `Node ${major}`,
                version: `scripts/with-node ${major} did not find it`,
                settings: 'not measured',
              },
            ]
          : [],
      ),
    ],
  };
}

function groupOf(major: number, node: string): Group {
  const change = { tag: `Node ${major}`, node };
  const baseline = bareHttp(change);
  return {
    title: `Node ${major}`,
    baseline: baseline.name,
    subjects: [baseline, hello(1, change), nginx(1)],
  };
}
