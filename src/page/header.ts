// The head of the page: which hello-server this is, how it is, and what is wrong with it.

import type { Status } from '../control/status.ts';
import { duration } from '../core/duration.ts';
import { byId, element, fillList, setText, setTold, WRONG } from './dom.ts';
import { count, timeOfDay } from './format.ts';
import { readyIn, type Wrong } from './wrong.ts';

const NAME = 'hello-server';

/** The facts beside the name: their ids in index.html, and what stands there. */
const FACTS: readonly (readonly [id: string, text: (status: Status) => string])[] = [
  ['port', ({ host, port }) => (host === null ? String(port) : `${port} on ${host}`)],
  ['app', ({ app }) => app ?? 'Hello'],
  ['generation', ({ generation }) => count(generation)],
  ['uptime', ({ uptime }) => duration(uptime)],
  ['pid', ({ pid }) => String(pid)],
  ['node', ({ node }) => node],
];

/** Shows a status with what is wrong in it; the stream is there. */
export function showHeader(status: Status, wrongs: readonly Wrong[]): void {
  const { version, state, health, wanted, port } = status;
  const ready = readyIn(status);
  setText(byId('version'), version);
  const { reload } = status;
  setText(byId('state'), reload && state === 'reloading' ? `reloading, ${reload.phase}` : state);
  byId('state').className = `state ${state}`;
  setTold(byId('health'), health.ready ? 'ready' : 'not ready', !health.ready);
  setTold(byId('ready'), `${ready} of ${wanted} workers ready`, ready < wanted);
  for (const [id, text] of FACTS) setText(byId(id), text(status));

  byId('fine').hidden = wrongs.length > 0;
  fillList(
    byId('wrongs'),
    wrongs,
    () => {
      const entry = element('li');
      entry.append(element('strong'), element('span'));
      return entry;
    },
    (entry, { what, details, level }) => {
      entry.className = level;
      const [strong, span] = entry.children;
      if (strong instanceof HTMLElement) setText(strong, `${WRONG}${what}`);
      if (span instanceof HTMLElement) setText(span, details);
    },
  );

  // A screen reader says this whenever it changes: it has no figures in it.
  const words = wrongs.map(({ what }) => what).join(', ');
  setText(byId('said'), `${state}, ${words === '' ? 'nothing is wrong' : words}`);
  title(port, wrongs[0]?.what ?? (state === 'running' ? undefined : state), wrongs.length > 0);
  connected();
}

/** Says that the stream broke, and how old the figures are that stand there. */
export function showLost(last: Status | undefined, at: number): void {
  if (document.body.classList.contains('lost')) return;
  document.body.classList.add('lost');
  setText(byId('lost'), `${WRONG}connection lost, trying again...`);
  setText(byId('as-of'), last === undefined ? '' : `What stands here is from ${timeOfDay(at, 'seconds')}.`);
  title(last?.port, 'connection lost', true);
}

function connected(): void {
  if (!document.body.classList.contains('lost')) return;
  document.body.classList.remove('lost');
  setText(byId('lost'), '');
  setText(byId('as-of'), '');
}

function title(port: number | undefined, what: string | undefined, wrong: boolean): void {
  const where = port === undefined ? NAME : `${NAME} ${port}`;
  const text = what === undefined ? where : `${wrong ? '⚠ ' : ''}${what} - ${where}`;
  if (document.title !== text) document.title = text;
}
