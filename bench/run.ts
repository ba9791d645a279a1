// npm run bench [-- NAME...] [--quick]: answers the questions of this folder, one file each.

import { keepAlive } from './keep-alive.ts';
import { reload } from './reload.ts';

const args = process.argv.slice(2);
const quick = args.includes('--quick');
const questions: Readonly<Record<string, () => Promise<void>>> = {
  'keep-alive': () => keepAlive(quick ? 3 : 8, quick ? 1 : 2),
  reload: () => reload(quick ? 3 : 10),
};

const names = args.filter((arg) => arg !== '--quick');
const unknown = names.find((name) => !(name in questions));
if (unknown !== undefined) {
  console.error(`expected ${Object.keys(questions).join(' or ')}, got \`${unknown}\``);
  process.exit(2);
}
console.log(`Node ${process.version}, ${new Date().toISOString()}`);
for (const [name, ask] of Object.entries(questions))
  if (names.length === 0 || names.includes(name)) await ask();
