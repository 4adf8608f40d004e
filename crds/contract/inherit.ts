/**
 * A machine of a revoked agent passes to the agent that lists it: first the entries of the contract, then the
 * tags of the machine. In the other order its next inventory would find a machine that nobody holds and stop it.
 * Source: docs/contract.md, 10.
 */
import { isHolder, withHistory } from './move.ts';
import type { ContractStatus } from './status.ts';
import type { Claimant, Verdict } from './verdict.ts';

type Inheritance = Readonly<{ from: string; heir: Claimant; epoch: number; now: Date }>;

export type InheritAnswer = Readonly<{ adopt: boolean }>;

/** All entries of `from` pass; `adopt` is false while another agent than the heir holds this epoch. */
export function inherit(
  { status }: Readonly<{ status: ContractStatus }>,
  { from, heir, epoch, now }: Inheritance,
): Verdict<InheritAnswer> {
  if (!isHolder(status, { agentUID: from, epoch })) {
    const isAnothers = (status.holders ?? []).some(
      (entry) => entry.epoch === epoch && entry.agentUID !== heir.uid,
    );
    return { outcome: 'Answer', answer: { adopt: !isAnothers }, final: true };
  }
  const holders = (status.holders ?? []).map((entry) =>
    entry.agentUID === from ? { ...entry, agent: heir.name, agentUID: heir.uid } : entry,
  );
  const { instance } = status;
  const passed =
    instance?.agentUID === from
      ? { instance: { ...instance, agentUID: heir.uid }, agent: heir.name, pool: heir.poolName }
      : {};
  // A line of its own: PostgreSQL hears from when on the machine is the heir's.
  const { phase } = status;
  const line = { from: phase, to: phase, by: heir.name, reason: 'Inherited', now };
  const next = withHistory({ ...status, holders, ...passed }, line);
  return { outcome: 'Write', status: next, answer: { adopt: true } };
}
