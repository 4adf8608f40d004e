/**
 * A stand-in for dc-agent that builds nothing: it polls, claims at once, and answers that the machine is there.
 * What reaches the API server through it is what an agent with an instant provisioner would cause.
 */
import { WorkList } from '../crds/wire/work-list.ts';
import { systemClock } from '../lib/clock.ts';
import type { Stage } from '../test/world/market.ts';
import { type Actor, claim, dataOf, heartbeat } from './actors.ts';
import type { House } from './house.ts';

const WAIT_SECONDS = 20;
/** What dc-agent does, by docs/contract.md. */
const HEARTBEAT_MS = 15_000;

export type StandIn = Readonly<{
  stage: Stage;
  actor: Actor;
  /** Called for each lock that was granted. */
  onLocked: (granted: Readonly<{ contractId: string; epoch: number }>) => Promise<void> | void;
}>;

/** Polls until aborted; throws what a call fails with before that. */
export async function runStandIn(house: House, standIn: StandIn, signal: AbortSignal): Promise<void> {
  const { stage, actor, onLocked } = standIn;
  const path = `/api/v1/providers/${stage.provider.publicKey}/work?wait=${WAIT_SECONDS}`;
  try {
    while (!signal.aborted) {
      const { status, body } = await actor.caller.call(house.facade, { method: 'GET', path });
      if (status !== 200) throw new Error(`work: ${status} ${JSON.stringify(body)}`);
      const offered = WorkList.parse(dataOf(body)).filter(({ action }) => action === 'Provision');
      await Promise.all(
        offered.map(async ({ contractId }) => {
          const epoch = await claim(house, { stage, actor, contractId });
          if (epoch !== undefined) await onLocked({ contractId, epoch });
        }),
      );
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/** Heartbeats until aborted. */
export async function keepAlive(
  house: House,
  acting: Readonly<{ stage: Stage; actor: Actor }>,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    await systemClock.sleep(HEARTBEAT_MS, { signal }).catch(() => undefined);
    if (signal.aborted) return;
    await heartbeat(house, acting);
  }
}

/** Reports a machine whose SSH banner was read. Throws on any answer but 200. */
export async function reportBuilt(
  { facade }: House,
  { stage, actor, contractId, epoch }: Omit<StandIn, 'onLocked'> & { contractId: string; epoch: number },
): Promise<void> {
  const path = `/api/v1/providers/${stage.provider.publicKey}/contracts/${contractId}/provisioned`;
  const instanceDetails = {
    externalId: `bench-${contractId}`,
    ipAddress: '127.0.0.1',
    sshPort: 2222,
    sshUser: 'tenant',
    hostKeyFingerprint: `SHA256:${'A'.repeat(43)}`,
    verifiedAt: systemClock.now().toISOString(),
  };
  const body = { epoch, session: actor.session, instanceDetails };
  const { status, body: answer } = await actor.caller.call(facade, { method: 'POST', path, body });
  if (status !== 200) throw new Error(`provisioned: ${status} ${JSON.stringify(answer)}`);
}
