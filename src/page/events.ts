// The list of what has happened last, the newest first.

import type { Status } from '../control/status.ts';
import { duration } from '../core/duration.ts';
import { byId, element, fillList, setText, WRONG } from './dom.ts';

/** Shows what has happened. */
export function showEvents(events: Status['events']): void {
  byId('quiet').hidden = events.length > 0;
  fillList(
    byId('events'),
    events,
    () => {
      const entry = element('li');
      entry.append(element('span', 'ago'), element('span', 'level'), element('span', 'text'));
      return entry;
    },
    (entry, { ago, level, text }) => {
      const [when, how, what] = entry.children;
      const bad = level !== 'info';
      if (entry.className !== level) entry.className = level;
      if (when instanceof HTMLElement) setText(when, `${duration(ago)} ago`);
      if (how instanceof HTMLElement) setText(how, bad ? `${WRONG}${level}` : level);
      if (what instanceof HTMLElement) setText(what, text);
    },
  );
}
