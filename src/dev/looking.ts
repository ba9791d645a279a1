// Looks at all files of a project every so often, where the kernel cannot tell of those that are saved.

import { statSync } from 'node:fs';
import type { Project } from './project.ts';

/** Pause between two looks, and how many times longer than the last look it is at least: a tenth of a CPU at most. */
const PAUSE_MS = 400;
const PAUSE_TIMES = 9;

/** Looks until the function that it returns is called; tells which files were written since the last look. */
export function lookRegularly(project: Project, tell: (files: readonly string[]) => void): () => void {
  let before = look(project);
  const again = (): void => {
    const began = performance.now();
    const now = look(project);
    tell([...now].flatMap(([file, state]) => (before.get(file) === state ? [] : [file])));
    before = now;
    timer = setTimeout(again, Math.max(PAUSE_MS, PAUSE_TIMES * (performance.now() - began)));
  };
  let timer = setTimeout(again, PAUSE_MS);
  return () => clearTimeout(timer);
}

/** The files that count, each with what changes when it is written. */
function look(project: Project): Map<string, string> {
  const states = new Map<string, string>();
  const visit = (folder: string): void => {
    const { folders, files } = project.read(folder);
    for (const file of files) {
      const stat = statSync(file, { throwIfNoEntry: false });
      if (stat) states.set(file, `${stat.ino} ${stat.size} ${stat.mtimeMs}`);
    }
    for (const below of folders) visit(below);
  };
  for (const folder of project.beginnings) visit(folder);
  return states;
}
