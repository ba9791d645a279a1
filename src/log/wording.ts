// Words every notice and every outcome, once: its level, its one phrase, and the data that stands beside it in json.

import type { LogLevel } from '../core/config.ts';
import type { Notice, Outcome } from '../core/notices.ts';
import { duration, hours, name } from './amounts.ts';
import { at, crashText, killText, poisonText, wayText, workingOn } from './endings.ts';
import { askedText, faultText, stackOf } from './faults.ts';
import { replaceText, sharingText } from './memory.ts';
import { needsRestart, programText, upgradedText, upgradeFailed, workersText } from './upgrades.ts';

/** One log line. In text it is `text`, then the stack; in json `text` is `msg` and `data` stands beside it. */
export interface Line {
  readonly level: Exclude<LogLevel, 'silent'>;
  readonly text: string;
  readonly data?: Readonly<Record<string, unknown>>;
  readonly stack?: string | undefined;
}

/** So many saved files are named. */
const MOST_FILES = 3;

/** The notice as a log line. */
export function lineOf(notice: Notice): Line {
  switch (notice.notice) {
    case 'listening':
      return {
        level: 'info',
        text: `Server listening on port ${notice.port}`,
        data: { port: notice.port },
      };
    case 'visit':
      return {
        level: 'info',
        text: `Visit http://localhost:${notice.port} or use curl -v http://localhost:${notice.port}`,
      };
    case 'received':
      return { level: 'info', text: `Received ${notice.what}, shutting down gracefully...` };
    case 'closed':
      return { level: 'info', text: 'Server closed successfully' };
    case 'cut short':
      return { level: 'error', text: `Received ${notice.signal} again, killing what still runs` };
    case 'ready':
      return {
        level: 'debug',
        text: `${name(notice.of)} ready after ${duration(notice.afterMs)}`,
        data: { ...notice.of },
      };
    case 'boot failed': {
      const { of, fault } = notice;
      return {
        level: 'error',
        text: `${name(of)} failed to boot: ${faultText(fault)}`,
        data: { ...of },
        stack: stackOf(fault),
      };
    }
    case 'cannot serve':
      // The first generation cannot boot: its reason alone, as it is the whole story.
      return { level: 'fatal', text: faultText(notice.fault), stack: stackOf(notice.fault) };
    case 'crash loop':
      return {
        level: 'fatal',
        text: `crash loop: ${notice.boots} boots in a row did not get ready and no worker serves, giving up`,
      };
    case 'crashed': {
      const { of, ending, uptimeMs, nextMs } = notice;
      const next =
        nextMs === undefined ? '' : nextMs === 0 ? ', respawning' : `, respawning in ${duration(nextMs)}`;
      const { cause, holding } = ending;
      return {
        level: 'error',
        text: `${name(of)} ${crashText(ending, ` after ${duration(uptimeMs)}`)}${next}`,
        data: { ...of, how: wayText(ending), uptime: uptimeMs / 1000, cause: cause?.cause, holding },
      };
    }
    case 'poison':
      return {
        level: 'error',
        text: poisonText(notice),
        data: { request: notice.request, deaths: notice.deaths },
      };
    case 'gone': {
      const { of, ending, uptimeMs } = notice;
      const how = wayText(ending);
      return {
        level: 'debug',
        text: `${name(of)} gone as asked: ${how} after ${duration(uptimeMs)}`,
        data: { ...of, how, uptime: uptimeMs / 1000 },
      };
    }
    case 'interrupted':
      return {
        level: 'info',
        text: `${name(notice.of)} got ${wayText(notice.ending)} while booting, booting it again`,
        data: { ...notice.of },
      };
    case 'replacing':
      return {
        level: 'info',
        text: `replacing ${name(notice.of)}: ${replaceText(notice.why, notice.passed)}`,
        data: { ...notice.of, why: notice.why, ...notice.passed },
      };
    case 'recycled early': {
      const { of, why, passed, uptimeMs } = notice;
      return {
        level: 'warn',
        text:
          `replacing ${name(of)}: ${replaceText(why, passed)} ${duration(uptimeMs)} after it was ready, again; fresh workers seem to need ` +
          'more than the limit, so further replacements are delayed and not logged',
        data: { ...of, why, ...passed, uptime: uptimeMs / 1000 },
      };
    }
    case 'memory shared out': {
      const { sharing } = notice;
      return {
        level: sharing.fits ? 'debug' : 'warn',
        text: sharingText(sharing),
        data: { limit: sharing.limitMiB, share: sharing.fits ? sharing.share.rssMiB : sharing.eachMiB },
      };
    }
    case 'draining':
      return {
        level: 'debug',
        text: `${name(notice.of)} draining: ${notice.why}`,
        data: { ...notice.of, why: notice.why },
      };
    case 'killed': {
      const why = killText(notice.kill);
      return { level: 'warn', text: `killed ${name(notice.of)}: ${why}`, data: { ...notice.of, why } };
    }
    case 'hung': {
      const { of, silentMs, place, holding, stack } = notice;
      const [first, ...more] = holding;
      const others = more.length > 0 ? ` and ${more.length} more` : '';
      const held = first === undefined ? '' : `, holding ${first}${others}`;
      const where = place === undefined ? ', where it does not say' : ` in ${place}`;
      return {
        level: 'error',
        text: `worker ${of.worker} hung for ${Math.round(silentMs / 1000)} s${where}${held}`,
        data: { ...of, silent: silentMs / 1000, place, holding },
        stack,
      };
    }
    case 'upgrading':
      return {
        level: 'info',
        text: `upgrading: a successor boots ${workersText(notice.workers)}`,
        data: { workers: notice.workers },
      };
    case 'succeeded': {
      const { pid, program, workers } = notice;
      return {
        level: 'info',
        text: `the successor serves (pid ${pid}, ${programText(program)}): draining ${workersText(workers)} of this one`,
        data: { successor: pid, ...program },
      };
    }
    case 'becoming':
      return { level: 'info', text: `all have gone: this process becomes ${programText(notice.program)}` };
    case 'upgraded': {
      const { from, to, generation, tookMs } = notice;
      return {
        level: 'info',
        text: `${upgradedText(from, to)}: generation ${generation} after ${duration(tookMs)}`,
        data: { from, to, took: tookMs / 1000 },
      };
    }
    case 'no upgrade':
      return { level: 'warn', text: upgradeFailed(false, notice.reason) };
    case 'upgrade abandoned':
      return { level: 'error', text: upgradeFailed(true, notice.reason) };
    case 'not during upgrade':
      return { level: 'warn', text: `no ${notice.what}: an upgrade is under way` };
    case 'reloading':
      return {
        level: 'info',
        text: `reloading: generation ${notice.generation}`,
        data: { reload: notice.generation },
      };
    case 'reloaded':
      return {
        level: 'info',
        text:
          `reloaded: generation ${notice.generation} serves after ${duration(notice.tookMs)}` +
          (notice.asked === 0 ? askedText(0) : ''),
        data: { reload: notice.generation, duration: notice.tookMs / 1000, asked: notice.asked },
      };
    case 'canary': {
      const { generation, workers, forMs } = notice;
      return {
        level: 'info',
        text: `canary: ${workers} ${workers === 1 ? 'worker' : 'workers'} of generation ${generation} for ${duration(forMs)}`,
        data: { generation, workers, seconds: forMs / 1000 },
      };
    }
    case 'kept': {
      const { generation, workers, forMs } = notice;
      const many = `${workers} ${workers === 1 ? 'worker' : 'workers'}`;
      return {
        level: 'info',
        text: `generation ${generation} stands by with ${many} for ${duration(forMs)}`,
        data: { generation, workers, seconds: forMs / 1000 },
      };
    }
    case 'rolling back':
      return {
        level: 'warn',
        text: `rolling back from generation ${notice.from} to ${notice.to}`,
        data: { from: notice.from, to: notice.to },
      };
    case 'rolled back':
      return {
        level: 'warn',
        text: `rolled back: generation ${notice.generation} serves again after ${duration(notice.tookMs)}`,
        data: { generation: notice.generation, duration: notice.tookMs / 1000 },
      };
    case 'canary passed':
      return {
        level: 'info',
        text: `canary passed: generation ${notice.generation}${askedText(notice.asked)}`,
        data: { generation: notice.generation, asked: notice.asked },
      };
    case 'abandoned':
      return {
        level: 'error',
        text: `reload abandoned${notice.nothingServes ? '' : ', the old generation goes on'}: ${faultText(notice.fault)}`,
        data: { reload: notice.generation },
        stack: stackOf(notice.fault),
      };
    case 'scaled':
      return {
        level: 'info',
        text: `scaling from ${notice.from} to ${notice.to} workers`,
        data: { from: notice.from, to: notice.to },
      };
    case 'unwell':
      return {
        level: 'warn',
        text: `${name(notice.of)} is unwell: ${notice.reason}`,
        data: { ...notice.of, reason: notice.reason },
      };
    case 'well again':
      return { level: 'info', text: `${name(notice.of)} is well again`, data: { ...notice.of } };
    case 'saved': {
      const { files, tookMs } = notice;
      const named = files.slice(0, MOST_FILES).join(', ');
      const more = files.length > MOST_FILES ? ` and ${files.length - MOST_FILES} more` : '';
      return {
        level: 'info',
        text: `reloaded: ${named}${more} changed (${duration(tookMs)})`,
        data: { files, duration: tookMs / 1000 },
      };
    }
    case 'boots anew':
      return {
        level: 'info',
        text: `${name(notice.of)} boots anew: a file was saved before it was ready`,
        data: { ...notice.of },
      };
    case 'awaits save':
      return { level: 'warn', text: 'nothing serves until a file is saved that mends it' };
    case 'cannot watch': {
      const { reason, setting } = notice;
      const raise = setting === undefined ? '' : `; raise ${setting} to be told of them at once`;
      return { level: 'warn', text: `files are looked at instead of watched: ${reason}${raise}` };
    }
    case 'ignored signal':
      return { level: 'warn', text: `ignored ${notice.signal}: SIGHUP reloads` };
    case 'long duration':
      return {
        level: 'warn',
        text:
          `${notice.variable}: ${notice.seconds} is ${notice.seconds} seconds, about ` +
          `${hours(notice.seconds)}; durations are seconds`,
        data: { variable: notice.variable, seconds: notice.seconds },
      };
    case 'needs restart':
      return {
        level: 'warn',
        text: `${notice.variables.join(', ')}: changed, which takes effect with ${needsRestart(notice.variables)} alone`,
        data: { variables: notice.variables },
      };
    case 'no working directory':
      return {
        level: 'warn',
        text: `the working directory ${notice.path} is gone: new workers start in /`,
      };
    case 'no control socket':
      return {
        level: 'warn',
        text: `no control socket, so status, reload, scale and stop do not work: ${notice.reason}`,
      };
    case 'other control socket':
      return { level: 'warn', text: `the control socket is not at its usual place: ${notice.reason}` };
    case 'bad control socket':
      return { level: 'fatal', text: `CONTROL_SOCKET: cannot use ${notice.path}: ${notice.reason}` };
    case 'systemd unreachable':
      return { level: 'warn', text: `systemd cannot be notified: ${notice.reason}` };
    case 'bad app metrics':
      return { level: 'warn', text: `metrics of the app are left out: ${notice.reason}` };
    case 'descriptors exhausted':
      return {
        level: 'warn',
        text: 'no file descriptor is left in the primary: it gives up its reserve to stay answerable (raise ulimit -n)',
      };
    case 'descriptors back':
      return { level: 'info', text: 'file descriptors are free again in the primary' };
    case 'primary failed':
      return {
        level: 'fatal',
        text: `the primary failed, stopping: ${notice.message}`,
        stack: notice.stack,
      };
    case 'cut': {
      const { connections, graceMs } = notice;
      const what = connections === 1 ? 'connection' : 'connections';
      return {
        level: 'warn',
        text: `cut ${connections} unfinished ${what} after ${duration(graceMs)} of grace`,
        data: { connections },
      };
    }
    case 'dropped':
      return {
        level: 'warn',
        text: `dropped ${notice.lines} log ${notice.lines === 1 ? 'line' : 'lines'}: the reader of the log stalled`,
        data: { lines: notice.lines },
      };
    case 'client left': {
      const { method, url } = notice;
      return {
        level: 'debug',
        text: `client left before the answer was complete: ${method} ${url}`,
        data: { method, url },
      };
    }
    case 'app failed': {
      const { method, url, message, stack } = notice;
      return {
        level: 'error',
        text: `app failed: ${method} ${url}: ${message}`,
        data: { method, url },
        stack,
      };
    }
    case 'close failed':
      return { level: 'error', text: `app failed to close: ${notice.message}`, stack: notice.stack };
    case 'lead failed':
      return { level: 'error', text: `app failed to lead: ${notice.message}`, stack: notice.stack };
    case 'uncaught':
      return {
        level: 'fatal',
        text: `${notice.origin}: ${notice.message}${workingOn(notice.holding)}`,
        data: { holding: notice.holding },
        stack: notice.stack,
      };
    case 'orphaned':
      return { level: 'error', text: 'the primary is gone: answering what is open, then leaving' };
    case 'slow turn': {
      const { worker, method, path, ms } = notice;
      return {
        level: 'warn',
        text: `worker ${worker} was blocked for ${Math.round(ms)} ms by ${method} ${path}`,
        data: { method, path, ms: Math.round(ms) },
      };
    }
    case 'asked to exit':
      return {
        level: 'warn',
        text: `the app called process.exit(${notice.code})${at(notice.place)}: its worker is replaced first`,
        data: { code: notice.code, place: notice.place },
      };
    case 'needless listen':
      return {
        level: 'warn',
        text: 'the app has a server listen although its default export is served: that server is not needed',
      };
    case 'closed by app':
      return { level: 'warn', text: 'the app closed its server: its worker is replaced first' };
    case 'warm-up failed': {
      const of = notice.of === undefined ? '' : `${notice.of}: `;
      return { level: 'debug', text: `warm-up failed: ${of}${notice.problem}` };
    }
    case 'warm-up cut':
      return { level: 'debug', text: `warm-up cut after ${duration(notice.afterMs)}` };
    case 'warm-up skipped':
      return {
        level: 'debug',
        text: 'warm-up skipped: the server was to listen before the app had said what it exports',
      };
    case 'asked to disconnect':
      return {
        level: 'warn',
        text: 'the app called process.disconnect(): its worker keeps the channel to the primary until it is replaced',
      };
    case 'channel closed':
      return {
        level: 'error',
        text: 'the channel to the primary was closed in this worker: answering what is open, then leaving',
      };
  }
}

/** What the person who gave a command is told of its end. */
export function outcomeText(outcome: Outcome): string {
  switch (outcome.outcome) {
    case 'reloaded':
      return `reloaded: generation ${outcome.generation} serves`;
    case 'abandoned':
      return `reload abandoned: ${faultText(outcome.fault)}`;
    case 'boot failed':
      return faultText(outcome.fault);
    case 'rolled back':
      return `rolled back: generation ${outcome.generation} serves again`;
    case 'nothing kept':
      return 'nothing to roll back to: no generation stands by (KEEP_PREVIOUS)';
    case 'upgrade under way':
      return 'an upgrade is under way';
    case 'upgrade failed':
      return upgradeFailed(outcome.begun, outcome.reason);
    case 'reload under way':
      return 'a reload is under way, which can be rolled back when it is over';
    case 'scaled':
      return `${workersText(outcome.workers)} ${outcome.workers === 1 ? 'serves' : 'serve'}`;
    case 'rescaled':
      return `scaled to ${outcome.workers} workers meanwhile`;
    case 'reload cut by stop':
      return 'reload abandoned: the fleet is stopping';
    case 'stopping':
      return 'the fleet is stopping';
    case 'stopped':
      return 'stopped';
  }
}

/** Why the public port cannot be had. */
export function cannotListen(
  port: number,
  host: string | undefined,
  code: string | undefined,
  detail: string,
): string {
  if (code === 'EADDRINUSE') return `Port ${port} is already in use`;
  if (code === 'EACCES') return `Permission denied - cannot bind to port ${port}`;
  return `Cannot listen on ${host ?? 'all addresses'}, port ${port}: ${detail}`;
}

/** Why a worker of another version does not boot. */
export const upgraded = (from: string, to: string): string =>
  `upgraded from ${from} to ${to}: hello-server upgrade`;
