/**
 * One life around a restore. Before the backup: one contract runs, one is about to be cancelled, one waits, one is
 * being built. After it, in the world that is lost: the waiting one is built, the one in building goes to another
 * agent, one is cancelled and destroyed, a new one is made. Then the backup is put back.
 */
import { expect } from 'vitest';
import { uidOfContractId } from '../../../crds/contract/contract.ts';
import { EPOCHS_PER_GENERATION } from '../../../crds/contract/generation.ts';
import { eventually } from '../../world/eventually.ts';
import type { Treat } from '../ledger/behaviour.ts';
import { addSupply } from '../world/supply.ts';
import { openOlderWorld } from './older-world.ts';

export type Variant = Readonly<{
  name: string;
  /** Operator and facades while the cluster is put back. */
  programs: 'Survive' | 'Restart';
  /** Away from the end of the lost world until a while after the restore. */
  postgres: 'Up' | 'Down';
  /** Whether the lost world had come further than a restored API server gets by itself. */
  versions: 'Ahead' | 'Overtaken';
}>;

/** More than an API server writes when it starts. */
const AHEAD = 400;
const DOWN_MS = 3000;
/** Every agent has said to another facade what it heard from one. Hurried. */
const HEARTBEATS_MS = 60_000;
/** A slow machine is no fault. */
const WITHIN_MS = 90_000;

export async function liveThroughRestore({ name, programs, postgres, versions }: Variant): Promise<void> {
  const it = await openOlderWorld(name);
  const { stage } = it;
  const { ledger } = stage;
  let slowHost: string | undefined;
  const treat: Treat = ({ action, host }) =>
    action === 'create' && host === slowHost ? { hang: true } : undefined;
  const { agents, offeringId } = await addSupply(stage, { prefix: 'r', agents: 2, treat });
  try {
    const [first, second] = agents;
    if (!first || !second) throw new Error('two agents were asked for');
    first.start();
    const running = await it.rent(offeringId);
    const cancelled = await it.rent(offeringId);
    await Promise.all([it.until(running.id, 'Active'), it.until(cancelled.id, 'Active')]);
    slowHost = first.name;
    const taken = await it.rent(offeringId);
    await it.until(taken.id, 'Provisioning');
    first.kill();
    const waiting = await it.rent(offeringId);
    await it.until(waiting.id, 'Accepted');
    await it.backUp();

    second.start();
    await Promise.all([it.until(waiting.id, 'Active'), it.until(taken.id, 'Active')]);
    slowHost = undefined;
    first.start();
    await cancelled.tenant.cancel(cancelled.id);
    await it.until(cancelled.id, 'Cancelled');
    const made = await it.rent(offeringId);
    await it.until(made.id, 'Active');
    if (versions === 'Ahead') await it.pass(AHEAD);
    const lost = [running, taken, waiting, made];
    const machines = new Map(
      lost.map(({ id }) => [id, it.machinesOf(id).find(({ state }) => state === 'Running')]),
    );
    await eventually(async () => {
      for (const { id } of lost)
        if (it.machinesOf(id).length !== 1) throw new Error(`${id} has not one machine yet`);
    });
    const before = ledger.records().length;

    await it.putBack(async () => {
      if (postgres === 'Down') await stage.postgres.fail('Cut');
      if (programs === 'Survive') return;
      // They come again when the cluster does.
      for (const program of [...stage.operators.splice(0), ...stage.facades.splice(0)]) program.kill();
    });
    if (programs === 'Restart') {
      await stage.replace('facade', 'Stop');
      await stage.replace('facade', 'Stop');
      await stage.replace('operator', 'Stop');
    }
    if (postgres === 'Down') {
      await stage.clock.sleep(DOWN_MS * 10);
      await stage.postgres.heal();
    }
    await eventually(
      async () => {
        const { generation, phase, waitingFor } = await it.world();
        if (generation !== 1 || phase !== 'Normal')
          throw new Error(`generation ${generation} is ${phase}: ${waitingFor}`);
      },
      { withinMs: WITHIN_MS },
    );

    // Every tenant has the machine that it had; nothing was built beside it, nothing of it was touched.
    for (const { id } of [running, taken, waiting]) {
      const status = await it.until(id, 'Active');
      const machine = machines.get(id);
      expect(status.instance).toMatchObject({ externalId: machine?.externalId, epoch: machine?.epoch });
      expect(status.access).toMatchObject({ host: expect.any(String), port: expect.any(Number) });
      expect(status.startsAt).toBeDefined();
      expect(it.machinesOf(id)).toEqual([machine]);
    }
    // What had ended ends again, whatever the older etcd says.
    await it.until(cancelled.id, 'Cancelled');
    expect(it.machinesOf(cancelled.id)).toEqual([]);
    // What was made after the backup is nobody's contract any more: its machine runs on, and a person is told.
    expect(await it.statusOf(made.id)).toBeUndefined();
    expect(it.machinesOf(made.id)).toEqual([machines.get(made.id)]);
    expect((await it.world()).unclaimed).toMatchObject([
      { contractUID: uidOfContractId(made.id), externalId: machines.get(made.id)?.externalId },
    ]);
    // The market goes on, above every epoch of the lost world, and the restore is resolved once.
    const later = await it.rent(offeringId);
    const status = await it.until(later.id, 'Active');
    expect(status.epoch).toBe(EPOCHS_PER_GENERATION + 1);
    await stage.clock.sleep(HEARTBEATS_MS);
    expect(await it.world()).toMatchObject({ generation: 1, phase: 'Normal' });
    const touched = ledger
      .records()
      .slice(before)
      .filter(({ contractId }) => lost.some(({ id }) => id === contractId));
    expect(touched).toEqual([]);
  } finally {
    for (const agent of agents) await agent.close();
    await it.close();
  }
}
