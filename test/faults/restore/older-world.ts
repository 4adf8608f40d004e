/**
 * A cluster of its own whose etcd can be put back: a whole installation around it (operator, two facades, agents
 * with a true ledger, PostgreSQL) that goes on meanwhile.
 */
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { contractIdOf, isLive, type LiveContract } from '../../../crds/contract/contract.ts';
import type { ContractPhase } from '../../../crds/contract/phase.ts';
import { type World as RestoreWorld, WORLD, worldOf } from '../../../crds/restore/world.ts';
import { eventually } from '../../world/eventually.ts';
import { openWorld } from '../../world/world.ts';
import type { Machine } from '../ledger/ledger.ts';
import { openStage, type Stage } from '../world/stage.ts';
import { createTenant, type Tenant } from '../world/tenant.ts';

export type OlderWorld = Readonly<{
  stage: Stage;
  /** A copy of etcd as it is now; the cluster is down for it. */
  backUp: () => Promise<void>;
  /** Puts the copy back; `meanwhile` runs while the cluster is down. */
  putBack: (meanwhile?: () => Promise<void>) => Promise<void>;
  rent: (offeringId: string) => Promise<Rented>;
  statusOf: (id: string) => Promise<LiveContract['status'] | undefined>;
  until: (id: string, phase: ContractPhase) => Promise<LiveContract['status']>;
  world: () => Promise<RestoreWorld>;
  machinesOf: (id: string) => readonly Machine[];
  /** Writes that only move the server's resourceVersion on. */
  pass: (writes: number) => Promise<void>;
  close: () => Promise<void>;
}>;

export type Rented = Readonly<{ id: string; tenant: Tenant }>;

/** A slow machine is no fault. */
const WITHIN_MS = 60_000;

export async function openOlderWorld(name: string): Promise<OlderWorld> {
  const world = await openWorld();
  let controlPlane = await world.startControlPlane();
  const stage = await openStage(name, { kubeconfig: controlPlane.kubeconfig });
  const { clients, namespace, ledger } = stage;
  const data = join(world.folder, 'control-plane', 'etcd');
  const copy = join(world.folder, 'backup');
  const whileDown = async (work: () => Promise<void> | void): Promise<void> => {
    await controlPlane.stop();
    await work();
    controlPlane = await world.startControlPlane({ withCrds: false });
  };
  const statusOf = async (id: string) => {
    const { items } = await clients.contracts.list({ namespace });
    const found = items.find(({ metadata }) => contractIdOf(metadata.uid ?? '') === id);
    return found && isLive(found) ? found.status : undefined;
  };
  return {
    stage,
    statusOf,
    backUp: () => whileDown(() => cpSync(data, copy, { recursive: true })),
    putBack: (meanwhile) =>
      whileDown(async () => {
        rmSync(data, { recursive: true });
        cpSync(copy, data, { recursive: true });
        await meanwhile?.();
      }),
    rent: async (offeringId) => {
      const tenant = createTenant(stage);
      return { tenant, id: await tenant.rent(offeringId) };
    },
    until: async (id, phase) => {
      let status: LiveContract['status'] | undefined;
      await eventually(
        async () => {
          status = await statusOf(id);
          if (status?.phase !== phase)
            throw new Error(
              `${id} is ${status?.phase} (${status?.reason}: ${status?.message}), not ${phase}`,
            );
        },
        { withinMs: WITHIN_MS },
      );
      if (!status) throw new Error('unreachable: eventually has thrown');
      return status;
    },
    world: async () => worldOf(await clients.configMaps.get({ namespace, name: WORLD })),
    machinesOf: (id) => ledger.machines().filter(({ contractId }) => contractId === id),
    pass: async (writes) => {
      for (let n = 0; n < writes; n += 25)
        await Promise.all(
          Array.from({ length: 25 }, (_, i) =>
            clients.configMaps.create({ metadata: { namespace, name: `pass-${n + i}` }, data: {} }),
          ),
        );
    },
    close: async () => {
      await stage.close();
      await world.close();
    },
  };
}
