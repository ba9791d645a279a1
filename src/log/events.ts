// Which notices are events of a fleet that runs from code, and what such an event tells.

import type { ToldEvent } from '../core/fleet-events.ts';
import type { Notice, WorkerName } from '../core/notices.ts';
import { killText, wayText } from './endings.ts';
import { faultText } from './faults.ts';

const named = ({ worker, generation, pid }: WorkerName): WorkerName => ({ worker, generation, pid });

/** The event that a notice is; undefined for one that is only a line of the log. */
export function eventOf(notice: Notice): ToldEvent | undefined {
  switch (notice.notice) {
    case 'ready':
      return { name: 'ready', data: { ...named(notice.of), afterMs: Math.round(notice.afterMs) } };
    case 'boot failed':
      return { name: 'bootFailed', data: { ...named(notice.of), reason: faultText(notice.fault) } };
    case 'crashed': {
      const { of, ending, nextMs = null } = notice;
      return {
        name: 'crashed',
        data: { ...named(of), how: wayText(ending), nextMs: nextMs && Math.round(nextMs) },
      };
    }
    case 'hung': {
      const { of, silentMs, place = null, holding } = notice;
      return { name: 'hung', data: { ...named(of), silentMs: Math.round(silentMs), place, holding } };
    }
    case 'replacing':
    case 'recycled early':
      return { name: 'replacing', data: { ...named(notice.of), why: notice.why } };
    case 'draining':
      return { name: 'draining', data: { ...named(notice.of), why: notice.why } };
    case 'killed':
      return { name: 'killed', data: { ...named(notice.of), why: killText(notice.kill) } };
    case 'gone':
      return { name: 'gone', data: { ...named(notice.of), how: wayText(notice.ending) } };
    case 'unwell':
      return { name: 'unwell', data: { ...named(notice.of), reason: notice.reason } };
    case 'well again':
      return { name: 'well', data: named(notice.of) };
    case 'poison':
      return { name: 'poison', data: { request: notice.request, deaths: notice.deaths } };
    case 'crash loop':
      return { name: 'crashLoop', data: { boots: notice.boots } };
    case 'reloading':
      return { name: 'reloading', data: { generation: notice.generation } };
    case 'canary': {
      const { generation, workers, forMs } = notice;
      return { name: 'canary', data: { generation, workers, forMs } };
    }
    case 'reloaded':
      return { name: 'reloaded', data: { generation: notice.generation, tookMs: Math.round(notice.tookMs) } };
    case 'abandoned':
      return {
        name: 'reloadAbandoned',
        data: { generation: notice.generation, reason: faultText(notice.fault) },
      };
    case 'kept': {
      const { generation, workers, forMs } = notice;
      return { name: 'kept', data: { generation, workers, forMs } };
    }
    case 'rolled back':
      return {
        name: 'rolledBack',
        data: { generation: notice.generation, tookMs: Math.round(notice.tookMs) },
      };
    case 'scaled':
      return { name: 'scaled', data: { from: notice.from, to: notice.to } };
    case 'received':
      return { name: 'stopping', data: { what: notice.what } };
    default:
      return undefined;
  }
}
