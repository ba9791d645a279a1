// `hello-server init KIND`: writes the file by which a manager runs the app of this folder.

import { CANNOT_SERVE, OK } from '../core/exit-codes.ts';
import { readEnvFiles } from '../host/env-files.ts';
import { workingDirectory } from '../host/paths.ts';
import { MAKERS } from './files.ts';
import { checkedName } from './names.ts';
import { readProject } from './project.ts';
import { type Environment, findSettings } from './settings.ts';
import { Refused, type Wish } from './wish.ts';
import { writeWhole } from './write.ts';

/** What init says, and how it ends. */
export interface Told {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Writes the file of a kind into the working directory. */
export async function init(wish: Wish, env: Environment): Promise<Told> {
  try {
    const files = await readEnvFiles(wish.envFiles);
    return { code: OK, out: write(wish, workingDirectory(), findSettings(env, files)), err: '' };
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return { code: error.code, out: '', err: `${error.message}\n` };
  }
}

function write(
  { kind, app, name: given, force, envFiles }: Wish,
  folder: string,
  found: ReturnType<typeof findSettings>,
): string {
  const project = readProject(folder, app);
  const name = checkedName(kind, given ?? project.name);
  const { file, text, beside, next } = MAKERS[kind]({ project, name, envFiles, found });
  if (!writeWhole(folder, file, text, force))
    throw new Refused(CANNOT_SERVE, `${file} is there already: --force writes over it`);
  const wrote = [file];
  if (beside && writeWhole(folder, beside.file, beside.text, false)) wrote.push(beside.file);
  const lines = next.map(([what, command]) => `${what}:\n  ${command}\n`);
  return `wrote ${wrote.join(' and ')}, to run ${project.app}${kind === 'procfile' ? '' : ` as ${name}`}\n${lines.join('')}`;
}
