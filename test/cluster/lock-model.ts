/**
 * The lock as one sequential thing: the rules of crds/contract applied to one contract, one call at a time, and
 * what of an answer says what happened. Instants are left out: the rules are asked with one `now`, so a history
 * must be shorter than the gap after a failed attempt (a minute).
 */
import type { Agent } from '../../crds/agent.ts';
import type { AgentPool } from '../../crds/agent-pool.ts';
import type { LiveContract } from '../../crds/contract/contract.ts';
import { eligibility } from '../../crds/contract/eligibility.ts';
import { claim, renew } from '../../crds/contract/lock.ts';
import { release } from '../../crds/contract/release.ts';
import { reportFailed, reportProvisioned, reportTerminated } from '../../crds/contract/report.ts';
import type { Verdict } from '../../crds/contract/verdict.ts';
import { NO_LOAD } from '../../crds/placement/load.ts';
import { prepareSupply } from '../../crds/placement/supply.ts';
import type { Model } from './linearizable.ts';

export const KINDS = ['claim', 'renew', 'release', 'provisioned', 'failed', 'terminated'] as const;
export type Kind = (typeof KINDS)[number];

export type Call = Readonly<{
  kind: Kind;
  /** Number of the agent. */
  agent: number;
  /** claim: the epoch that was observed, if any; otherwise the epoch that is spoken of. */
  epoch: number | undefined;
}>;

/** What is compared: the members of an answer that say what happened, or the code of a refusal. */
export type Said = Readonly<Record<string, unknown>>;

type Cast = Readonly<{
  agents: readonly Agent[];
  session: (agent: number) => string;
  pool: AgentPool;
  now: Date;
}>;

export const externalIdOf = ({ agent, epoch }: Call): string => `dc-${agent}-${epoch}`;

export function lockModel(initial: LiveContract, cast: Cast): Model<LiveContract, Call, Said> {
  return {
    initial,
    apply: (contract, call) => {
      const verdict = ask(contract, { call, cast });
      const output = verdict.outcome === 'Refused' ? { code: verdict.code } : gistOf(verdict.answer);
      if (verdict.outcome !== 'Write') return { state: contract, output };
      return { state: { ...contract, status: verdict.status }, output };
    },
    keyOf: ({ status }) => {
      const { phase, epoch, lock, holders, instance, attempts, failures } = status;
      return JSON.stringify([phase, epoch, lock?.agentUID, holders, instance, attempts, failures]);
    },
    isSame: (expected, seen) => JSON.stringify(expected) === JSON.stringify(seen),
  };
}

function ask(contract: LiveContract, { call, cast }: Readonly<{ call: Call; cast: Cast }>): Verdict<object> {
  const { agents, session, pool, now } = cast;
  const agent = agents[call.agent];
  if (!agent) throw new Error(`there is no agent ${call.agent}`);
  const { name, uid = '' } = agent.metadata;
  const claimant = { name, uid, poolName: pool.metadata.name, session: session(call.agent) };
  const { epoch = 0 } = call;
  const ttlSeconds = pool.spec.lockTTLSeconds;
  switch (call.kind) {
    case 'claim': {
      const all = agents.map((it) => ({ agent: it, presence: 'Online' as const, load: NO_LOAD }));
      const supply = prepareSupply({ pools: [pool], agents: all });
      const eligible = eligibility(contract, { agentUID: uid, supply, headStartMs: 0, now });
      return claim(contract, { agent: claimant, observedEpoch: call.epoch, ttlSeconds, now, eligible });
    }
    case 'renew':
      return renew(contract, { agent: claimant, epoch, ttlSeconds, now });
    case 'release':
      return release(contract, { agent: claimant, epoch, now });
    case 'provisioned': {
      const details = { externalId: externalIdOf(call), sshPort: 22 };
      return reportProvisioned(contract, { agent: claimant, epoch, details, now });
    }
    case 'failed':
      return reportFailed(contract, { agent: claimant, epoch, errorMessage: 'x', class: 'transient', now });
    case 'terminated':
      return reportTerminated(contract, { agent: claimant, epoch, now });
  }
}

const TELLING = ['acquired', 'epoch', 'released', 'confirmed', 'willRetry', 'then'] as const;

/** The members that count, in one order. `epoch` only where a lock is granted: a report shows the present one. */
export function gistOf(answer: object): Said {
  const members: Readonly<Record<string, unknown>> = { ...answer };
  const isLock = 'acquired' in answer;
  return Object.fromEntries(
    TELLING.filter((name) => name in answer && (name !== 'epoch' || isLock)).map((name) => [
      name,
      members[name],
    ]),
  );
}

/**
 * Refusals that the facade may give by a cache that lags, because they change nothing and order nothing: they may
 * be about the past. Everything else was decided by a compare-and-swap or on a live read. Source: verdict.ts.
 */
export const mayBeAboutThePast = ({ kind }: Call, said: Said): boolean => {
  const { code, acquired, then } = said;
  if (code === 'LockHeld' || code === 'NotEligible' || code === 'IllegalMove') return true;
  if (code === 'StaleEpoch') return kind === 'claim';
  if (kind === 'renew') return acquired === false && then === 'Continue';
  return false;
};
