/**
 * The baseline of a start: a process that lists all contracts in pages through the same client, parses them, keeps
 * them, and does nothing else. Prints one line of JSON, then waits for its end. `KUBECONFIG` says where.
 */
import { contractDefinition } from '../../crds/contract/definition.ts';
import { GROUP, VERSION } from '../../crds/group.ts';
import { createKubeClient } from '../../kube/client.ts';
import { type KubeObject, keyOf } from '../../kube/object.ts';
import { systemClock } from '../../lib/clock.ts';

const PAGE_SIZE = 500;

async function main(): Promise<void> {
  const client = createKubeClient({
    kubeconfig: { file: process.env['KUBECONFIG'] ?? '' },
    requestTimeoutMs: 180_000,
  });
  const { plural, kind } = contractDefinition;
  const contracts = client.resource<KubeObject>({
    group: GROUP,
    version: VERSION,
    plural,
    kind,
    namespaced: true,
  });
  const kept = new Map<string, KubeObject>();
  const startedMs = systemClock.monotonicMs();
  let next: string | undefined;
  do {
    const page = await contracts.list({ limit: PAGE_SIZE, continue: next });
    for (const { metadata, ...rest } of page.items) {
      const { managedFields, ...slim } = metadata;
      const object = { ...rest, metadata: slim };
      kept.set(keyOf(object), object);
    }
    next = page.continue;
  } while (next !== undefined);
  const listMs = systemClock.monotonicMs() - startedMs;
  process.stdout.write(`${JSON.stringify({ listMs, objects: kept.size })}\n`);
  await new Promise((resolve) => {
    const alive = setInterval(() => {}, 60_000);
    process.once('SIGTERM', () => resolve(clearInterval(alive)));
  });
  await client.close();
  if (kept.size === 0) process.exitCode = 1; // they are kept until here
}

await main();
