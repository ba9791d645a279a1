// What `dev` adds to a primary: its settings, the options of its workers, the watch over the project, and what is shown of it.

import type { EnvFile } from '../core/env-file.ts';
import type { Fault, Notice } from '../core/notices.ts';
import type { Log } from '../log/logger.ts';
import { withCode } from './code-frame.ts';
import { Project } from './project.ts';
import { optionsFor } from './typescript.ts';
import { Watcher } from './watcher.ts';

/** Where nobody says otherwise: what is in flight has little time, as the switch is what a developer waits for. */
const DEFAULTS = { DRAIN_TIMEOUT: '0.5', SHUTDOWN_TIMEOUT: '1' } as const;

/** Whoever says otherwise: one worker, and nothing that is waited for before it serves or has gone. */
const FIXED = {
  WEB_CONCURRENCY: '1',
  SETTLE_TIME: '0',
  CANARY_TIME: '0',
  KEEP_PREVIOUS: '0',
  SHUTDOWN_DELAY: '0',
} as const;

/** One development of an app. */
export class Development {
  /** Node's options for its workers. */
  readonly options: readonly string[];
  /** Why it cannot be run, in one line. */
  readonly problem: string | undefined;
  readonly #project: Project;
  /** Files that were saved since the last reload was over. */
  readonly #saved = new Set<string>();

  /**
   * @param entry the file of the app
   * @param envFiles the env files that it is served with
   * @param env the environment; what is insisted on is taken out of it, as it would come first
   */
  constructor(entry: string, envFiles: readonly string[], env: NodeJS.ProcessEnv) {
    const run = optionsFor(entry);
    this.options = 'options' in run ? run.options : [];
    this.problem = 'problem' in run ? run.problem : undefined;
    this.#project = new Project(entry, envFiles);
    for (const name of Object.keys(FIXED)) delete env[name];
  }

  /** What the env files say, between what holds where nobody says otherwise and what is insisted on. */
  layered(files: readonly EnvFile[]): EnvFile[] {
    return [{ values: DEFAULTS, errors: [] }, ...files, { values: FIXED, errors: [] }];
  }

  /** Has `reload` called whenever files of the project were saved. */
  watch(reload: () => void, log: Log): void {
    new Watcher(this.#project, {
      changed: (files) => {
        for (const file of files) this.#saved.add(this.#project.nameOf(file));
        reload();
      },
      cannotWatch: (reason, setting) => log({ notice: 'cannot watch', reason, setting }),
    });
  }

  /** The notice as a developer is told it; undefined = not at all. */
  told(notice: Notice): Notice | undefined {
    switch (notice.notice) {
      case 'reloading':
        return undefined;
      case 'reloaded':
        return this.#reloaded(notice);
      case 'abandoned':
        this.#saved.clear();
        return { ...notice, fault: this.#withCode(notice.fault) };
      case 'cannot serve':
      case 'boot failed':
        return { ...notice, fault: this.#withCode(notice.fault) };
      default:
        return notice;
    }
  }

  #reloaded(notice: Extract<Notice, { notice: 'reloaded' }>): Notice {
    const files = [...this.#saved];
    this.#saved.clear();
    // It may have been asked for by a command.
    return files.length === 0 ? notice : { notice: 'saved', files, tookMs: notice.tookMs };
  }

  #withCode(fault: Fault): Fault {
    if (fault.fault !== 'failed' || fault.failure.stack === undefined) return fault;
    const { root } = this.#project;
    const stack = withCode(fault.failure.stack, (file) => this.#project.contains(file), root);
    return { ...fault, failure: { ...fault.failure, stack } };
  }
}
