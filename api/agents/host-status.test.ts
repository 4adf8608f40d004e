import { describe, expect, test } from 'vitest';
import { HeartbeatRequest } from '../../crds/wire/heartbeat.ts';
import { hostStatus, isWordsOnly, mayWait } from './host-status.ts';

const said = (more: object = {}) =>
  HeartbeatRequest.parse({ version: '1.0.0', provisionerType: 'Script', activeContracts: 0, ...more });
const HOST = {
  cpuThreads: 16,
  memoryTotalMb: 65_536,
  memoryAvailableMb: 1000,
  storagePools: [
    { name: 'a', totalGb: 500, availableGb: 100, storageType: 'nvme' },
    { name: 'b', totalGb: 1000, availableGb: 100, storageType: 'a pool of mine' },
  ],
  gpuDevices: [{ pciId: '0000:01:00.0', name: 'L4', vendor: 'NVIDIA', memoryMb: null }],
};
const known = hostStatus({}, said({ resources: HOST, capabilities: ['kvm', 'ipv6', 'kvm'] }));

describe('what an agent says of its host', () => {
  test('lasts as quantities and as words that an offering can ask for', () =>
    expect(known).toEqual({
      version: '1.0.0',
      provisionerType: 'script',
      resources: { cpu: '16', memory: '65536Mi', storage: '1500Gi', gpu: 1 },
      capabilities: ['ipv6', 'kvm'],
      storageClasses: ['nvme'],
    }));

  test('configured figures go before what was counted', () =>
    expect(
      hostStatus({}, said({ resources: { gpus: 0, gpuDevices: HOST.gpuDevices, instances: 8 } }))?.resources,
    ).toEqual({ gpu: 0, instances: 8 }));

  test.each([
    { name: 'the same again', change: {} },
    { name: 'free memory', change: { memoryAvailableMb: 7 } },
    {
      name: 'a disk of which a little was taken',
      change: { storagePools: [{ name: 'a', totalGb: 1490, availableGb: 5, storageType: 'nvme' }] },
    },
  ])('$name is no reason to write', ({ change }) =>
    expect(
      hostStatus(known, said({ resources: { ...HOST, ...change }, capabilities: ['kvm', 'ipv6'] })),
    ).toBeUndefined(),
  );

  test('a heartbeat without resources, as a doctor sends it, changes nothing', () =>
    expect(hostStatus(known, said())).toBeUndefined());

  test('another version that says nothing of its host is not limited by what the other said', () =>
    expect(hostStatus(known, said({ version: '0.6.0', capabilities: null }))).toEqual({
      version: '0.6.0',
      provisionerType: 'script',
    }));

  test('a size that moves can wait, a first size or another version cannot', () => {
    const next = (resources: object, version = '1.0.0') =>
      hostStatus(known, said({ version, resources })) ?? {};
    expect(mayWait(known, next({ cpuThreads: 8 }))).toBe(true);
    expect(mayWait({ version: '1.0.0', provisionerType: 'script' }, next({ cpuThreads: 8 }))).toBe(false);
    expect(mayWait(known, next({ cpuThreads: 8 }, '1.0.1'))).toBe(false);
  });

  test('a disk that was added is news', () =>
    expect(
      hostStatus(
        known,
        said({ resources: { ...HOST, storagePools: [{ name: 'a', totalGb: 2000, availableGb: 5 }] } }),
      )?.resources?.storage,
    ).toBe('2000Gi'));
});

describe('what an agent says of its health', () => {
  const unhealthy = { reason: 'CannotList', message: 'permission denied' };
  const ill = hostStatus(known, said({ unhealthy }));

  test('lasts as long as it says it, beside all else that is known', () => {
    expect(ill).toEqual({ ...known, unhealthy });
    expect(hostStatus(ill, said({ unhealthy }))).toBeUndefined();
    expect(hostStatus(ill, said())).toEqual(known);
    expect(hostStatus(known, said())).toBeUndefined();
  });

  test('is written 10 s apart at most, and other words for the same only now and then', () => {
    const other = hostStatus(ill, said({ unhealthy: { ...unhealthy, message: 'no such file' } }));
    const worse = hostStatus(ill, said({ unhealthy: { reason: 'StateNotWritable', message: '' } }));
    const both = hostStatus(ill, said({ unhealthy: { ...unhealthy, message: 'x' }, capabilities: [] }));
    const all = [ill, other, worse, both].map((next = {}) => [mayWait(ill, next), isWordsOnly(ill, next)]);
    expect(all).toEqual([
      [true, true],
      [true, true],
      [true, false],
      [true, false],
    ]);
    expect(isWordsOnly(known, ill ?? {})).toBe(false);
  });
});
