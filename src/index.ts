// What `import 'hello-server'` gives: the server around an app, and a fleet from code. Importing it does nothing.

export { type Ended, Fleet, FleetError } from './api/fleet.ts';
export type { FleetOptions } from './api/options.ts';
export { startFleet } from './api/start-fleet.ts';
export type { Status, WorkerStatus } from './control/status.ts';
export type { FleetEventName, FleetEvents } from './core/fleet-events.ts';
export type { App, Listener } from './http/app-module.ts';
export { type Answered, createServer, type ServerSettings, type Service } from './http/server.ts';
