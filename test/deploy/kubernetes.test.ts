// deploy/kubernetes.yaml: valid by Kubernetes' schemas, its numbers those of the code, its probes true of a real server.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import type { IDeployment } from 'kubernetes-models/apps/v1';
import type { IPodDisruptionBudget } from 'kubernetes-models/policy/v1';
import type { IProbe, IService } from 'kubernetes-models/v1';
import { backoffMs } from '../../src/core/backoff.ts';
import { DEFAULTS, readConfig } from '../../src/core/config.ts';
import { usableCpus } from '../../src/host/cpus.ts';
import { freePort } from '../../src/primary/free-port.ts';
import { documentsOf, problemsOf } from '../helpers/manifest.ts';
import { exchange, request } from '../helpers/raw.ts';
import { eventually, fixture, launch, ROOT, serve } from '../helpers/server.ts';

const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const TEXT = read('deploy/kubernetes.yaml');
const PACKAGE = JSON.parse(read('package.json'));

/** Objects whose keys the user makes up. */
const FREE = /\/(labels|matchLabels|requests|limits)$|^\/spec\/selector$/;

type Json = Record<string, unknown>;
type Change = (parent: Json, key: string, path: string) => void;

/** Every change that can be made to one field of a document: where, and the document so changed. */
function* changed(document: unknown, change: Change): Generator<{ path: string; result: unknown }> {
  const walk = function* (value: unknown, keys: readonly string[]): Generator<readonly string[]> {
    if (typeof value !== 'object' || value === null) return;
    for (const [key, field] of Object.entries(value)) {
      yield [...keys, key];
      yield* walk(field, [...keys, key]);
    }
  };
  for (const keys of walk(document, [])) {
    const result = structuredClone(document);
    const parent = keys.slice(0, -1).reduce((at, key) => at[key] as Json, result as Json);
    const before = JSON.stringify(result);
    change(parent, keys.at(-1) ?? '', `/${keys.slice(0, -1).join('/')}`.replace(/\/$/, ''));
    if (JSON.stringify(result) !== before) yield { path: keys.join('/'), result };
  }
}

describe('deploy/kubernetes.yaml', () => {
  const documents = documentsOf(TEXT);
  const [deployment, service, budget] = documents as [IDeployment, IService, IPodDisruptionBudget];
  const pod = deployment.spec?.template.spec;
  const [container] = pod?.containers ?? [];
  const env = Object.fromEntries((container?.env ?? []).map(({ name, value }) => [name, value ?? '']));
  const { config, errors } = readConfig(env);
  const { startupProbe, readinessProbe, livenessProbe } = container ?? {};

  describe('against the schemas of Kubernetes', () => {
    it('is a valid Deployment, Service and PodDisruptionBudget', () => {
      expect(documents.map((document) => (document as Json).kind)).to.deep.equal([
        'Deployment',
        'Service',
        'PodDisruptionBudget',
      ]);
      for (const document of documents) expect(problemsOf(document)).to.deep.equal([]);
    });

    // A validation that cannot fail proves nothing.
    it('would be refused with a field that is misspelt, whichever it is', () => {
      let count = 0;
      for (const document of documents) {
        const misspell: Change = (parent, key, path) => {
          if (Array.isArray(parent) || FREE.test(path)) return;
          parent[`${key}y`] = parent[key];
          delete parent[key];
        };
        for (const { path, result } of changed(document, misspell)) {
          expect(problemsOf(result), path).to.not.deep.equal([]);
          count++;
        }
      }
      expect(count).to.be.greaterThan(85);
    });

    it('would be refused with a value of the wrong type, whichever it is', () => {
      let count = 0;
      for (const document of documents) {
        const spoil: Change = (parent, key) => {
          parent[key] = typeof parent[key] === 'object' ? 'a text' : { an: 'object' };
        };
        for (const { path, result } of changed(document, spoil)) {
          expect(problemsOf(result), path).to.not.deep.equal([]);
          count++;
        }
      }
      expect(count).to.be.greaterThan(90);
    });

    it('would be refused without what is required, with a key given twice, and as an unknown kind', () => {
      const refused = (from: string, to: string): string => {
        expect(TEXT).to.include(from);
        return documentsOf(TEXT.replace(from, to)).flatMap(problemsOf).join('\n');
      };
      expect(refused('readinessProbe:', 'readynessProbe:')).to.equal(
        'data/spec/template/spec/containers/0/readynessProbe is no field of it',
      );
      expect(refused('replicas: 2', "replicas: '2'")).to.equal('data/spec/replicas must be integer');
      expect(refused('containerPort: 3000', 'hostPort: 3000')).to.include('required property containerPort');
      expect(refused('- name: hello-server\n          image:', '- image:')).to.include(
        'required property name',
      );
      expect(refused('kind: PodDisruptionBudget', 'kind: PodDisruption')).to.include('no schema for');
      expect(() => refused('replicas: 2', 'replicas: 2\n  replicas: 3')).to.throw(/unique/);
    });
  });

  describe('its settings', () => {
    it('are ones that the program has, and can read', () => {
      expect(Object.keys(DEFAULTS)).to.include.members(Object.keys(env));
      expect(container?.env?.filter(({ value }) => value === undefined)).to.deep.equal([]);
      expect(errors).to.deep.equal([]);
      expect(config.logFormat).to.equal('json');
    });

    it('leave the port what the container, the Service and the probes take it for', () => {
      expect(container?.ports).to.deep.equal([
        { name: 'http', containerPort: config.port },
        { name: 'admin', containerPort: Number(env.ADMIN_PORT) },
      ]);
      const probed = [startupProbe, readinessProbe, livenessProbe].map((probe) => probe?.httpGet?.port);
      expect(probed).to.deep.equal(['admin', 'admin', 'admin']);
    });

    it('show the admin listener to the probes and to Prometheus, and not to those whom the Service leads in', () => {
      expect(env.ADMIN_HOST).to.equal('0.0.0.0');
      expect(service.spec?.ports).to.deep.equal([{ name: 'http', port: 80, targetPort: 'http' }]);
      expect(service.spec?.type).to.equal(undefined);
    });

    it('make as many workers as the CPU limit allows', () => {
      const quota = `${Number(container?.resources?.limits?.cpu) * 100_000} 100000\n`;
      const files: Readonly<Record<string, string>> = {
        '/proc/self/status': 'Cpus_allowed:\tff\n',
        '/proc/self/cgroup': '0::/\n',
        '/proc/self/mountinfo': '30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n',
        '/sys/fs/cgroup/cpu.max': quota,
      };
      expect(config.workers).to.equal('auto');
      expect(usableCpus((path) => files[path], 8)).to.equal(2);
    });

    it('are of the image that is this version', () => {
      expect(container?.image).to.equal(`hello-server:${PACKAGE.version}`);
    });
  });

  describe('its deadlines', () => {
    it('end the grace after SHUTDOWN_DELAY and SHUTDOWN_TIMEOUT', () => {
      const graceMs = (pod?.terminationGracePeriodSeconds ?? 0) * 1000;
      expect(graceMs).to.be.greaterThan(config.shutdownDelayMs + config.shutdownTimeoutMs);
    });

    it('wait half a minute for the primary to run', () => {
      const { periodSeconds = 0, failureThreshold = 0 } = startupProbe ?? {};
      expect(periodSeconds * failureThreshold).to.equal(30);
    });

    it('take nobody for dead who only waits before it boots a worker again', () => {
      const { periodSeconds = 0, failureThreshold = 0 } = livenessProbe ?? {};
      const longestMs = backoffMs(100, 1);
      expect((failureThreshold - 1) * periodSeconds * 1000).to.be.greaterThan(longestMs);
      expect(TEXT.replaceAll(/\n +# /g, ' ')).to.include(`boots one again, ${longestMs / 1000} s.`);
    });

    it('notice within SHUTDOWN_DELAY that a pod stops', () => {
      const { periodSeconds = 0, failureThreshold = 0, timeoutSeconds = 0 } = readinessProbe ?? {};
      const noticedMs = (periodSeconds * failureThreshold + timeoutSeconds) * 1000;
      expect(noticedMs).to.be.greaterThan(0).and.lessThan(config.shutdownDelayMs);
    });
  });

  describe('its probes', () => {
    it('ask the primary whether it is ready and alive, whatever the app has at /health', () => {
      const asked = [startupProbe, readinessProbe, livenessProbe].map((probe) => probe?.httpGet?.path);
      expect(asked).to.deep.equal(['/livez', '/readyz', '/livez']);
    });
  });

  describe('its pods', () => {
    it('meet the Pod Security Standard `restricted`, on a read-only file system', () => {
      expect(pod?.securityContext).to.deep.equal({
        runAsNonRoot: true,
        runAsUser: 1000,
        runAsGroup: 1000,
        seccompProfile: { type: 'RuntimeDefault' },
      });
      expect(container?.securityContext).to.deep.equal({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
      expect(pod?.automountServiceAccountToken).to.equal(false);
      expect(pod?.enableServiceLinks).to.equal(false);
      const { hostNetwork, hostPID, hostIPC, volumes, initContainers } = pod ?? {};
      const none = [hostNetwork, hostPID, hostIPC, volumes, initContainers].filter((it) => it !== undefined);
      expect(none).to.deep.equal([]);
      expect(pod?.containers).to.have.lengthOf(1);
    });

    it('are those that the Deployment, the Service, the budget and the spread select', () => {
      const labels = deployment.spec?.template.metadata?.labels;
      expect(labels).to.deep.equal({ 'app.kubernetes.io/name': 'hello-server' });
      expect(deployment.spec?.selector).to.deep.equal({ matchLabels: labels });
      expect(service.spec?.selector).to.deep.equal(labels);
      expect(budget.spec?.selector).to.deep.equal({ matchLabels: labels });
      expect(pod?.topologySpreadConstraints?.[0]?.labelSelector).to.deep.equal({ matchLabels: labels });
    });

    it('are replaced, and drained from a node, one after the other', () => {
      expect(deployment.spec?.replicas).to.equal(2);
      expect(deployment.spec?.strategy).to.deep.equal({
        type: 'RollingUpdate',
        rollingUpdate: { maxUnavailable: 0, maxSurge: 1 },
      });
      expect(budget.spec?.maxUnavailable).to.equal(1);
    });
  });

  describe('on a server with its settings', () => {
    // Ports of the test's.
    const surroundings = async (): Promise<Record<string, string>> => ({
      ...env,
      PORT: String(await freePort(undefined)),
      ADMIN_PORT: String(await freePort(undefined)),
    });
    /** What a probe is answered, as the kubelet asks; 0 where it is not answered within the probe's time. */
    const probed = async (probe: IProbe | undefined, { ADMIN_PORT = '' }): Promise<number> => {
      const url = `http://127.0.0.1:${ADMIN_PORT}${probe?.httpGet?.path}`;
      const signal = AbortSignal.timeout((probe?.timeoutSeconds ?? 0) * 1000);
      const answer = await fetch(url, { signal, headers: { Connection: 'close' } }).catch(() => undefined);
      await answer?.arrayBuffer();
      return answer?.status ?? 0;
    };
    const started = (inside: Record<string, string>): Promise<number> => probed(startupProbe, inside);
    const ready = (inside: Record<string, string>): Promise<number> => probed(readinessProbe, inside);
    const alive = (inside: Record<string, string>): Promise<number> => probed(livenessProbe, inside);

    it('a pod that stops is unready, not dead, goes on answering and ends within its grace', async () => {
      const inside = await surroundings();
      const port = Number(inside.PORT);
      const server = await serve({ env: inside });
      expect(await started(inside)).to.equal(200);
      expect(await ready(inside)).to.equal(200);
      expect(await alive(inside)).to.equal(200);

      const began = Date.now();
      server.signal('SIGTERM');
      await eventually(async () => (await ready(inside)) === 503, 'it is unready', config.shutdownDelayMs);
      expect(await alive(inside)).to.equal(200);
      const late = await exchange(port, request('GET', '/'));
      expect(late).to.deep.include({ status: 200, body: 'Hello, World!' });
      const graceMs = (pod?.terminationGracePeriodSeconds ?? 0) * 1000 - (Date.now() - began);
      expect(await server.end(graceMs)).to.deep.equal({ code: 0, signal: null });
      expect(server.err).to.equal('');
    });

    it('a pod whose app owns /health and stops is unready all the same', async () => {
      const inside = await surroundings();
      const server = await serve({ env: inside, args: [fixture('pid.js')] });
      expect(await ready(inside)).to.equal(200);
      server.signal('SIGTERM');
      await eventually(async () => (await ready(inside)) === 503, 'it is unready', config.shutdownDelayMs);
      const health = await exchange(Number(inside.PORT), request('GET', '/health'));
      expect(health.status).to.equal(200);
      expect(await server.end(config.shutdownDelayMs + config.shutdownTimeoutMs)).to.deep.include({
        code: 0,
      });
    });

    it('a pod whose workers boot is started and alive, and not ready', async () => {
      const inside = await surroundings();
      const never = join(ROOT, 'build', 'never');
      const env = { ...inside, BOOTS_WHEN: never, SHUTDOWN_DELAY: '0' };
      const server = launch({ env, args: [fixture('boots-when-told.js')] });
      await eventually(async () => (await started(inside)) === 200, 'the primary runs');
      expect([await alive(inside), await ready(inside)]).to.deep.equal([200, 503]);
      server.signal('SIGTERM');
      await server.end();
    });

    it('a pod whose primary hangs, or has gone, is dead', async function () {
      this.timeout(30_000);
      const inside = await surroundings();
      const server = await serve({ env: { ...inside, SHUTDOWN_DELAY: '0' } });
      expect(await alive(inside)).to.equal(200);
      server.signal('SIGSTOP');
      expect(await alive(inside)).to.equal(0);
      server.signal('SIGCONT');
      expect(await server.stop()).to.deep.equal({ code: 0, signal: null });
      expect(await alive(inside)).to.equal(0);
    });
  });
});
