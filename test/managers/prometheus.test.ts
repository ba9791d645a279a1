// A real Prometheus: it checks and tests the alerts, scrapes a server, and answers every query of the dashboard.

import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { freePort } from '../../src/primary/free-port.ts';
import { type MetricsSource, servedMetrics, startMetricsSource } from '../helpers/metrics-source.ts';
import { eventually, ROOT } from '../helpers/server.ts';

const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const SAMPLES = 5;
/** The oldest scrape of a run may be so long ago. */
const RANGE = '60s';

/** What promtool says, good or bad. */
const promtool = (args: readonly string[], input = ''): Promise<string> =>
  new Promise((resolve) => {
    const child = execFile('promtool', args, { cwd: ROOT, timeout: 30_000 }, (error, stdout, stderr) =>
      resolve(`${stdout}${stderr}${error === null ? '' : `exit ${error.code}`}`),
    );
    child.stdin?.end(input);
  });
/** What it says of a file, which has to be good. */
const approved = async (...args: readonly string[]): Promise<void> => {
  expect(await promtool(args))
    .to.include('SUCCESS')
    .and.not.to.match(/FAILED|exit/);
};

/** A process of Prometheus with one target. */
class Prometheus {
  readonly #folder = mkdtempSync(join(tmpdir(), 'hello-server-prometheus-'));
  readonly #child: ChildProcess;
  readonly #exited: Promise<void>;
  readonly url: string;
  log = '';

  constructor(target: string, port: number) {
    this.url = `http://127.0.0.1:${port}`;
    const config = join(this.#folder, 'prometheus.yaml');
    const delivered = read('deploy/prometheus.yaml');
    expect(delivered).to.include('127.0.0.1:9464').and.to.include('_interval: 15s');
    writeFileSync(
      config,
      delivered.replace('127.0.0.1:9464', target).replaceAll('_interval: 15s', '_interval: 1s'),
    );
    writeFileSync(join(this.#folder, 'prometheus-alerts.yaml'), read('deploy/prometheus-alerts.yaml'));
    this.#child = spawn(
      'prometheus',
      [
        `--config.file=${config}`,
        `--storage.tsdb.path=${join(this.#folder, 'data')}`,
        `--web.listen-address=127.0.0.1:${port}`,
        '--log.level=warn',
      ],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    );
    this.#child.stderr?.setEncoding('utf8').on('data', (text) => {
      this.log += text;
    });
    this.#exited = new Promise((resolve) => {
      this.#child.on('error', (error) => {
        this.log += `${error.message}\n`;
        resolve();
      });
      this.#child.on('exit', () => resolve());
    });
  }

  /** An answer of its API; throws what it has against the question. */
  async #api(path: string, query: Readonly<Record<string, string>>): Promise<Data> {
    const signal = AbortSignal.timeout(5000);
    const answer = await fetch(`${this.url}/api/v1/${path}?${new URLSearchParams(query)}`, { signal });
    const { status, error, data } = (await answer.json()) as { status: string; error: string; data: Data };
    if (status !== 'success') throw new Error(error);
    return data;
  }

  /** The numbers that a query gives now, those apart that are not one. */
  async now(query: string): Promise<number[]> {
    const { result = [] } = await this.#api('query', { query });
    return result.map(({ value }) => Number(value?.[1])).filter((value) => !Number.isNaN(value));
  }

  /** How often each alert fires or waits to. */
  async alerts(): Promise<string[]> {
    const { alerts = [] } = await this.#api('alerts', {});
    return alerts.map(({ labels, state }) => `${labels.alertname} ${state}`);
  }

  async end(): Promise<void> {
    this.#child.kill('SIGTERM');
    const killing = setTimeout(() => this.#child.kill('SIGKILL'), 10_000);
    await this.#exited;
    clearTimeout(killing);
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

interface Data {
  readonly result?: readonly { readonly value?: readonly [number, string] }[];
  readonly alerts?: readonly { readonly state: string; readonly labels: { readonly alertname: string } }[];
}

describe('under Prometheus', () => {
  describe('promtool', () => {
    it('finds the alerts valid', async () => {
      await approved('check', 'rules', 'deploy/prometheus-alerts.yaml');
    });

    it('sees each alert fire on what it is for, and none on a healthy server', async () => {
      await approved('test', 'rules', 'test/deploy/alerts.yaml');
    });

    it('finds the configuration valid, for one machine and for Kubernetes', async () => {
      await approved('check', 'config', 'deploy/prometheus.yaml');
      const folder = mkdtempSync(join(tmpdir(), 'hello-server-prometheus-'));
      try {
        const [head = '', rest = ''] = read('deploy/prometheus.yaml').split('scrape_configs:\n');
        const jobs = (rest.split('# On Kubernetes')[1] ?? '').replace(/^.*\n/, '').replaceAll(/^#/gm, '');
        // Debian's Prometheus is built without the discovery of Kubernetes; the rest of the job it does know.
        expect(jobs).to.include('kubernetes_sd_configs:\n      - role: pod\n');
        const known = jobs.replace('kubernetes_sd_configs:\n      - role: pod', 'static_configs: []');
        const file = join(folder, 'prometheus.yaml');
        writeFileSync(file, `${head.replace(/rule_files:\n.*\n/, '')}scrape_configs:\n${known}`);
        await approved('check', 'config', file);
      } finally {
        rmSync(folder, { recursive: true });
      }
    });

    it('finds the metrics that are served as they should be', async () => {
      expect(await promtool(['check', 'metrics'], await servedMetrics())).to.equal('');
    });
  });

  describe('that scrapes a server', () => {
    let source: MetricsSource;
    let prometheus: Prometheus;

    beforeEach(async () => {
      source = await startMetricsSource();
      prometheus = new Prometheus(source.address, await freePort('127.0.0.1'));
    });
    afterEach(async () => {
      await prometheus.end();
      await source.stop();
    });

    it('has an answer to every query of the dashboard, and no alert', async function () {
      this.timeout(90_000);
      const scraped = async (): Promise<boolean> => {
        await source.ask();
        const counts = await prometheus.now(`count_over_time(up{job="hello-server"}[${RANGE}])`);
        return (counts[0] ?? 0) >= SAMPLES;
      };
      await eventually(() => scraped().catch(() => false), 'Prometheus has scraped the server', 30_000).catch(
        (error: Error) => expect.fail(`${error.message}\n${prometheus.log}`),
      );
      expect(await prometheus.now('min_over_time(up{job="hello-server"}[1m])')).to.deep.equal([1]);

      const { panels } = JSON.parse(read('deploy/grafana-dashboard.json'));
      const wrong: string[] = [];
      let asked = 0;
      for (const { title, targets = [] } of panels) {
        for (const { expr } of targets) {
          const query = expr
            .replaceAll('$__rate_interval', RANGE)
            .replaceAll('$job', 'hello-server')
            .replaceAll('$instance', source.address.replaceAll('.', '\\\\.'));
          expect(query).not.to.include('$');
          const values = await prometheus.now(query).catch((error: Error) => error.message);
          if (typeof values === 'string') wrong.push(`${title}: ${values}`);
          else if (values.length === 0) wrong.push(`${title}: no data for ${query}`);
          asked++;
        }
      }
      expect(wrong).to.deep.equal([]);
      expect(asked).to.be.greaterThan(30);
      expect(await prometheus.alerts()).to.deep.equal([]);
      expect(prometheus.log).to.equal('');
    });
  });
});
