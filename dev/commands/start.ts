/** `npm start`: the servers for now; the market on top of them comes with `dev/start/`. */
import { aborted } from '../../lib/abort.ts';
import { healLeftovers, lockCheckout, startServers } from '../start/servers.ts';
import type { Dev } from './dev.ts';
import type { StartOptions } from './table.ts';

export async function runStart(dev: Dev, options: StartOptions): Promise<number> {
  const unlock = lockCheckout(dev);
  try {
    await healLeftovers(dev);
    const servers = await startServers(dev, { kubeconfig: options.kubeconfig });
    if (!options.once) await aborted(dev.signal);
    await dev.progress.step('stopped', () => servers.stop());
  } finally {
    unlock();
  }
  return 0;
}
