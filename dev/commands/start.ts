/** `npm start`: one at a time in a checkout; servers, the market on them, and all stopped again in order. */
import { requireFreePort } from '../processes/ports.ts';
import { runMarket } from '../start/market.ts';
import type { StartOptions } from '../start/options.ts';
import { DEFAULT_PORT } from '../start/programs.ts';
import { healLeftovers, lockCheckout, startServers } from '../start/servers.ts';
import type { Dev } from './dev.ts';

export async function runStart(dev: Dev, options: StartOptions): Promise<number> {
  const unlock = lockCheckout(dev);
  try {
    await healLeftovers(dev);
    await requireFreePort(options.port ?? DEFAULT_PORT, '--port');
    const servers = await startServers(dev, { kubeconfig: options.kubeconfig });
    try {
      await runMarket(dev, { servers, options });
    } finally {
      await dev.progress.step('stopped', () => servers.stop());
    }
  } finally {
    unlock();
  }
  return 0;
}
