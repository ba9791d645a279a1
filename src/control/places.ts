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

/** The places that a primary may bind when CONTROL_SOCKET does not say, the first choice first. */
export const serverPlaces = (surroundings: Surroundings, port: number): string[] =>
  defaults(surroundings, port);

/** The places that a client tries, in this order, when CONTROL_SOCKET does not say. */
export const clientPlaces = (surroundings: Surroundings, port: number): string[] => [
  ...new Set([...defaults(surroundings, port), SYSTEM_PLACE]),
];

/** Whether systemd gave this place to the very unit that the command runs in: who answers there is the one meant. */
export const isOwnPlace = ({ env }: Surroundings, place: string): boolean => {
  const runtime = runtimeDirectory(env);
  return runtime !== undefined && place === `${runtime}/control.sock`;
};

/** The header with which a client says which port it means; who serves another one does nothing. */
export const PORT_HEADER = 'hello-server-port';

/** The kernel takes no longer path of a socket. Node cuts one, so that two servers could meet at the same. */
const LONGEST_PATH_BYTES = 107;

/** What is wrong with a path as that of a socket; undefined if nothing. */
export const pathProblem = (path: string): string | undefined => {
  const bytes = new TextEncoder().encode(path).length;
  return bytes > LONGEST_PATH_BYTES
    ? `expected a path of at most ${LONGEST_PATH_BYTES} bytes, got ${bytes}`
    : undefined;
};
