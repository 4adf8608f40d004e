/** Whether the API server answers, asked at most once in two seconds however many probes come. */

import type { KubeClient } from '../../kube/client.ts';
import type { Clock } from '../../lib/clock.ts';
import type { ClusterHealth } from '../deps.ts';

const FRESH_MS = 2000;
const TIMEOUT_MS = 2000;

export function clusterHealthOf(kube: KubeClient, clock: Clock): () => Promise<ClusterHealth> {
  let last: { atMs: number; health: Promise<ClusterHealth> } | undefined;
  return () => {
    const nowMs = clock.monotonicMs();
    if (!last || nowMs - last.atMs > FRESH_MS) last = { atMs: nowMs, health: ask(kube) };
    return last.health;
  };
}

async function ask(kube: KubeClient): Promise<ClusterHealth> {
  try {
    await kube.raw({ method: 'GET', path: '/version', timeoutMs: TIMEOUT_MS, onBusy: 'Throw' });
  } catch (error) {
    return {
      reachable: false,
      skewMs: undefined,
      detail: error instanceof Error ? error.message : 'no answer',
    };
  }
  const skew = kube.clockSkew();
  // What is certain of the difference: the estimate less its uncertainty.
  const certain =
    skew && Math.sign(skew.offsetMs) * Math.max(0, Math.abs(skew.offsetMs) - skew.uncertaintyMs);
  return { reachable: true, skewMs: certain, detail: '' };
}
