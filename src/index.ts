// What the package exports: a server around one app, and a fleet that runs from code. Importing it does nothing else.

import { fileURLToPath } from 'node:url';
import type { Fleet } from './fleet/fleet.ts';
import type { FleetOptions } from './fleet/options.ts';
import { startFleetOf } from './fleet/start.ts';

export type { Status, WorkerStatus } from './control/status.ts';
export type { Exit, FleetEvents } from './core/fleet-events.ts';
export { type Fleet, FleetError } from './fleet/fleet.ts';
export type { FleetEnv, FleetOptions } from './fleet/options.ts';
export type { App, Extras, Listener } from './http/app-module.ts';
export { type Answered, createServer, type ServerSettings, type Service } from './http/server.ts';

/** The primary's file, beside the folder of this one. */
const MAIN = new URL('../main.js', import.meta.url);

/**
 * Runs a fleet from code. Resolves when its whole first generation serves.
 * Rejects with a TypeError where an option is wrong; with a {@link FleetError}, which says why in one line and has the exit
 * code, where it cannot serve; and with the reason of `options.signal` where that aborts before. Nothing is left of it then.
 */
export const startFleet = (options: FleetOptions = {}): Promise<Fleet> =>
  startFleetOf(fileURLToPath(MAIN), options);
