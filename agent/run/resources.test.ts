import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ConfigFile } from '../config/schema.ts';
import { detectGpus } from './gpus.ts';
import { measureHost } from './host.ts';
import { describeResources, resourcesOf } from './resources.ts';

const MEASURED = {
  cpuThreads: 8,
  memoryTotalMb: 32_768,
  storagePools: [{ name: 'state', totalGb: 900, availableGb: 1 }],
  gpuDevices: [],
};
function said({
  resources = {},
  type = 'script',
  agent = {},
}: {
  resources?: object;
  type?: string;
  agent?: object;
}) {
  const { success, data, error } = ConfigFile.safeParse({
    agent: { api_url: 'https://api.example.com', provider_pubkey: 'ab'.repeat(32), pool_id: 'p', ...agent },
    keys: { private_key_path: 'k' },
    provisioner: { type, script: { provision: '/p' } },
    resources,
  });
  if (!success) throw error;
  return resourcesOf({ ...data, agent: { ...data.agent, state_dir: '/s' } }, () => MEASURED);
}

test('a host of scripts is measured where nothing is configured', () => {
  expect(said({})).toEqual(MEASURED);
  expect(said({ resources: { cpu: 4, gpus: 2 }, agent: { max_instances: 3 } })).toEqual({
    ...MEASURED,
    cpuThreads: 4,
    gpus: 2,
    instances: 3,
  });
});

test('machines that stand elsewhere are not limited by this host', () => {
  expect(said({ type: 'manual' })).toEqual({});
  expect(
    said({ resources: { detect: false, memory_gb: 1.5, disk_gb: 20, storage_classes: ['nvme'] } }),
  ).toEqual({
    memoryTotalMb: 1536,
    storagePools: [{ name: 'configured', totalGb: 20, availableGb: 20 }],
    storageClasses: ['nvme'],
  });
});

test('is told in one line', () => {
  expect(describeResources(MEASURED)).toBe('8 CPU, 32 GiB memory, 900 GiB disk, 0 GPU');
  expect(describeResources({})).toBe('not limited');
});

test('this very host has what node:os says', () =>
  expect(measureHost(tmpdir())).toMatchObject({
    cpuThreads: cpus().length,
    storagePools: [{ name: 'state', totalGb: expect.any(Number) }],
  }));

test('a GPU is what computes: an accelerator, or a graphics card of those who make them', () => {
  const folder = mkdtempSync(join(tmpdir(), 'dc-agent-pci-'));
  const device = (id: string, kind: string, vendor: string): void => {
    mkdirSync(join(folder, id));
    for (const [name, text] of Object.entries({ class: kind, vendor, device: '0x27b8' }))
      writeFileSync(join(folder, id, name), `${text}\n`);
  };
  device('0000:01:00.0', '0x030200', '0x10de');
  device('0000:02:00.0', '0x030000', '0x1002');
  device('0000:03:00.0', '0x030000', '0x1a03'); // the console of a server
  device('0000:04:00.0', '0x020000', '0x10de'); // a network card
  device('0000:05:00.0', '0x120000', '0x8086');
  expect(detectGpus(folder).map(({ pciId, vendor }) => [pciId, vendor])).toEqual([
    ['0000:01:00.0', 'NVIDIA'],
    ['0000:02:00.0', 'AMD'],
    ['0000:05:00.0', '0x8086'],
  ]);
  expect(detectGpus(join(folder, 'nowhere'))).toEqual([]);
  rmSync(folder, { recursive: true });
});
