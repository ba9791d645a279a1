import { expect } from 'chai';
import { clientPlaces, isOwnPlace, pathProblem, serverPlaces } from '../../src/control/places.ts';

const around = (env: Readonly<Record<string, string>>) => ({ env, tmp: '/tmp', uid: 1000 });

describe('the places of the control socket', () => {
  it('are below the folder for temporary files, one a user and port', () => {
    expect(serverPlaces(around({}), 3000)).to.deep.equal(['/tmp/hello-server-1000/3000.sock']);
  });

  it("begin with systemd's folder, then the user's own", () => {
    const env = { RUNTIME_DIRECTORY: '/run/a:/run/b', XDG_RUNTIME_DIR: '/run/user/1000' };
    expect(serverPlaces(around(env), 80)).to.deep.equal([
      '/run/a/control.sock',
      '/run/user/1000/hello-server/80.sock',
      '/tmp/hello-server-1000/80.sock',
    ]);
  });

  it('take an empty variable for one that is unset', () => {
    expect(serverPlaces(around({ RUNTIME_DIRECTORY: '', XDG_RUNTIME_DIR: '' }), 80)).to.have.length(1);
  });

  it('are for a client the same, in the same order, and the one of the system', () => {
    for (const env of [{}, { XDG_RUNTIME_DIR: '/run/user/1000' }, { RUNTIME_DIRECTORY: '/run/a' }]) {
      expect(clientPlaces(around(env), 80)).to.deep.equal([
        ...serverPlaces(around(env), 80),
        '/run/hello-server/control.sock',
      ]);
    }
    const itself = around({ RUNTIME_DIRECTORY: '/run/hello-server' });
    expect(clientPlaces(itself, 80).filter((place) => place.startsWith('/run'))).to.have.length(1);
  });

  it('are the own ones of a unit where systemd made its folder', () => {
    const unit = around({ RUNTIME_DIRECTORY: '/run/hello-server' });
    expect(isOwnPlace(unit, '/run/hello-server/control.sock')).to.equal(true);
    expect(isOwnPlace(unit, '/tmp/hello-server-1000/80.sock')).to.equal(false);
    expect(isOwnPlace(around({}), '/run/hello-server/control.sock')).to.equal(false);
  });

  it('are no longer than the kernel takes, counted in bytes', () => {
    expect(pathProblem('x'.repeat(107))).to.equal(undefined);
    expect(pathProblem('x'.repeat(108))).to.equal('expected a path of at most 107 bytes, got 108');
    expect(pathProblem('é'.repeat(54))).to.equal('expected a path of at most 107 bytes, got 108');
  });
});
