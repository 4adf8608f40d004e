/**
 * Pools and agents as placing reads them, kept beside the caches: a change of one object makes anew what it concerns,
 * when somebody asks next. How full an agent is, is always the sum of its contracts, never counted up and down.
 * In the order of their names, so that the same world gives the same words.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Agent } from '../../crds/agent.ts';
import type { AgentPool } from '../../crds/agent-pool.ts';
import { type Condition, isTrue } from '../../crds/condition.ts';
import type { Contract } from '../../crds/contract/contract.ts';
import type { AgentFacts } from '../../crds/placement/agent-facts.ts';
import { type Load, loadOf } from '../../crds/placement/load.ts';
import {
  type PreparedAgent,
  type PreparedPool,
  prepareAgent,
  type Supply,
} from '../../crds/placement/supply.ts';
import type { Change } from '../../kube/informer.ts';
import { keyOf } from '../../kube/object.ts';
import type { Informers } from '../clients.ts';

/** Better: somebody may be able to take more than before. Worse: less, or only another reason. */
export type Turn = 'Better' | 'Worse';

export type SupplyKeeper = Readonly<{
  /** For `place`: the pools of one namespace with their agents. */
  of: (namespace: string) => Supply;
  /** Undefined when there is no such pool. */
  pool: (key: string) => PreparedPool | undefined;
  load: (agent: Agent) => Load;
  /** What placing reads of a pool or its agents has changed, or it is gone. Answers how to unsubscribe. */
  onTurn: (handler: (pool: AgentPool, turn: Turn) => void) => () => void;
}>;

type Sources = Pick<Informers, 'pools' | 'agents' | 'contracts'>;

/** Lives as long as the caches. */
export function keepSupply({ pools, agents, contracts }: Sources): SupplyKeeper {
  const loads = new Map<string, Load>(); // by UID of the agent
  const agentsMade = new Map<string, PreparedAgent>();
  const poolsMade = new Map<string, PreparedPool>();
  const supplies = new Map<string, Supply>();
  const handlers = new Set<(pool: AgentPool, turn: Turn) => void>();

  const load = (agent: Agent): Load => {
    const uid = agent.metadata.uid ?? '';
    return remembered(loads, uid, () => loadOf(agent, contracts.cache.getByIndex('holder', uid)));
  };
  const preparedAgent = (agent: Agent, pool: AgentPool): PreparedAgent =>
    remembered(agentsMade, keyOf(agent), () =>
      prepareAgent(
        { agent, presence: presenceOf(agent), load: load(agent), health: agent.status?.health },
        pool,
      ),
    );
  const pool = (key: string): PreparedPool | undefined => {
    const object = pools.cache.get(key);
    if (!object) return undefined;
    return remembered(poolsMade, key, () => ({
      pool: object,
      agents: byName(agents.cache.getByIndex('pool', key)).map((agent) => preparedAgent(agent, object)),
    }));
  };
  const of = (namespace: string): Supply =>
    remembered(supplies, namespace, () => ({
      pools: new Map([
        [
          namespace,
          byName(pools.cache.getByIndex('namespace', namespace)).flatMap(
            (object) => pool(keyOf(object)) ?? [],
          ),
        ],
      ]),
      strays: new Map([
        [
          namespace,
          byName(agents.cache.getByIndex('namespace', namespace)).filter(
            (agent) => !pools.cache.get(poolKeyOf(agent)),
          ),
        ],
      ]),
    }));
  const forget = (agent: Agent): void => {
    loads.delete(agent.metadata.uid ?? '');
    agentsMade.delete(keyOf(agent));
    poolsMade.delete(poolKeyOf(agent));
    supplies.delete(agent.metadata.namespace ?? '');
  };
  const turned = (of: AgentPool | undefined, turn: Turn): void => {
    if (of) for (const handler of handlers) handler(of, turn);
  };
  const poolNamedBy = (agent: Agent): AgentPool | undefined => pools.cache.get(poolKeyOf(agent));

  pools.onChange(({ object, old, type }) => {
    if (type === 'Updated' && isDeepStrictEqual(poolFactsOf(old), poolFactsOf(object))) {
      refreshPool(object);
      return;
    }
    const key = keyOf(object);
    for (const agent of agents.cache.getByIndex('pool', key)) agentsMade.delete(keyOf(agent));
    poolsMade.delete(key);
    supplies.delete(object.metadata.namespace ?? '');
    turned(object, 'Better');
  });
  /** Only figures of its status have changed: what was made of it holds. */
  const refreshPool = (object: AgentPool): void => {
    const made = poolsMade.get(keyOf(object));
    if (!made) return;
    poolsMade.set(keyOf(object), { ...made, pool: object });
    supplies.delete(object.metadata.namespace ?? '');
  };
  agents.onChange((change) => {
    const { object, old } = change;
    if (change.type === 'Updated' && isDeepStrictEqual(agentFactsOf(change.old), agentFactsOf(object)))
      return;
    for (const agent of old ? [object, old] : [object]) {
      forget(agent);
      turned(poolNamedBy(agent), 'Better');
    }
  });
  contracts.onChange((change) => {
    for (const [uid, turn] of turnsOf(change))
      for (const agent of agents.cache.getByIndex('uid', uid)) {
        forget(agent);
        turned(poolNamedBy(agent), turn);
      }
  });

  return {
    of,
    pool,
    load,
    onTurn: (handler) => {
      handlers.add(handler);
      return () => void handlers.delete(handler);
    },
  };
}

function remembered<V>(map: Map<string, V>, key: string, make: () => V): V {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}

const poolKeyOf = ({ metadata, spec }: Agent): string => `${metadata.namespace ?? ''}/${spec.poolName}`;

const byName = <T extends { metadata: { name: string } }>(objects: readonly T[]): T[] =>
  [...objects].sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));

/** As the agent controller saw its Lease. */
function presenceOf({ status }: Agent): AgentFacts['presence'] {
  if (!isTrue(status?.conditions, 'Online')) return 'Offline';
  const ready = status?.conditions?.find(({ type }) => type === 'Ready');
  return ready?.reason === 'DuplicateAgent' ? 'Duplicate' : 'Online';
}

/** What placing reads of a pool. */
const poolFactsOf = ({ spec, metadata }: AgentPool) => [spec, metadata.deletionTimestamp !== undefined];

/** What placing reads of an agent: figures and instants that only people read make nothing anew. */
function agentFactsOf({ metadata, spec, status = {} }: Agent) {
  const { version, provisionerType, resources, capabilities, storageClasses } = status;
  const { health, unhealthy, owedDestroys } = status;
  const said = [version, provisionerType, resources, capabilities, storageClasses];
  const found = [health, unhealthy?.message, owedDestroys];
  const conditions = (status.conditions ?? []).filter(({ type }) => READ.has(type)).map(judgement);
  return [
    spec,
    metadata.uid,
    metadata.labels,
    metadata.deletionTimestamp !== undefined,
    said,
    found,
    conditions,
  ];
}

const READ: ReadonlySet<string> = new Set(['Online', 'Ready']);
const judgement = ({ type, status, reason, message }: Condition) => [type, status, reason, message];

/** By UID of the agents whose promises a change of a contract concerns. */
function turnsOf({ type, object, old }: Change<Contract>): ReadonlyMap<string, Turn> {
  const before = type === 'Deleted' ? takenBy(object) : takenBy(old);
  const after = type === 'Deleted' ? takenBy(undefined) : takenBy(object);
  const turns = new Map<string, Turn>();
  for (const [uid, mark] of after)
    if (before.get(uid) !== mark) turns.set(uid, before.has(uid) ? 'Better' : 'Worse');
  for (const uid of before.keys()) if (!after.has(uid)) turns.set(uid, 'Better');
  return turns;
}

/** Of each holder what its load reads of the contract besides the size, which never changes. */
function takenBy(contract: Contract | undefined): ReadonlyMap<string, string> {
  const { phase = '', holders = [], lock } = contract?.status ?? {};
  const isUnproven = phase === 'Provisioning' || phase === 'Provisioned';
  const markOf = (agentUID: string): string =>
    agentUID === lock?.agentUID ? 'Building' : isUnproven ? 'Unproven' : 'Proven';
  return new Map(holders.map(({ agentUID }) => [agentUID, markOf(agentUID)]));
}
