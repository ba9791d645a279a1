// docs/platforms.md, Kubernetes: its commands by the real kubectl, up to what the API server of a cluster is asked.

import { expect } from 'chai';
import { KubeApi } from '../helpers/kube-api.ts';
import { documentsOf, problemsOf } from '../helpers/manifest.ts';
import { block, command, commands, page } from '../helpers/manual.ts';
import { nextCommand, UserProject } from '../helpers/project.ts';

describe('docs/platforms.md, Kubernetes', function () {
  this.timeout(120_000);
  const project = new UserProject();
  let api: KubeApi;
  before(async () => {
    project.write('package.json', '{ "version": "1.0.0" }');
    project.install();
    api = await KubeApi.open();
  });
  after(() => {
    api.close();
    project.remove();
  });

  /** Runs a line with kubectl in it, on that API server. */
  const kubectl = (line: string): Promise<string> =>
    project.types(line.replace(/^kubectl /, `kubectl --server ${api.url} `), { HOME: project.folder });

  it('init writes the files, and names the commands that the page goes on with', async () => {
    const [docker = '', kubernetes = '', build, apply, ...more] = commands(
      block('docs/platforms.md#kubernetes'),
    );
    expect(more).to.deep.equal([]);
    expect(await project.types(docker)).to.include('wrote Dockerfile');
    const out = await project.types(kubernetes);
    expect(out).to.include('wrote kubernetes.yaml, to run ./server.js as shop\n');
    expect(nextCommand(out, 'build its image')).to.equal(build);
    expect(nextCommand(out, 'start it')).to.equal(apply);
  });

  it('kubectl apply sends what is in the file', async () => {
    // There is no schema to fetch from this server: ours are those of the other test.
    const line = command('docs/platforms.md', 'kubectl apply -f kubernetes.yaml');
    expect(await kubectl(`${line} --validate=false`)).to.equal(
      'deployment.apps/shop created\nservice/shop created\npoddisruptionbudget.policy/shop created\n',
    );
    const written = documentsOf(project.read('kubernetes.yaml'));
    expect(written.flatMap(problemsOf)).to.deep.equal([]);
    expect(api.things.map(({ kind, spec }) => ({ kind, spec }))).to.deep.equal(
      written.map((document) => {
        const { kind, spec } = document as { kind: string; spec: unknown };
        return { kind, spec };
      }),
    );
  });

  it('kubectl set image changes the image of the container, and rollout status waits for it', async () => {
    const image = 'registry.example.com/shop:1.0.1';
    await kubectl(
      command('docs/platforms.md', 'kubectl set image deployment/shop shop=registry.example.com/shop:1.0.1'),
    );
    const [patch] = api.patches as { spec: { template: { spec: { containers: unknown[] } } } }[];
    expect(patch?.spec.template.spec.containers).to.deep.equal([{ image, name: 'shop' }]);
    expect(await kubectl(command('docs/platforms.md', 'kubectl rollout status deployment/shop'))).to.match(
      /successfully rolled out/,
    );
  });

  it('kubectl exec has a pod run the command', async () => {
    const line = command('docs/platforms.md', 'kubectl exec deployment/shop -- hello-server status');
    // This server runs nothing.
    await kubectl(`${line} || true`);
    expect(api.commands.at(-1)).to.deep.equal(['hello-server', 'status']);
  });

  it('the probes, deadlines and workers are those that the page tells', () => {
    const [deployment] = documentsOf(project.read('kubernetes.yaml')) as Deployment[];
    const { terminationGracePeriodSeconds: grace, containers } = deployment?.spec.template.spec ?? {};
    const [container] = containers ?? [];
    const env = Object.fromEntries((container?.env ?? []).map(({ name, value }) => [name, value]));
    const text = page('docs/platforms.md');
    for (const [name, probe] of [
      ['startup', container?.startupProbe],
      ['readiness', container?.readinessProbe],
      ['liveness', container?.livenessProbe],
    ] as const) {
      const row = `| ${name} | \`${probe?.httpGet.path}\` | ${probe?.periodSeconds} s | ${probe?.failureThreshold} failure`;
      expect(text).to.include(row);
    }
    expect(text).to.include(`on port ${env.ADMIN_PORT},`);
    expect(text).to.include(`For \`SHUTDOWN_DELAY\`, ${env.SHUTDOWN_DELAY} s,`);
    expect(text).to.include(`\`terminationGracePeriodSeconds\`, ${grace} s:`);
    expect(text).to.include(`by its CPU limit of ${container?.resources.limits.cpu}.`);
  });
});

interface Probe {
  readonly httpGet: { readonly path: string };
  readonly periodSeconds: number;
  readonly failureThreshold: number;
}

interface Deployment {
  readonly spec: {
    readonly template: {
      readonly spec: {
        readonly terminationGracePeriodSeconds: number;
        readonly containers: readonly {
          readonly env: readonly { readonly name: string; readonly value: string }[];
          readonly startupProbe: Probe;
          readonly readinessProbe: Probe;
          readonly livenessProbe: Probe;
          readonly resources: { readonly limits: { readonly cpu: string } };
        }[];
      };
    };
  };
}
