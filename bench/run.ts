// npm run bench [-- NAME ...] [--quick] [--node PATH]: asks the questions, prints and keeps their answers.

import { parse } from './arguments.ts';
import type { Settings } from './measure/turns.ts';
import { QUESTIONS } from './questions.ts';
import { writePage } from './report/page-file.ts';
import { tableOf, targetTable, terminalTable } from './report/table.ts';
import type { Result } from './result.ts';
import { folderOf, load, machine, save } from './results.ts';
import { endAll, SubjectError } from './subject.ts';
import { HEADLINE_MAJOR, nodeOf, nodeVersion } from './versions.ts';

const FULL = { rounds: 8, seconds: 2 };
const QUICK = { rounds: 3, seconds: 1 };
const CUT_SHORT = { SIGINT: 130, SIGTERM: 143 } as const;

function refuse(problem: string): never {
  console.error(problem);
  process.exit(2);
}

/** One line that is written over in a terminal, a line each elsewhere. */
function progress(text: string): void {
  process.stderr.write(process.stderr.isTTY ? `\r\x1b[K${text}` : `${text}\n`);
}

/** Asks one question; resolves with what went wrong. */
async function answer(question: (typeof QUESTIONS)[number], settings: Settings): Promise<string[]> {
  const { name, asks, how } = question;
  try {
    const { comparisons, subjects, failures } = await question.ask({
      ...settings,
      progress: (text) => progress(`${name}: ${text}`),
    });
    if (process.stderr.isTTY) progress('');
    const result: Result = {
      question: name,
      asks,
      how,
      date: new Date().toISOString(),
      node: nodeVersion(settings.node),
      quick: settings.quick,
      machine: machine(),
      subjects,
      comparisons,
      failures,
    };
    save(result);
    console.log(`\n${name}: ${asks}`);
    for (const comparison of comparisons)
      console.log(`\n${comparison.title}\n${terminalTable(tableOf(comparison, subjects))}`);
    return [...failures];
  } catch (error) {
    if (process.stderr.isTTY) progress('');
    if (error instanceof SubjectError) return [error.message];
    throw error;
  }
}

async function main(args: readonly string[]): Promise<void> {
  const wanted = parse(
    args,
    QUESTIONS.map(({ name }) => name),
  );
  if (typeof wanted === 'string') refuse(wanted);
  const { names, quick } = wanted;
  const node = wanted.node ?? nodeOf(HEADLINE_MAJOR, process.execPath);
  if (node === undefined)
    refuse(
      `expected Node ${HEADLINE_MAJOR}, which \`scripts/with-node\` installs, or --node PATH, got neither`,
    );
  let version = '';
  try {
    version = nodeVersion(node);
  } catch {
    refuse(`--node: expected a Node that runs, got \`${node}\``);
  }
  // Each time, not once: a terminal and npm both send one, and the second would end this process before its subjects are.
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.on(signal, () => process.exit(CUT_SHORT[signal]));
  process.on('exit', endAll);
  console.log(
    `Node ${version}, ${new Date().toISOString()}${quick ? ', quick: the figures say little' : ''}`,
  );
  const failures: string[] = [];
  for (const question of QUESTIONS) {
    if (names.length > 0 && !names.includes(question.name)) continue;
    const wrong = await answer(question, { node, quick, ...(quick ? QUICK : FULL), progress });
    for (const line of wrong) console.error(line);
    failures.push(...wrong);
  }
  const results = load(folderOf(quick));
  console.log(`\n${terminalTable(targetTable(results))}`);
  console.log(`\nreport: ${writePage(results)}`);
  // Not by exit(): what has been printed is still to be written.
  process.exitCode = failures.length > 0 ? 1 : 0;
}

await main(process.argv.slice(2));
