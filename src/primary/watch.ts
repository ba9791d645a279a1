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
 * A shell's loop, as it takes a megabyte where another Node takes forty. It reads from a pipe that ends with the primary:
 * `+ PID` for a worker that came, `- PID` for one that went, `= STEPS` for how often it looks before it kills. Then it gives those that are left their time, and kills
 * those that still are there. A worker is known by what it cannot change, unlike its title: its pid together with the
 * time at which it started. It runs in the background of a session of its own, so that no signal to the primary's
 * children or group reaches it. The pipe comes as stdin because only there libuv makes it a blocking one; a shell's
 * background has no stdin, so it is kept as 3.
 */
const SCRIPT = `exec 3<&0
# Sets start to the time at which a process started, with no process of its own where there is /proc: the 20th field
# behind the name, which stands in parentheses and may hold anything. Empty where there is no such process.
started() {
  stat=
  if [ -r /proc/self/stat ]; then
    { while read -r line || [ "$line" ]; do stat="$stat$line "; done <"/proc/$1/stat"; } 2>/dev/null
    set -- \${stat##*)}
    start=\${20}
  else
    start=$(ps -o lstart= -p "$1" | tr -d ' ')
  fi
}
(
  trap '' HUP INT QUIT TERM
  workers=' '
  left=$1
  while read -r sign pid <&3; do
    case $sign$workers in
      +*) started "$pid"; [ "$start" ] && workers="$workers$pid:$start " ;;
      =*) left=$pid ;;
      -*" $pid:"*) rest=\${workers#* $pid:}; workers="\${workers%% $pid:*} \${rest#* }" ;;
    esac
  done
  while [ "$left" -gt 0 ]; do
    alive=
    for worker in $workers; do kill -0 "\${worker%%:*}" 2>/dev/null && alive=yes; done
    [ "$alive" ] || exit 0
    sleep ${STEP_S}
    left=$((left - 1))
  done
  for worker in $workers; do
    started "\${worker%%:*}"
    [ "$start" = "\${worker#*:}" ] && kill -9 "\${worker%%:*}"
  done
) &`;

/** How often the watch looks at orphans before it kills them. */
const stepsIn = (graceMs: number): number => Math.max(0, Math.round((graceMs - EARLY_MS) / 1000 / STEP_S));

/** The watch over a fleet's workers. */
export class Watch {
  readonly #pipe: Writable | null;
  readonly #ended: Promise<void>;
  #known: ReadonlySet<number> = new Set();

  /** @param graceMs how long orphans may take */
  constructor(graceMs: number) {
    // The script in the environment keeps it out of process lists.
    const shell = spawn('/bin/sh', ['-c', 'eval "$WATCH"', 'hello-server watch', String(stepsIn(graceMs))], {
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

  /** Gives orphans so long from now on. */
  allow(graceMs: number): void {
    this.#pipe?.write(`= ${stepsIn(graceMs)}\n`);
  }

  /** Tells which workers there are; what has changed since the last time goes to the shell. */
  tell(pids: readonly number[]): void {
    const now = new Set(pids);
    const came = pids.filter((pid) => !this.#known.has(pid)).map((pid) => `+ ${pid}\n`);
    const went = [...this.#known].filter((pid) => !now.has(pid)).map((pid) => `- ${pid}\n`);
    this.#known = now;
    // Those that went come first: a pid may have gone to a new worker since.
    const lines = [...went, ...came];
    if (lines.length > 0) this.#pipe?.write(lines.join(''));
  }
}
