import { expect } from 'chai';
import { memoryLeftMiB, memoryLimitMiB } from '../../src/host/memory-limit.ts';

const V2_MOUNT = '30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate';
const V1_MOUNT = '35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory';
const MIB = 1_048_576;
const MACHINE = 16_384;
const NO_LIMIT_V1 = '9223372036854771712\n';
const mib = (amount: number): string => `${amount * MIB}\n`;

type Files = Readonly<Record<string, string>>;
const reader = (files: Files) => (path: string) => files[path];
const inV2 = (path: string, files: Files): Files => ({
  '/proc/self/cgroup': `0::${path}\n`,
  '/proc/self/mountinfo': `${V2_MOUNT}\n`,
  ...files,
});
const inV1 = (path: string, files: Files): Files => ({
  '/proc/self/cgroup': `5:memory:${path}\n1:cpu:/other\n0::/\n`,
  '/proc/self/mountinfo': `${V1_MOUNT}\n`,
  ...files,
});
const limit = (files: Files): number | undefined => memoryLimitMiB(reader(files), MACHINE);

describe('the limit of memory', () => {
  it('is memory.max under cgroup v2, and memory.limit_in_bytes under v1', () => {
    expect(limit(inV2('/app', { '/sys/fs/cgroup/app/memory.max': mib(512) }))).to.equal(512);
    expect(limit(inV1('/app', { '/sys/fs/cgroup/memory/app/memory.limit_in_bytes': mib(512) }))).to.equal(
      512,
    );
  });

  it('is the smallest up to the mount’s root', () => {
    const nested = {
      '/sys/fs/cgroup/memory.max': 'max\n',
      '/sys/fs/cgroup/a/memory.max': mib(300),
      '/sys/fs/cgroup/a/b/memory.max': mib(800),
      '/sys/fs/cgroup/a/b/c/memory.max': 'max\n',
    };
    expect(limit(inV2('/a/b/c', nested))).to.equal(300);
    const root = { '/sys/fs/cgroup/memory/memory.limit_in_bytes': mib(64) };
    expect(limit(inV1('/docker/0123', root))).to.equal(64);
  });

  it('is found in a container, where the path is the host’s or the mount is of its own folder', () => {
    const mount = V1_MOUNT.replace(' / ', ' /docker/0123 ');
    const file = { '/sys/fs/cgroup/memory/memory.limit_in_bytes': mib(256) };
    expect(limit({ ...inV1('/docker/0123', file), '/proc/self/mountinfo': mount })).to.equal(256);
    expect(limit(inV2('/../../host', { '/sys/fs/cgroup/memory.max': mib(128) }))).to.equal(128);
  });

  it('is none where the files say so, or say what is above the machine’s memory', () => {
    expect(limit(inV2('/app', { '/sys/fs/cgroup/app/memory.max': 'max\n' }))).to.equal(undefined);
    const v1 = (text: string) => inV1('/app', { '/sys/fs/cgroup/memory/app/memory.limit_in_bytes': text });
    expect(limit(v1(NO_LIMIT_V1))).to.equal(undefined);
    expect(limit(v1(mib(MACHINE)))).to.equal(undefined);
    expect(limit(v1(mib(MACHINE - 1)))).to.equal(MACHINE - 1);
  });

  it('is none where a file cannot be read, or makes no sense', () => {
    expect(limit({})).to.equal(undefined);
    expect(limit(inV2('/app', {}))).to.equal(undefined);
    expect(limit({ '/proc/self/cgroup': '0::/app\n' })).to.equal(undefined);
    expect(limit({ '/proc/self/cgroup': 'rubbish\n:\n::\n', '/proc/self/mountinfo': ' - \n-' })).to.equal(
      undefined,
    );
    for (const text of ['', 'x', '-1', '1e9', '12 34'])
      expect(limit(inV2('/app', { '/sys/fs/cgroup/app/memory.max': text })), text).to.equal(undefined);
  });

  it('can be read here, whatever it is', () => {
    expect([undefined, 'number']).to.include(memoryLimitMiB() === undefined ? undefined : 'number');
  });
});

describe('the memory that is left', () => {
  const machine = { '/proc/meminfo': 'MemTotal: 16777216 kB\nMemAvailable:    2097152 kB\n' };
  const left = (files: Files): number | undefined => memoryLeftMiB(reader({ ...machine, ...files }));

  it('is the machine’s where there is no limit', () => {
    expect(left({})).to.equal(2048);
    expect(memoryLeftMiB(reader({}))).to.equal(undefined);
  });

  it('is what the limit leaves, files in the cache counted as free', () => {
    const v2 = {
      '/sys/fs/cgroup/app/memory.max': mib(512),
      '/sys/fs/cgroup/app/memory.current': mib(400),
      '/sys/fs/cgroup/app/memory.stat': `anon 1\ninactive_file ${100 * MIB}\nactive_file 9\n`,
    };
    expect(left(inV2('/app', v2))).to.equal(212);
    const v1 = {
      '/sys/fs/cgroup/memory/app/memory.limit_in_bytes': mib(512),
      '/sys/fs/cgroup/memory/app/memory.usage_in_bytes': mib(512),
      '/sys/fs/cgroup/memory/app/memory.stat': `inactive_file 5\ntotal_inactive_file ${12 * MIB}\n`,
    };
    expect(left(inV1('/app', v1))).to.equal(12);
  });

  it('is never less than nothing, and the smallest of all', () => {
    const nested = {
      '/sys/fs/cgroup/a/memory.max': mib(100),
      '/sys/fs/cgroup/a/memory.current': mib(101),
      '/sys/fs/cgroup/a/b/memory.max': mib(50),
      '/sys/fs/cgroup/a/b/memory.current': mib(1),
    };
    expect(left(inV2('/a/b', nested))).to.equal(0);
  });
});
