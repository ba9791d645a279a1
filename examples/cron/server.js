// A server with a job that must run once: `lead` is called in one worker at a time, over reloads and crashes.

import { appendFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

const pauseMs = Number(process.env.PAUSE_MS ?? 60_000);
const generation = process.env.HELLO_SERVER_GENERATION ?? 'none';

const note = (what) =>
  appendFile('job.log', `${new Date().toISOString()} ${what} ${process.pid} of generation ${generation}\n`);

async function job() {
  await note('begins');
  await sleep(200); // the work
  await note('ends');
}

/** Is called in one ready worker; the next one is called when this has returned. The job at hand is finished first. */
export async function lead(signal) {
  while (!signal.aborted) {
    await job();
    await sleep(pauseMs, undefined, { signal }).catch(() => {});
  }
}

export default function app(_request, response) {
  response.end(`Hello from generation ${generation}; the job writes job.log\n`);
}
