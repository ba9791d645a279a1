// Under Node's permission model.

import { expect } from 'chai';
import { exchange, request } from '../helpers/raw.ts';
import { launch, ROOT, serve } from '../helpers/server.ts';

const MODEL = process.allowedNodeEnvironmentFlags.has('--permission')
  ? '--permission'
  : '--experimental-permission';
const NETWORK = process.allowedNodeEnvironmentFlags.has('--allow-net') ? ['--allow-net'] : [];

describe('node --permission', () => {
  it('starts, serves, respawns and stops with the flags it needs', async () => {
    const flags = ['--allow-fs-read=*', '--allow-fs-write=*', '--allow-child-process', ...NETWORK];
    const server = await serve({
      nodeArgs: [MODEL, ...flags, '--no-warnings'],
      env: { WEB_CONCURRENCY: '1' },
    });
    expect((await exchange(server.port, request('GET', '/'))).status).to.equal(200);
    const [first] = server.workers();
    process.kill(first ?? 0, 'SIGKILL');
    await server.says(/crashed: SIGKILL/);
    expect((await exchange(server.port, request('GET', '/'))).status).to.equal(200);
    expect(await server.stop()).to.deep.equal({ code: 0, signal: null });
    expect(server.out).to.not.include('no control socket');
  });

  it('serves from a part of the files, without a control socket, and says so', async () => {
    const flags = [`--allow-fs-read=${ROOT}/*`, '--allow-child-process', ...NETWORK];
    const server = await serve({
      nodeArgs: [MODEL, ...flags, '--no-warnings'],
      env: { WEB_CONCURRENCY: '1' },
    });
    expect((await exchange(server.port, request('GET', '/'))).status).to.equal(200);
    expect(server.out).to.match(/^no control socket, so .*\nServer listening on port \d+\nVisit .*\n/);
    expect(await server.stop()).to.deep.equal({ code: 0, signal: null });
    expect(server.err).to.equal('');
  });

  it('names in one line every flag that is missing, and exits with 78', async () => {
    const server = launch({ nodeArgs: [MODEL, `--allow-fs-read=${ROOT}/*`, '--no-warnings'] });
    expect(await server.end()).to.deep.equal({ code: 78, signal: null });
    const missing = ['--allow-child-process', ...NETWORK].join(', ');
    expect(server.err).to.equal(`expected --permission with ${missing}, got it without\n`);
    expect(server.out).to.equal('');
  });
});
