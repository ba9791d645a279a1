// The stream of events that the page lives on: opened again whenever it ends or stands still.

import type { History, Status } from '../control/status.ts';

/** A stream that sends nothing for so long is taken for lost, though its connection may stand. */
const SILENT_MS = 6000;
/** The browser gave up: it is asked anew so much later. */
const AGAIN_MS = 2000;
/** How often it is looked whether the stream stands still. */
const LOOK_MS = 1000;

/** Who hears what comes. */
export interface Listeners {
  readonly history: (history: History) => void;
  readonly status: (status: Status) => void;
  /** The stream broke; it is opened again without more being done. */
  readonly lost: () => void;
}

/** Opens the stream, for as long as the page is open. */
export function follow(listeners: Listeners): void {
  let source = open();
  let heardAt = performance.now();
  let again: ReturnType<typeof setTimeout> | undefined;

  function open(): EventSource {
    // Relative: the page may be behind a proxy that gives it a path of its own.
    const opened = new EventSource('events');
    opened.addEventListener('history', ({ data }: MessageEvent<string>) => {
      heardAt = performance.now();
      const history: unknown = JSON.parse(data);
      if (isHistory(history)) listeners.history(history);
    });
    opened.addEventListener('status', ({ data }: MessageEvent<string>) => {
      heardAt = performance.now();
      const status: unknown = JSON.parse(data);
      if (isStatus(status)) listeners.status(status);
    });
    opened.addEventListener('error', () => {
      listeners.lost();
      // Otherwise the browser tries again by itself.
      if (opened.readyState === EventSource.CLOSED) reopen(AGAIN_MS);
    });
    return opened;
  }

  function reopen(afterMs: number): void {
    clearTimeout(again);
    again = setTimeout(() => {
      source.close();
      heardAt = performance.now();
      source = open();
    }, afterMs);
  }

  setInterval(() => {
    // One that the browser gave up is opened anew already.
    if (source.readyState === EventSource.CLOSED || performance.now() - heardAt < SILENT_MS) return;
    listeners.lost();
    reopen(0);
  }, LOOK_MS);
}

type Fields = Readonly<Record<string, unknown>>;
const isObject = (value: unknown): value is Fields => typeof value === 'object' && value !== null;

// The page comes from the server that it listens to, so it only tells apart what is whole.
const isHistory = (value: unknown): value is History => isObject(value) && isObject(value.series);
const isStatus = (value: unknown): value is Status =>
  isObject(value) && Array.isArray(value.workers) && isObject(value.now) && isObject(value.totals);
