import { expect } from 'chai';
import { oomCount } from '../../src/host/oom-kills.ts';

const V2 = '30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate';
const V1 = '35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory';
const EVENTS = (kills: number): string =>
  `low 0\nhigh 0\nmax 31\noom 2\noom_kill ${kills}\noom_group_kill 0\n`;
const CONTROL = (kills: number): string => `oom_kill_disable 0\nunder_oom 0\noom_kill ${kills}\n`;

/** The count where these files are all there is. */
const countWith = (cgroup: string, mounts: string, files: Readonly<Record<string, string>>) =>
  oomCount((path) => ({ '/proc/self/cgroup': cgroup, '/proc/self/mountinfo': mounts, ...files })[path]);

describe('the kernel’s count of kills for memory', () => {
  it('is that of the process’s own cgroup, v2', () => {
    const files = {
      '/sys/fs/cgroup/app/memory.events': EVENTS(3),
      '/sys/fs/cgroup/memory.events': EVENTS(9),
    };
    expect(countWith('0::/app\n', V2, files)).to.deep.equal({
      of: '/sys/fs/cgroup/app',
      kills: 3,
      machineKills: undefined,
    });
  });

  it('is that of the nearest one above it that has the controller, v2: it counts those below', () => {
    const files = {
      '/sys/fs/cgroup/kube/pod/memory.events': EVENTS(2),
      '/sys/fs/cgroup/kube/memory.events': EVENTS(5),
    };
    expect(countWith('0::/kube/pod/app\n', V2, files)).to.deep.equal({
      of: '/sys/fs/cgroup/kube/pod',
      machineKills: undefined,
      kills: 2,
    });
  });

  it('is that of the process’s own cgroup, v1, beside a v2 tree without the controller', () => {
    const unified = V2.replace('/sys/fs/cgroup ', '/sys/fs/cgroup/unified ');
    const files = {
      '/sys/fs/cgroup/memory/pod/app/memory.oom_control': CONTROL(1),
      '/sys/fs/cgroup/memory/memory.oom_control': CONTROL(7),
      '/proc/vmstat': 'pgfault 1\noom_kill 8\nswpin 0\n',
    };
    expect(countWith('4:memory:/pod/app\n0::/pod\n', `${unified}\n${V1}\n`, files)).to.deep.equal({
      of: '/sys/fs/cgroup/memory/pod/app',
      kills: 1,
      machineKills: 8,
    });
  });

  it('is not that of one above it in v1, which counts its own processes alone', () => {
    const files = { '/sys/fs/cgroup/memory/pod/memory.oom_control': CONTROL(1) };
    expect(countWith('4:memory:/pod/app\n', V1, files)).to.equal(undefined);
  });

  it('is that of the mount itself in a container, whose path is the host’s or hidden', () => {
    const control = { '/sys/fs/cgroup/memory/memory.oom_control': CONTROL(4) };
    const mount = V1.replace(' / /sys', ' /docker/1 /sys');
    expect(countWith('4:memory:/docker/1\n', mount, control)?.kills).to.equal(4);
    expect(countWith('4:memory:/\n', V1, control)?.kills).to.equal(4);
    const events = { '/sys/fs/cgroup/memory.events': EVENTS(6) };
    for (const path of ['/', '/system.slice/docker-1.scope'])
      expect(countWith(`0::${path}\n`, V2, events)?.kills, path).to.equal(6);
  });

  it('is not known in a process that was moved out of what is mounted: what is counted there is not of it', () => {
    const control = { '/sys/fs/cgroup/memory/memory.oom_control': CONTROL(4) };
    const events = { '/sys/fs/cgroup/memory.events': EVENTS(6) };
    for (const path of ['/..', '/../../other']) {
      expect(countWith(`4:memory:${path}\n`, V1, control), path).to.equal(undefined);
      expect(
        countWith(`4:hugetlb,memory:${path}\n`, V1.replace('rw,memory', 'rw,hugetlb,memory'), control),
      ).to.equal(undefined);
      expect(countWith(`0::${path}\n`, V2, events), path).to.equal(undefined);
      expect(countWith(`5:pids:${path}\n4:memory:/\n`, V1, control)?.kills, path).to.equal(4);
    }
  });

  it('is not known where nothing can be read, or an older kernel does not count', () => {
    expect(oomCount(() => undefined)).to.equal(undefined);
    expect(countWith('0::/app\n', V2, {})).to.equal(undefined);
    expect(countWith('', '', { '/sys/fs/cgroup/memory.events': EVENTS(1) })).to.equal(undefined);
    for (const text of ['', 'oom_kill_disable 0\nunder_oom 0\n', 'oom_kill x\n', 'oom_kill -1\n'])
      expect(
        countWith('4:memory:/app\n', V1, { '/sys/fs/cgroup/memory/app/memory.oom_control': text }),
        text,
      ).to.equal(undefined);
  });

  it('is read here without an error', () => {
    expect(() => oomCount()).not.to.throw();
  });
});
