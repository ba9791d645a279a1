import { expect } from 'chai';
import { usableCpus } from '../../src/host/cpus.ts';

const V2_MOUNT =
  '30 23 0:26 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:9 - cgroup2 cgroup2 rw,nsdelegate';
const V1_MOUNT =
  '33 24 0:28 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid,nodev,noexec,relatime shared:11 - cgroup cgroup rw,cpu,cpuacct';
const EIGHT_CPUS = 'Name:\tnode\nCpus_allowed:\tff\nCpus_allowed_list:\t0-7\n';

/** The CPUs to use where these files are all there is. */
const cpusWith = (files: Readonly<Record<string, string>>, parallelism = 8): number =>
  usableCpus((path) => ({ '/proc/self/status': EIGHT_CPUS, ...files })[path], parallelism);

const v2 = (path: string, quotas: Readonly<Record<string, string>>, parallelism?: number): number =>
  cpusWith(
    { '/proc/self/cgroup': `0::${path}\n`, '/proc/self/mountinfo': `${V2_MOUNT}\n`, ...quotas },
    parallelism,
  );

const v1 = (path: string, quotas: Readonly<Record<string, string>>): number =>
  cpusWith({
    '/proc/self/cgroup': `5:memory:${path}\n4:cpu,cpuacct:${path}\n1:name=systemd:${path}\n`,
    '/proc/self/mountinfo': `${V1_MOUNT}\n`,
    ...quotas,
  });

describe('usable CPUs', () => {
  describe('without a quota', () => {
    it('are those that the process may run on', () => {
      expect(cpusWith({}, 3)).to.equal(3);
      expect(usableCpus(() => undefined, 6)).to.equal(6);
    });

    it('are one at least', () => {
      expect(usableCpus(() => undefined, 0)).to.equal(1);
    });

    it('are not limited by max, nor by a quota of other controllers', () => {
      expect(v2('/app', { '/sys/fs/cgroup/app/cpu.max': 'max 100000\n' })).to.equal(8);
      expect(v1('/app', { '/sys/fs/cgroup/cpu,cpuacct/app/cpu.cfs_quota_us': '-1\n' })).to.equal(8);
      const files = { '/proc/self/cgroup': '5:memory:/app\n', '/proc/self/mountinfo': V1_MOUNT };
      expect(cpusWith({ ...files, '/sys/fs/cgroup/cpu,cpuacct/app/cpu.cfs_quota_us': '100000' })).to.equal(8);
    });

    it('are not limited by what cannot be read as a quota', () => {
      for (const text of ['', 'x y', '0 0', '100000 0', '-5 100000']) {
        expect(v2('/app', { '/sys/fs/cgroup/app/cpu.max': text }), text).to.equal(8);
      }
    });
  });

  describe('under cgroup v2', () => {
    it('are the quota rounded up', () => {
      const quotas = {
        '200000 100000': 2,
        '150000 100000': 2,
        '250000 100000': 3,
        '50000 100000': 1,
        '1000 100000': 1,
      };
      for (const [text, cpus] of Object.entries(quotas)) {
        expect(v2('/app', { '/sys/fs/cgroup/app/cpu.max': `${text}\n` }), text).to.equal(cpus);
      }
    });

    it('are never more than those that the process may run on', () => {
      expect(v2('/app', { '/sys/fs/cgroup/app/cpu.max': '6400000 100000\n' })).to.equal(8);
      const files = {
        '/sys/fs/cgroup/app/cpu.max': '400000 100000\n',
        '/proc/self/status': 'Cpus_allowed:\t5\n',
      };
      expect(v2('/app', files)).to.equal(2);
    });

    it('are by the affinity itself where Node has the quota, rounded down, in its own count already', () => {
      expect(v2('/app', { '/sys/fs/cgroup/app/cpu.max': '150000 100000\n' }, 1)).to.equal(2);
    });

    it('are by the smallest quota on the way up', () => {
      const quotas = {
        '/sys/fs/cgroup/kube/pod/app/cpu.max': 'max 100000\n',
        '/sys/fs/cgroup/kube/pod/cpu.max': '300000 100000\n',
        '/sys/fs/cgroup/kube/cpu.max': '500000 100000\n',
      };
      expect(v2('/kube/pod/app', quotas)).to.equal(3);
      expect(v2('/kube/pod/app', { ...quotas, '/sys/fs/cgroup/kube/cpu.max': '100000 100000\n' })).to.equal(
        1,
      );
    });

    it('are by the mount itself in a container with a namespace of its own', () => {
      expect(v2('/', { '/sys/fs/cgroup/cpu.max': '200000 100000\n' })).to.equal(2);
    });

    it('are by the mount itself where the path is the host’s, and nothing of it is mounted', () => {
      expect(v2('/system.slice/docker-1.scope', { '/sys/fs/cgroup/cpu.max': '200000 100000\n' })).to.equal(2);
      expect(v2('/../../other', { '/sys/fs/cgroup/cpu.max': '200000 100000\n' })).to.equal(2);
    });

    it('are by the part of the path below the mount’s root', () => {
      const mount = V2_MOUNT.replace(' / /sys', ' /docker/1 /sys');
      const files = { '/proc/self/cgroup': '0::/docker/1/app\n', '/proc/self/mountinfo': mount };
      expect(cpusWith({ ...files, '/sys/fs/cgroup/app/cpu.max': '300000 100000' })).to.equal(3);
    });
  });

  describe('under cgroup v1', () => {
    const folder = '/sys/fs/cgroup/cpu,cpuacct';

    it('are the quota by the period, rounded up', () => {
      const quotas = {
        [`${folder}/app/cpu.cfs_quota_us`]: '250000\n',
        [`${folder}/app/cpu.cfs_period_us`]: '100000\n',
      };
      expect(v1('/app', quotas)).to.equal(3);
    });

    it('are by the smallest quota on the way up', () => {
      const quotas = {
        [`${folder}/pod/app/cpu.cfs_quota_us`]: '-1',
        [`${folder}/pod/app/cpu.cfs_period_us`]: '100000',
        [`${folder}/pod/cpu.cfs_quota_us`]: '40000',
        [`${folder}/pod/cpu.cfs_period_us`]: '20000',
      };
      expect(v1('/pod/app', quotas)).to.equal(2);
    });

    it('are by the mount itself in a container, whose path is the host’s', () => {
      const quotas = { [`${folder}/cpu.cfs_quota_us`]: '200000', [`${folder}/cpu.cfs_period_us`]: '100000' };
      expect(v1('/docker/1', quotas)).to.equal(2);
    });

    it('are found beside a v2 tree without the cpu controller', () => {
      const unified = V2_MOUNT.replace('/sys/fs/cgroup ', '/sys/fs/cgroup/unified ');
      const files = {
        '/proc/self/cgroup': '4:cpu,cpuacct:/app\n0::/app\n',
        '/proc/self/mountinfo': `${unified}\n${V1_MOUNT}\n`,
        [`${folder}/app/cpu.cfs_quota_us`]: '200000',
        [`${folder}/app/cpu.cfs_period_us`]: '100000',
      };
      expect(cpusWith(files)).to.equal(2);
    });
  });

  it('are counted in an affinity of more than 32 CPUs, too', () => {
    const status = 'Cpus_allowed:\tff,00000000,0000000f\n';
    expect(
      v2('/app', { '/proc/self/status': status, '/sys/fs/cgroup/app/cpu.max': '6400000 100000' }),
    ).to.equal(12);
  });

  it('are some here', () => {
    expect(usableCpus()).to.be.at.least(1);
  });
});
