/** Giving a lock up: the agent has no machine of that epoch and never will. docs/contract.md, "The lock", 7. */
import type { z } from 'zod';
import type { ReleaseResponse } from '../wire/lock.ts';
import type { LiveContract } from './contract.ts';
import { attemptsOfRound, gaveBack } from './failed-before.ts';
import { endOfAttempt, isHolder, move, withAttempt, withoutHolder } from './move.ts';
import { CAPACITY_GAP_MS, GIVEN_BACK_MAX } from './numbers.ts';
import { isEnding } from './phase.ts';
import type { ContractStatus, Lock } from './status.ts';
import type { Claimant, Verdict } from './verdict.ts';

export type ReleaseAnswer = z.infer<typeof ReleaseResponse>;

type ReleaseFacts = Readonly<{
  agent: Claimant;
  epoch?: number | undefined;
  class?: 'capacity' | undefined;
  message?: string;
  now: Date;
}>;

/** Gives an epoch up: the caller has no machine of it and never will. Repeating it is harmless. */
export function release({ status }: LiveContract, facts: ReleaseFacts): Verdict<ReleaseAnswer> {
  const { agent } = facts;
  const epoch = facts.epoch ?? (status.lock?.agentUID === agent.uid ? status.lock.epoch : undefined);
  const entry = { agentUID: agent.uid, epoch: epoch ?? -1 };
  if (epoch === undefined || !isHolder(status, entry))
    return { outcome: 'Answer', answer: { released: false, then: 'Continue' }, final: true };
  const freed = withoutHolder(status, entry);
  const answer = { released: true, then: 'Continue' } as const;
  if (status.lock?.epoch === epoch && status.phase === 'Provisioning')
    return { outcome: 'Write', status: freeLock(freed, { ...facts, lock: status.lock }), answer };
  if (status.instance?.agentUID === agent.uid && status.instance.epoch === epoch && !isEnding(status.phase))
    return {
      outcome: 'Refused',
      code: 'IllegalMove',
      message: `epoch ${epoch} is the running machine of the contract`,
      next: 'Report it as terminated when it is gone.',
      final: false,
    };
  return { outcome: 'Write', status: freed, answer };
}

/** Provisioning → Accepted without a failure: somebody else may claim at once, unless there was no room or it goes on. */
function freeLock(status: ContractStatus, facts: ReleaseFacts & { lock: Lock }): ContractStatus {
  const { agent, lock, now } = facts;
  const forRoom = facts.class === 'capacity';
  const message = facts.message ?? (forRoom ? 'the agent had no room' : 'given up by the agent');
  const attempt = endOfAttempt(lock, {
    outcome: 'Released',
    message,
    now,
    ...(forRoom ? { class: 'capacity' } : {}),
  });
  const freed = move(withAttempt(status, attempt), {
    to: 'Accepted',
    by: agent.name,
    reason: forRoom ? 'NoRoom' : 'Released',
    message: 'Waiting for an agent again',
    now,
    epoch: 'Raise',
  });
  const isAgain = gaveBack(attemptsOfRound(status)) >= GIVEN_BACK_MAX;
  if (!forRoom && !isAgain) return freed;
  return {
    ...freed,
    ...(forRoom ? { capacityReleases: (status.capacityReleases ?? 0) + 1 } : {}),
    nextAttemptAt: new Date(now.getTime() + CAPACITY_GAP_MS).toISOString(),
  };
}
