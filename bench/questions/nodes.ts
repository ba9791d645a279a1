// What does a request cost on every Node that is supported, against the three-line server on the same Node?

import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { KEEP_ALIVE } from '../measure/load.ts';
import { compareUnderLoad, type Group, type Settings } from '../measure/turns.ts';
import type { Question } from '../question.ts';
import type { Answer } from '../result.ts';
import { bareHttp, hello, nginx, nodeVersion, ROOT } from '../subjects.ts';

const MAJORS = [20, 22, 24, 26] as const;

export const nodes: Question = {
  name: 'nodes',
  asks: 'What does a request cost on every supported Node?',
  how: 'As keep-alive, in one process, each Node against the three-line server on the same Node; nginx is one and the same throughout.',
  ask: askAll,
};

async function askAll(settings: Settings): Promise<Answer> {
  const found = MAJORS.map((major) => ({ major, ...find(major, settings) }));
  const groups = found.flatMap(({ major, node }) => (node === undefined ? [] : [groupOf(major, node)]));
  const answer = await compareUnderLoad(groups, KEEP_ALIVE, settings, 'cpuUsPerRequest');
  return {
    ...answer,
    subjects: [
      ...answer.subjects,
      ...found.flatMap(({ major, why }) =>
        why === undefined ? [] : [{ name: `Node ${major}`, version: why, settings: 'not measured' }],
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

/** The path of a Node: the one of this run where it is of that version, else one that `scripts/with-node` installs. */
function find(major: number, { node, progress }: Settings): { node?: string; why?: string } {
  if (nodeVersion(node).startsWith(`v${major}.`)) return { node };
  progress(`looking for Node ${major}`);
  try {
    const args = [String(major), 'node', '--print', 'process.execPath'];
    const path = execFileSync(join(ROOT, 'scripts', 'with-node'), args, { encoding: 'utf8', stdio: 'pipe' });
    return { node: path.trim() };
  } catch {
    return { why: `scripts/with-node ${major} did not find it` };
  }
}
