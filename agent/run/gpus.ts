/** How many GPUs this host has for computing, as Linux lists its PCI devices; none where it has no such list. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { readIfThere } from '../files.ts';

const PCI_DEVICES = '/sys/bus/pci/devices';
/** Class codes without the programming interface: 3D controllers and processing accelerators. */
const COMPUTES = ['0x0302', '0x1200'];
/** A VGA controller computes only when it is one of these; the others draw the console of a server. */
const VGA = '0x0300';
const VENDORS_OF_GPUS: Readonly<Record<string, string>> = { '0x10de': 'NVIDIA', '0x1002': 'AMD' };

export type Gpu = Readonly<{ pciId: string; name: string; vendor: string }>;

export function detectGpus(folder = PCI_DEVICES): Gpu[] {
  return namesIn(folder).flatMap((pciId) => {
    const word = (file: string): string => readIfThere(join(folder, pciId, file))?.trim() ?? '';
    const kind = word('class').slice(0, 6);
    const vendorId = word('vendor');
    const vendor = VENDORS_OF_GPUS[vendorId];
    if (!COMPUTES.includes(kind) && !(kind === VGA && vendor !== undefined)) return [];
    return [{ pciId, name: `${vendorId}:${word('device')}`, vendor: vendor ?? vendorId }];
  });
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return []; // no PCI, or not Linux
  }
}
