// Runs the commands of curl that a page shows, against a server on a port of its own.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exchanges } from './manual.ts';
import { launch } from './server.ts';

/** What the pages' servers listen on. */
const SHOWN_PORTS = /\blocalhost:(3000|9464)\b/g;

/**
 * Runs each command of a block as it stands, but for the port, and returns what is printed beside what the page shows of it.
 * What curl remarks itself, which begins with `*` and differs from one version to the next, is left out, as on the pages.
 */
export async function runCurl(
  text: string,
  port: number,
): Promise<{ readonly command: string; readonly printed: string; readonly shown: string }[]> {
  const home = mkdtempSync(join(tmpdir(), 'hello-server-curl-'));
  // In a terminal, as the pages show it, curl has no progress to show.
  writeFileSync(join(home, '.curlrc'), 'silent\nshow-error\n');
  const ran: { command: string; printed: string; shown: string }[] = [];
  try {
    for (const { command, output } of exchanges(text)) {
      const line = `exec 2>&1\n${command.replaceAll(SHOWN_PORTS, `localhost:${port}`)}`;
      const running = launch({ line, env: { HOME: home } });
      const { code } = await running.end();
      if (code !== 0) throw new Error(`expected \`${command}\` to succeed, got ${code}\n${running.out}`);
      const printed = running.out
        .split(/\r?\n/)
        .filter((one) => !/^[*{}] /.test(one))
        .join('\n');
      ran.push({ command, printed, shown: output });
    }
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
  return ran;
}
