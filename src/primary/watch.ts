// Sees to it that no worker outlives a killed primary for long, not even one in an endless loop that hears nothing.

import { spawn } from 'node:child_process';
import type { Writable } from 'node:stream';

/** The watch's kill comes so much before the end of SHUTDOWN_TIMEOUT. */
const EARLY_MS = 250;
/** At the end of the primary it is waited for so long. */
const END_MS = 200;
/** How often it looks whether the orphans have gone. */
const STEP_S = 0.25;

/**
 * A shell's loop, as it takes a megabyte where another Node takes forty. It reads the workers' pids from a pipe that
 * ends with the primary; then it gives them their time, and kills those left that still are workers. It runs in the
 * background of a session of its own, so that no signal to the primary's children or group reaches it. The pipe comes
 * as stdin because only there libuv makes it a blocking one; a shell's background has no stdin, so it is kept as 3.
 */
const SCRIPT = `exec 3<&0
(
  trap '' HUP INT QUIT TERM
  while read -r line <&3; do pids=$line; done
  left=$1
  while [ "$left" -gt 0 ]; do
    alive=
    for pid in $pids; do kill -0 "$pid" 2>/dev/null && alive=yes; done
    [ "$alive" ] || exit 0
    sleep ${STEP_S}
    left=$((left - 1))
  done
  for pid in $pids; do
    case $(tr '\\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null || ps -o args= -p "$pid") in
      *--inspect-port=0*) kill -9 "$pid" ;;
    esac
  done
) &`;

/** The watch over a fleet's workers. */
export class Watch {
  readonly #pipe: Writable | null;
  readonly #ended: Promise<void>;

  /** @param graceMs how long orphans may take */
  constructor(graceMs: number) {
    const steps = Math.max(0, Math.round((graceMs - EARLY_MS) / 1000 / STEP_S));
    // The script in the environment keeps it out of process lists.
    const shell = spawn('/bin/sh', ['-c', 'eval "$WATCH"', 'hello-server watch', String(steps)], {
      env: { ...process.env, WATCH: SCRIPT },
      detached: true,
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    // Without a shell the fleet does without: workers that hear that their primary is gone end by themselves.
    shell.on('error', () => {});
    this.#pipe = shell.stdin;
    // Node closes the stdin of a child that has ended; this one lives on in the background.
    Object.assign(shell, { stdin: null });
    this.#pipe?.on('error', () => {});
    // Nothing comes out of it but its end.
    this.#ended = new Promise((resolve) => {
      shell.stdout?.resume().once('close', resolve);
      shell.once('error', () => resolve());
    });
    shell.unref();
  }

  /** Ends it, as no worker is left: a service manager would take it for a process that stayed behind. */
  async end(): Promise<void> {
    this.tell([]);
    this.#pipe?.end();
    await Promise.race([this.#ended, new Promise((resolve) => setTimeout(resolve, END_MS))]);
  }

  /** Tells which workers there are. */
  tell(pids: readonly number[]): void {
    this.#pipe?.write(`${pids.join(' ')}\n`);
  }
}
