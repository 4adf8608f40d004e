/** The controller of agents: online by their Lease, observed on this process's own clock. */
import { isDeepStrictEqual } from 'node:util';
import type { Agent } from '../../crds/agent.ts';
import { sessionRecordOf } from '../../crds/agent-session.ts';
import type { Contract } from '../../crds/contract/contract.ts';
import { hasEnded } from '../../crds/contract/phase.ts';
import { FINALIZER, LABEL } from '../../crds/group.ts';
import { healthFrom } from '../../crds/placement/health.ts';
import { type Controller, createController } from '../../kube/controller.ts';
import { keyOf } from '../../kube/object.ts';
import { createSilenceWatch, type SilenceWatch } from '../../lib/silence-watch.ts';
import { again } from '../again.ts';
import type { OperatorDeps } from '../deps.ts';
import { on } from '../source.ts';
import { whenLoaded } from '../supply/when-loaded.ts';
import { createWriteTimes } from '../write-times.ts';
import { type AgentLook, decideAgent } from './decide.ts';

export function agentController(deps: OperatorDeps): Controller {
  const { clients, informers, supply, book, clock, observe, log } = deps;
  const { agents, leases, pools, contracts } = informers;
  const silence = createSilenceWatch();
  const clones = createSilenceWatch();
  const writes = createWriteTimes(clock);
  const controller = createController({
    name: 'agent',
    clock,
    observe,
    log,
    workers: 4,
    sources: [
      on(agents, (object) => [keyOf(object)]),
      on(leases, (object) => [keyOf(object)]),
      on(pools, (object) => agents.cache.getByIndex('pool', keyOf(object)).map(keyOf)),
      on(contracts, (object, old) =>
        [
          ...[...(object.status?.holders ?? []), ...(old?.status?.holders ?? [])],
          ...newAttempts(object, old),
        ].map(({ agent }) => `${object.metadata.namespace ?? ''}/${agent}`),
      ),
    ],
    reconcile: again(async ({ key, signal }) => {
      const agent = agents.cache.get(key);
      if (!agent) {
        silence.forget(key);
        clones.forget(key);
        writes.forget(key);
        return {};
      }
      if (mayGo(agent)) {
        const finalizers = (agent.metadata.finalizers ?? []).filter((name) => name !== FINALIZER);
        await clients.agents.update({ ...agent, metadata: { ...agent.metadata, finalizers } }, { signal });
        return {};
      }
      await book.opened;
      const now = clock.now();
      const uid = agent.metadata.uid ?? '';
      const poolKey = `${agent.metadata.namespace ?? ''}/${agent.spec.poolName}`;
      const held = contracts.cache.getByIndex('holder', uid);
      const facts: AgentLook = {
        agent,
        lease: leaseOf(deps, { key, silence, clones, uid }),
        pool: pools.cache.get(poolKey),
        held,
        activeContracts: held.filter(({ status }) => status && !hasEnded(status.phase)).length,
        work: {
          load: supply.load(agent),
          prepared: supply.pool(poolKey)?.agents.find((prepared) => prepared.uid === uid),
          health: healthFrom(agent, { tried: book.of(uid), now }),
        },
        sinceLastWriteMs: writes.sinceMs(key),
        now,
      };
      const { status, requeueAfterMs } = decideAgent(facts);
      if (!isDeepStrictEqual(status, agent.status)) {
        const { metadata } = await clients.agents.updateStatus({ ...agent, status }, { signal });
        writes.note(key);
        if (metadata.resourceVersion)
          await agents.waitFor({ resourceVersion: metadata.resourceVersion }, { signal, deadlineMs: 5_000 });
      }
      return requeueAfterMs === undefined ? {} : { requeueAfterMs };
    }),
  });
  return whenLoaded(controller, { book, keys: () => agents.cache.list().map(keyOf) });
}

/** Attempts that this change brought. */
const newAttempts = ({ status }: Contract, old: Contract | undefined) =>
  status?.attempts === old?.status?.attempts
    ? []
    : (status?.attempts ?? []).filter(
        (attempt) => !old?.status?.attempts?.some((known) => isDeepStrictEqual(known, attempt)),
      );

/** Deleted, and it owes nothing (any more): our finalizer was only there for its debts. */
const mayGo = ({ metadata, status }: Agent): boolean =>
  metadata.deletionTimestamp !== undefined &&
  (metadata.finalizers?.includes(FINALIZER) ?? false) &&
  (status?.owedDestroys ?? []).length === 0;

type Watched = Readonly<{ key: string; uid: string; silence: SilenceWatch; clones: SilenceWatch }>;

function leaseOf(
  { informers, clock }: OperatorDeps,
  { key, uid, silence, clones }: Watched,
): AgentLook['lease'] {
  const lease = informers.leases.cache.get(key);
  const renewTime = lease?.spec?.renewTime;
  // A Lease of an agent that had this name before says nothing about this one.
  if (!lease || !renewTime || lease.metadata.labels?.[LABEL.agent] !== uid) return undefined;
  const initialMs = Math.max(0, clock.now().getTime() - Date.parse(renewTime));
  const record = sessionRecordOf(lease.metadata.annotations, renewTime);
  const cloneSilentMs = (mark: string | undefined): number | undefined =>
    mark === undefined ? undefined : clones.silentMs(key, { mark, monotonicMs: clock.monotonicMs() });
  return {
    renewTime,
    silentMs: silence.silentMs(key, { mark: renewTime, monotonicMs: clock.monotonicMs(), initialMs }),
    left: record?.left ?? false,
    duplicate: record?.duplicateSince !== undefined,
    cloneSilentMs: cloneSilentMs(record?.cloneHeardAt),
  };
}
