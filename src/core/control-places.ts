// Where the control socket is: the one place a primary binds, and all places where a client looks.

/** What decides the places; `tmp` is the folder for temporary files. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly tmp: string;
  readonly uid: number;
}

/** Where systemd's RuntimeDirectory= puts it. */
export const SYSTEM_PLACE = '/run/hello-server/control.sock';

const runtimeDirectory = (env: Surroundings['env']): string | undefined =>
  env.RUNTIME_DIRECTORY?.split(':')[0] || undefined;

/** The default places for a port, the first choice first. */
function defaults({ env, tmp, uid }: Surroundings, port: number): string[] {
  const places = [`${tmp}/hello-server-${uid}/${port}.sock`];
  const xdg = env.XDG_RUNTIME_DIR;
  if (xdg) places.unshift(`${xdg}/hello-server/${port}.sock`);
  const runtime = runtimeDirectory(env);
  if (runtime) places.unshift(`${runtime}/control.sock`);
  return places;
}

/** The place that a primary binds when CONTROL_SOCKET does not say. */
export const defaultPlace = (surroundings: Surroundings, port: number): string =>
  defaults(surroundings, port)[0] as string;

/** The places that a client tries, in this order, when CONTROL_SOCKET does not say. */
export const clientPlaces = (surroundings: Surroundings, port: number): string[] => [
  ...new Set([...defaults(surroundings, port), SYSTEM_PLACE]),
];
