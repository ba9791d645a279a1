// The routes of the control socket, over a real socket and without a fleet behind them.

import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { request, type Server } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { statusOf } from '../../src/control/fleet-status.ts';
import { Ledger } from '../../src/control/ledger.ts';
import { type Commands, controlServer, type Report, wantsOpenMetrics } from '../../src/control/server.ts';
import { newFleet } from '../../src/core/fleet.ts';
import { SETTINGS } from '../core/script.ts';

const STATUS = statusOf(
  newFleet(SETTINGS),
  0,
  { version: '1.2.3', port: 3000, host: undefined, app: undefined },
  new Ledger(0),
  { rssMiB: 50, logLinesDropped: 0 },
);

describe('the control server', () => {
  let folder: string;
  let path: string;
  let server: Server;
  /** What the fleet was told, and whom to report to. */
  let told: string[];
  let reports: Report[];
  let top: Commands['top'];

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'hello-server-'));
    path = join(folder, 'control.sock');
    told = [];
    reports = [];
    top = async () => ({ total: 0, requests: [], silent: [] });
    const take = (what: string, report: Report): void => {
      told.push(what);
      reports.push(report);
    };
    const commands: Commands = {
      status: () => STATUS,
      history: () => new Ledger(0).history(),
      metrics: async (open) => (open ? '# EOF\n' : 'up 1\n'),
      top: () => top(),
      reload: (force, report) => take(force ? 'reload by force' : 'reload', report),
      scale: (workers, report) => take(`scale ${workers}`, report),
      rollback: (report) => take('rollback', report),
      upgrade: (node, report) => take(node === undefined ? 'upgrade' : `upgrade ${node}`, report),
      stop: (report) => take('stop', report),
      profile: async () => 'no worker serves',
      heap: () => 'no worker serves',
    };
    server = controlServer(commands);
    server.listen(path);
    await once(server, 'listening');
  });
  afterEach(() => {
    server.close();
    server.closeAllConnections();
    rmSync(folder, { recursive: true, force: true });
  });

  interface Answered {
    readonly status: number;
    readonly type: string;
    readonly body: string;
  }

  const ask = (method: string, target: string, headers: Record<string, string> = {}): Promise<Answered> =>
    new Promise((resolve, reject) => {
      const req = request({ socketPath: path, method, path: target, headers, agent: false }, async (res) => {
        let body = '';
        for await (const chunk of res.setEncoding('utf8')) body += chunk;
        resolve({ status: res.statusCode ?? 0, type: res.headers['content-type'] ?? '', body });
      });
      req.on('error', reject).end();
    });

  /** Sends bytes; resolves with all that came back when the connection ends. */
  const send = async (bytes: string): Promise<string> => {
    const socket = connect(path, () => socket.write(bytes));
    let answer = '';
    socket.setEncoding('latin1').on('data', (chunk) => {
      answer += chunk;
    });
    await once(socket, 'close');
    return answer;
  };

  /** Resolves when the fleet has been told so many things. */
  const untilTold = async (count: number): Promise<void> => {
    while (told.length < count) await new Promise((resolve) => setImmediate(resolve));
  };

  it('answers /status with the status', async () => {
    const { status, type, body } = await ask('GET', '/status');
    expect([status, type]).to.deep.equal([200, 'application/json']);
    expect(JSON.parse(body)).to.deep.equal(JSON.parse(JSON.stringify(STATUS)));
    expect(told).to.deep.equal([]);
  });

  for (const [target, what] of [
    ['/reload', 'reload'],
    ['/scale?workers=4', 'scale 4'],
    ['/stop', 'stop'],
  ] as const) {
    it(`answers ${target} line by line, until it is done`, async () => {
      const answer = ask('POST', target);
      await untilTold(1);
      reports[0]?.({ text: 'halfway' });
      reports[0]?.({ ok: true, result: 'done' });
      const { status, type, body } = await answer;
      expect([status, type]).to.deep.equal([200, 'application/x-ndjson']);
      expect(body).to.equal('{"text":"halfway"}\n{"ok":true,"result":"done"}\n');
      expect(told).to.deep.equal([what]);
    });
  }

  for (const count of ['', '0', '513', '-1', '1.5', 'two', '%ff']) {
    it(`answers 400 to ${count || 'no number'} of workers, and tells the fleet nothing`, async () => {
      const { status, body } = await ask('POST', `/scale?workers=${count}`);
      expect(status).to.equal(400);
      expect(JSON.parse(body).error).to.match(/^expected workers to be an integer from 1 to 512, got `/);
      expect(told).to.deep.equal([]);
    });
  }

  for (const [method, target] of [
    ['GET', '/'],
    ['POST', '/status'],
    ['GET', '/reload'],
    ['PUT', '/stop'],
    ['POST', '//stop'],
    ['POST', '//'],
    ['POST', '/stop/'],
    ['OPTIONS', '*'],
  ] as const) {
    it(`answers 404 to ${method} ${target}, and tells the fleet nothing`, async () => {
      expect((await ask(method, target)).status).to.equal(404);
      expect(told).to.deep.equal([]);
    });
  }

  it('obeys a command for its own port, and no other', async () => {
    const { status, body } = await ask('POST', '/stop', { 'Hello-Server-Port': '3001' });
    expect(status).to.equal(409);
    expect(JSON.parse(body).error).to.equal(
      `this is the server on port 3000 (pid ${process.pid}), not on port 3001`,
    );
    expect(told).to.deep.equal([]);
    void ask('POST', '/stop', { 'Hello-Server-Port': '3000' });
    await untilTold(1);
    reports[0]?.({ ok: true, result: 'stopped' });
  });

  it('obeys one command a connection: what is pipelined behind it would have no answer', async () => {
    const command = (target: string): string => `POST ${target} HTTP/1.1\r\nHost: x\r\n\r\n`;
    const answer = send(command('/reload') + command('/stop') + command('/scale?workers=9'));
    await untilTold(1);
    reports[0]?.({ ok: true, result: 'reloaded' });
    expect((await answer).match(/HTTP\/1\.1 \d+/g)).to.deep.equal(['HTTP/1.1 200']);
    expect(told).to.deep.equal(['reload']);
  });

  it('goes on with a command whose client has left', async () => {
    const socket = connect(path, () => socket.write('POST /reload HTTP/1.1\r\nHost: x\r\n\r\n'));
    await untilTold(1);
    const left = once(server, 'connection').then(() => undefined);
    socket.destroy();
    reports[0]?.({ text: 'halfway' });
    const next = ask('GET', '/status');
    await left;
    reports[0]?.({ text: 'nobody reads this' });
    reports[0]?.({ ok: true, result: 'done' });
    expect((await next).status).to.equal(200);
  });

  it('keeps no connection', async () => {
    expect(await send('GET /status HTTP/1.1\r\nHost: x\r\nConnection: keep-alive\r\n\r\n')).to.match(
      /\r\nConnection: close\r\n/,
    );
  });
});

describe('whether OpenMetrics is wanted', () => {
  const OPEN = 'application/openmetrics-text';
  for (const [accept, wanted] of [
    [undefined, false],
    ['*/*', false],
    ['text/html,application/xml;q=0.9,*/*;q=0.8', false],
    [OPEN, true],
    [`${OPEN}; version=1.0.0`, true],
    ['Application/OpenMetrics-Text', true],
    [`${OPEN}-x`, false],
    [`x-${OPEN}`, false],
    [`${OPEN};q=0`, false],
    [`${OPEN};q=0.0,*/*`, false],
    [
      `${OPEN};version=1.0.0;q=0.5,${OPEN};version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2`,
      true,
    ],
    [`${OPEN};q=0.5,text/plain`, false],
    [`text/plain;q=0.5 , ${OPEN};Q=0.6`, true],
    [`text/plain,${OPEN}`, true],
    [`${OPEN};q=0.5,text/*`, false],
    [`${OPEN};q=nothing`, false],
  ] as const) {
    it(`is ${wanted} by ${accept === undefined ? 'no Accept' : accept}`, () =>
      expect(wantsOpenMetrics({ headers: accept === undefined ? {} : { accept } })).to.equal(wanted));
  }
});
