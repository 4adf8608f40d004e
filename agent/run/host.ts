/** What the agent says of its host: its size, and which machine and boot it is. */
import { createHash } from 'node:crypto';
import { statfsSync } from 'node:fs';
import { cpus, freemem, totalmem } from 'node:os';
import { readIfThere } from '../files.ts';
import { detectGpus } from './gpus.ts';
import type { Resources } from './resources.ts';

const MIB = 1024 ** 2;
const GIB = 1024 ** 3;

/** Where Linux keeps them; a host without them is told apart by its key alone. */
const IDENTITY_FILES = ['/etc/machine-id', '/proc/sys/kernel/random/boot_id'];

/** The same for every start since the last boot of this machine; another one on a clone. */
export function fingerprint(): string {
  const known = IDENTITY_FILES.map((file) => readIfThere(file)?.trim() ?? '').join('/');
  return createHash('sha256').update(known).digest('hex').slice(0, 32);
}

/** As this machine has it; its disk is the one of the state folder. */
export function measureHost(stateDir: string): Resources {
  const processors = cpus();
  const disk = statfsSync(stateDir);
  return {
    cpuModel: processors[0]?.model.slice(0, 200) ?? null,
    cpuThreads: processors.length,
    memoryTotalMb: Math.floor(totalmem() / MIB),
    memoryAvailableMb: Math.floor(freemem() / MIB),
    storagePools: [
      {
        name: 'state',
        totalGb: Math.floor((disk.blocks * disk.bsize) / GIB),
        availableGb: Math.floor((disk.bavail * disk.bsize) / GIB),
      },
    ],
    gpuDevices: detectGpus(),
  };
}
