/** Contracts in memory, one agent and its session, judged by the rules of crds/. What the fake facade serves. */
import { judgeSession, mayConfirmAbsence, type SessionRecord } from '../../crds/agent-session.ts';
import { aContract } from '../../crds/contract/builders.ts';
import { contractIdOf, type LiveContract, uidOfContractId } from '../../crds/contract/contract.ts';
import { isEnding } from '../../crds/contract/phase.ts';
import { activate, expireLock, terminate } from '../../crds/contract/steps.ts';
import { openWishes } from '../../crds/contract/upkeep.ts';
import type { Verdict } from '../../crds/contract/verdict.ts';
import { Problem } from '../../crds/problem.ts';
import { wishItem } from '../../crds/wire/wish-item.ts';
import type { WorkItem } from '../../crds/wire/work-list.ts';
import type { Clock } from '../../lib/clock.ts';
import { aPending } from './builders.ts';

export class FakeMarket {
  readonly contracts = new Map<string, LiveContract>();
  session: SessionRecord | undefined;
  ttlSeconds = 300;
  readonly clock: Clock;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** Puts a paid contract up for an agent; answers its public id. */
  rent(uid: string): string {
    this.contracts.set(uid, aContract('Accepted', {}, { metadata: { uid } }));
    return contractIdOf(uid);
  }

  contract(id: string): LiveContract {
    const found = this.contracts.get(uidOfContractId(id) ?? '');
    if (!found) throw new Problem('NotFound', 'no such contract', { next: 'Forget it.' });
    return found;
  }

  statusOf(id: string): LiveContract['status'] {
    return this.contract(id).status;
  }

  put(id: string, status: LiveContract['status']): void {
    const contract = this.contract(id);
    this.contracts.set(contract.metadata.uid ?? '', { ...contract, status });
  }

  cancel(id: string): void {
    const said = { reason: 'CancelRequested', message: 'cancelled', now: this.clock.now() };
    this.put(id, terminate(this.statusOf(id), said));
  }

  /** As the operator does once it was seen reachable. */
  activate(id: string): void {
    const said = { reason: 'Reachable', message: 'seen', now: this.clock.now(), durationHours: 24 };
    this.put(id, activate(this.statusOf(id), said));
  }

  /** What the tenant writes. */
  wish(id: string, spec: Partial<LiveContract['spec']>): void {
    const contract = this.contract(id);
    this.contracts.set(contract.metadata.uid ?? '', { ...contract, spec: { ...contract.spec, ...spec } });
  }

  /** As the operator does after TTL. */
  expire(id: string): void {
    this.put(id, expireLock(this.contract(id), { now: this.clock.now() }));
  }

  /** Throws the refusal of a verdict; carries out what it writes. */
  settle<A>(id: string, rule: (contract: LiveContract) => Verdict<A>): A {
    const verdict = rule(this.contract(id));
    if (verdict.outcome === 'Refused')
      throw new Problem(verdict.code, verdict.message, { next: verdict.next, extra: { data: verdict.data } });
    if (verdict.outcome === 'Write') this.put(id, verdict.status);
    return verdict.answer;
  }

  /** Throws for a process of the agent that does not count. */
  admit(request: Readonly<{ session?: string; incarnation?: number; leaving?: boolean }>): void {
    const { session = '', incarnation = 0, leaving } = request;
    const now = this.clock.now();
    const verdict = judgeSession({ record: this.session, request: { session, incarnation, leaving }, now });
    if (verdict.record) this.session = verdict.record;
    if (verdict.outcome === 'Refused')
      throw new Problem(verdict.code, verdict.message, { next: verdict.next });
  }

  requireCertainAbsence(): void {
    if (this.session && !mayConfirmAbsence(this.session, this.clock.now()))
      throw new Problem('AbsenceNotYetCertain', 'the process before may still run', { next: 'Again later.' });
  }

  work(): WorkItem[] {
    return [...this.contracts.values()].flatMap((contract) => this.#itemsOf(contract));
  }

  #itemsOf(live: LiveContract): WorkItem[] {
    const { metadata, status } = live;
    const [wish] = openWishes(live);
    const pending = aPending(contractIdOf(metadata.uid ?? ''), status.epoch);
    if (wish) return [wishItem(live, { wish, pending })];
    const contractId = contractIdOf(metadata.uid ?? '');
    const doomed = (status.holders ?? []).filter((it) => isEnding(status.phase) || it.epoch < status.epoch);
    const destroys = doomed.map(({ epoch }) => ({ action: 'Destroy' as const, contractId, epoch }));
    const notBefore = Date.parse(status.nextAttemptAt ?? '1970-01-01T00:00:00Z');
    if (status.phase !== 'Accepted' || notBefore > this.clock.now().getTime()) return destroys;
    const contract = aPending(contractId, status.epoch);
    return [...destroys, { action: 'Provision', contractId, epoch: status.epoch, contract }];
  }
}
