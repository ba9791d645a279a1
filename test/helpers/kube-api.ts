// An API server of Kubernetes' as far as kubectl needs one: it keeps what is applied, and says that all of it runs. No cluster.

import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** An object as kubectl sends it. */
export interface Thing {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly annotations?: object };
  readonly spec?: unknown;
}

/** Kinds, by the version of the API that has them. */
const KINDS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  v1: { services: 'Service', pods: 'Pod' },
  'apps/v1': { deployments: 'Deployment' },
  'policy/v1': { poddisruptionbudgets: 'PodDisruptionBudget' },
};
const VERBS = ['create', 'get', 'list', 'patch', 'update', 'watch'];
/** A Deployment whose rollout is over, as far as kubectl asks. */
const ROLLED_OUT = { observedGeneration: 1, replicas: 2, updatedReplicas: 2, availableReplicas: 2 };

export class KubeApi {
  readonly #server: Server;
  /** What was applied, by its path. */
  readonly #things = new Map<string, Thing>();
  /** The bodies of all changes. */
  readonly patches: unknown[] = [];
  /** The words of each command that was to run in a pod. */
  readonly commands: string[][] = [];

  private constructor() {
    this.#server = createServer((req, res) => void this.#answer(req, res));
    // To run a command kubectl asks for another protocol; here it ends when its words are known.
    this.#server.on('upgrade', ({ url }: IncomingMessage, socket) => {
      this.commands.push(new URL(url ?? '', 'http://localhost').searchParams.getAll('command'));
      socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n');
    });
  }

  static async open(): Promise<KubeApi> {
    const api = new KubeApi();
    api.#server.listen(0, '127.0.0.1');
    await once(api.#server, 'listening');
    return api;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** What was applied, in that order. */
  get things(): readonly Thing[] {
    return [...this.#things.values()];
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  async #answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
    let body = '';
    for await (const chunk of req) body += chunk;
    const { pathname, searchParams } = new URL(req.url ?? '', this.url);
    const say = (value: unknown, status = 200): void => {
      res.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(value));
    };
    const known = discovery(pathname) ?? this.#things.get(pathname);
    const list = this.#list(pathname);
    if (req.method === 'POST') {
      const thing: Thing = JSON.parse(body);
      const metadata = { ...thing.metadata, generation: 1, resourceVersion: '1' };
      const stored = { ...thing, metadata, status: ROLLED_OUT };
      this.#things.set(`${pathname}/${thing.metadata.name}`, stored);
      say(stored, 201);
    } else if (req.method === 'PATCH') {
      this.patches.push(JSON.parse(body));
      say(known);
    } else if (known !== undefined) say(known);
    else if (searchParams.has('watch')) {
      res.writeHead(200, { 'Content-Type': 'application/json' });
      for (const object of list) res.write(`${JSON.stringify({ type: 'ADDED', object })}\n`);
    } else if (list.length > 0) {
      const [{ apiVersion, kind } = { apiVersion: 'v1', kind: '' }] = list;
      say({ kind: `${kind}List`, apiVersion, metadata: { resourceVersion: '1' }, items: list });
    } else {
      const nothing = { kind: 'Status', apiVersion: 'v1', status: 'Failure', reason: 'NotFound', code: 404 };
      say(nothing, 404);
    }
  }

  /** All of a kind; of pods there is one for each Deployment. */
  #list(path: string): readonly Thing[] {
    if (/\/pods(\/|$)/.test(path)) return this.things.filter(({ kind }) => kind === 'Deployment').map(podOf);
    return [...this.#things].filter(([key]) => key.startsWith(`${path}/`)).map(([, thing]) => thing);
  }
}

const podOf = ({ metadata: { name } }: Thing): Thing & { readonly status: object } => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: `${name}-1` },
  spec: { containers: [{ name }] },
  status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] },
});

/** What kubectl asks first: which kinds there are. */
function discovery(path: string): unknown {
  if (path === '/api') return { kind: 'APIVersions', versions: ['v1'] };
  if (path === '/apis') {
    const groups = Object.keys(KINDS).filter((version) => version.includes('/'));
    return {
      kind: 'APIGroupList',
      apiVersion: 'v1',
      groups: groups.map((groupVersion) => {
        const [name, version] = groupVersion.split('/');
        const one = { groupVersion, version };
        return { name, versions: [one], preferredVersion: one };
      }),
    };
  }
  const [, groupVersion = ''] = /^\/apis?\/(.*)$/.exec(path) ?? [];
  const kinds = KINDS[groupVersion];
  if (kinds === undefined) return undefined;
  const resources = Object.entries(kinds).map(([name, kind]) => ({
    name,
    kind,
    singularName: '',
    namespaced: true,
    verbs: VERBS,
  }));
  return { kind: 'APIResourceList', groupVersion, resources };
}
