import { expect } from 'chai';
import * as messages from '../../src/core/messages.ts';
import { textLine } from '../../src/log/request-line.ts';

const WORKER = { slot: 2, pid: 4711, generation: 3 };

describe('messages', () => {
  it('say the seven texts of the contract as they stand', () => {
    expect([
      messages.listening(3000).text,
      messages.visit(3000).text,
      textLine(Date.UTC(2024, 0, 1, 12), 'GET', '/'),
      messages.received('SIGTERM').text,
      messages.closed().text,
      messages.cannotListen(3000, undefined, 'EADDRINUSE', ''),
      messages.cannotListen(3000, undefined, 'EACCES', ''),
    ]).to.deep.equal([
      'Server listening on port 3000',
      'Visit http://localhost:3000 or use curl -v http://localhost:3000',
      '2024-01-01T12:00:00.000Z - GET /\n',
      'Received SIGTERM, shutting down gracefully...',
      'Server closed successfully',
      'Port 3000 is already in use',
      'Permission denied - cannot bind to port 3000',
    ]);
  });

  it('say all of a normal start and stop at info, and nothing else that happens in one', () => {
    const said = [messages.listening(1), messages.visit(1), messages.received('SIGTERM'), messages.closed()];
    expect(said.map((line) => line.level)).to.deep.equal(['info', 'info', 'info', 'info']);
    const quiet = [
      messages.ready(WORKER, 100),
      messages.draining(WORKER, 'replaced'),
      messages.gone(WORKER, 'code 0', 100),
    ];
    expect(quiet.map((line) => line.level)).to.deep.equal(['debug', 'debug', 'debug']);
  });

  it('say of hello-server stop what they say of a signal', () => {
    expect(messages.received('stop').text).to.equal('Received stop, shutting down gracefully...');
  });

  it('name the address of any other failure to listen', () => {
    expect(messages.cannotListen(80, '10.0.0.1', 'EADDRNOTAVAIL', 'address not available')).to.equal(
      'Cannot listen on 10.0.0.1, port 80: address not available',
    );
  });

  it('ask whether memory ran out for a SIGKILL that was not ours, and for nothing else', () => {
    expect(messages.crashed(WORKER, 'SIGKILL', 1500, 0).text).to.equal(
      'worker 2 (pid 4711) crashed: SIGKILL after 1.5 s, out of memory?, respawning',
    );
    expect(messages.crashed(WORKER, 'code 1', 250_000, 500).text).to.equal(
      'worker 2 (pid 4711) crashed: code 1 after 250 s, respawning in 0.5 s',
    );
    expect(messages.gone(WORKER, 'SIGKILL', 1500).text).to.not.include('memory');
  });

  it('name how a process ended by its signal, else by its code', () => {
    expect(messages.ending(null, 'SIGKILL')).to.equal('SIGKILL');
    expect(messages.ending(3, null)).to.equal('code 3');
    expect(messages.ending(null, null)).to.equal('code unknown');
  });

  it('count in the singular and the plural', () => {
    expect(messages.dropped(1).text).to.match(/^dropped 1 log line:/);
    expect(messages.dropped(2).text).to.match(/^dropped 2 log lines:/);
    expect(messages.cut(1, 75_000).text).to.equal('cut 1 unfinished connection after 75.0 s of grace');
    expect(messages.cut(2, 75_000).text).to.equal('cut 2 unfinished connections after 75.0 s of grace');
  });

  it('are one line each', () => {
    const lines = [
      messages.bootFailed(WORKER, 'app.js: throws', 'Error\n    at app.js:1'),
      messages.abandoned(4, 'app.js: throws', 'Error\n    at app.js:1'),
      messages.cannotServe('app.js: throws', 'Error\n    at app.js:1'),
      messages.fatal('uncaughtException', 'boom', 'Error: boom\n    at app.js:1'),
    ];
    for (const line of lines) {
      expect(line.text).to.not.include('\n');
      expect(line.stack).to.include('\n');
    }
  });
});
