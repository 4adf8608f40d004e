/**
 * An HTTP server that answers an agent as the facade does: it verifies every signature, takes no body that the
 * schemas of crds/wire refuse, and decides by the rules of crds/contract on contracts in memory. No API server.
 */
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { text } from 'node:stream/consumers';
import type { z } from 'zod';
import { judgeSession, mayConfirmAbsence, type SessionRecord } from '../../crds/agent-session.ts';
import { aContract } from '../../crds/contract/builders.ts';
import { contractIdOf, type LiveContract, uidOfContractId } from '../../crds/contract/contract.ts';
import { judgeInventory } from '../../crds/contract/inventory.ts';
import { claim, release, renew } from '../../crds/contract/lock.ts';
import { isEnding } from '../../crds/contract/phase.ts';
import { reportFailed, reportProvisioned, reportTerminated } from '../../crds/contract/report.ts';
import { expireLock, terminate } from '../../crds/contract/steps.ts';
import type { Verdict } from '../../crds/contract/verdict.ts';
import { PROBLEMS, Problem } from '../../crds/problem.ts';
import {
  FailedRequest,
  HeartbeatRequest,
  LockRequest,
  ProvisionedRequest,
  ReconcileRequest,
  ReleaseRequest,
  TerminatedRequest,
  type WorkItem,
} from '../../crds/wire/work.ts';
import { type Clock, systemClock } from '../../lib/clock.ts';
import { publicKeyCache } from '../../lib/signature/key-cache.ts';
import { verifyRequest } from '../../lib/signature/verify.ts';
import { aPending } from './builders.ts';

export const AGENT_UID = 'aaaaaaaa-0000-4000-8000-000000000001';
export const INSTALLATION = 'inst-test';

/** What becomes of the next calls of a route: not carried out, or carried out without an answer. */
type Fault = 'Refuse' | 'LoseReply';

export class FakeFacade {
  readonly contracts = new Map<string, LiveContract>();
  /** `POST lock 200`, `PUT terminated 409 AbsenceNotYetCertain`, … */
  readonly calls: string[] = [];
  readonly faults = new Map<string, Fault[]>();
  session: SessionRecord | undefined;
  ttlSeconds = 300;
  isDown = false;
  isRevoked = false;
  readonly #clock: Clock;
  readonly #agentKey: string;
  readonly #keys = publicKeyCache();
  #server: Server | undefined;
  #now: Date;

  constructor(clock: Clock, agentKey: string) {
    this.#clock = clock;
    this.#agentKey = agentKey;
    this.#now = clock.now();
  }

  async listen(): Promise<string> {
    const server = createServer((request, response) => {
      void this.#serve(request).then(({ status, body }) => {
        if (status === 0) response.destroy();
        else response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
      });
    });
    this.#server = server;
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    return `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`;
  }

  close(): void {
    this.#server?.closeAllConnections();
    this.#server?.close();
  }

  /** Puts a paid contract up for an agent; answers its public id. */
  rent(uid: string): string {
    const base = aContract('Accepted', {}, { metadata: { uid } });
    this.contracts.set(uid, base);
    return contractIdOf(uid);
  }

  statusOf(id: string): LiveContract['status'] {
    return this.#contract(id).status;
  }

  cancel(id: string): void {
    const { status } = this.#contract(id);
    this.#put(
      id,
      terminate(status, { reason: 'CancelRequested', message: 'cancelled', now: this.#clock.now() }),
    );
  }

  /** As the operator does after TTL. */
  expire(id: string): void {
    this.#put(id, expireLock(this.#contract(id), { now: this.#clock.now() }));
  }

  #contract(id: string): LiveContract {
    const found = this.contracts.get(uidOfContractId(id) ?? '');
    if (!found) throw new Problem('NotFound', 'no such contract', { next: 'Forget it.' });
    return found;
  }

  #put(id: string, status: LiveContract['status']): void {
    const contract = this.#contract(id);
    this.contracts.set(contract.metadata.uid ?? '', { ...contract, status });
  }

  async #serve(request: IncomingMessage): Promise<{ status: number; body?: unknown }> {
    const raw = await text(request);
    const url = new URL(request.url ?? '/', 'http://facade');
    const parts = url.pathname.split('/').slice(5); // /api/v1/providers/{pk}/…
    const route = `${request.method} ${parts.at(-1)}`;
    if (this.isDown) return { status: 0 };
    const fault = this.faults.get(route)?.shift();
    if (fault === 'Refuse') return { status: 0 };
    this.#now = this.#clock.now();
    try {
      this.#verify(request, { raw, url });
      const data = await this.#answer(route, { id: parts[1] ?? '', raw, url });
      this.calls.push(`${route} 200`);
      return fault === 'LoseReply' ? { status: 0 } : { status: 200, body: { success: true, data } };
    } catch (error) {
      if (!(error instanceof Problem)) {
        this.calls.push(`${route} wrong: ${String(error)}`);
        return {
          status: 500,
          body: { detail: String(error), code: 'Internal', retryable: true, error: 'none' },
        };
      }
      const { code, message: detail, next, extra } = error;
      this.calls.push(`${route} ${error.status} ${code}`);
      const { retryable } = PROBLEMS[code];
      return {
        status: error.status,
        body: { success: false, code, detail, error: next, retryable, ...extra },
      };
    }
  }

  #verify(request: IncomingMessage, { raw, url }: Readonly<{ raw: string; url: URL }>): void {
    const headers = Object.fromEntries(
      Object.entries(request.headers).map(([name, value]) => [
        name,
        Array.isArray(value) ? value.join(', ') : value,
      ]),
    );
    const verified = verifyRequest(
      {
        method: request.method ?? '',
        authority: request.headers.host ?? '',
        path: url.pathname,
        query: url.search || '?',
        headers,
      },
      { now: this.#now, body: Buffer.from(raw), keys: this.#keys },
    );
    if (verified.outcome === 'Refused')
      throw new Problem('SignatureInvalid', `${verified.because}: ${verified.detail}`, {
        next: 'Sign it right.',
      });
    if (verified.keyid !== this.#agentKey)
      throw new Problem('UnknownKey', 'nobody has it', { next: 'Join.' });
    if (this.isRevoked) throw new Problem('AgentRevoked', 'this agent was revoked', { next: 'Join again.' });
  }

  async #answer(route: string, call: Readonly<{ id: string; raw: string; url: URL }>): Promise<unknown> {
    const now = this.#now;
    const agentOf = (session: string | undefined) => ({
      name: 'agent-1',
      uid: AGENT_UID,
      poolName: 'p',
      session,
    });
    const body = <T>(schema: z.ZodType<T>): NonNullable<T> => strict(schema, call.raw);
    const id = call.id;
    switch (route) {
      case 'POST heartbeat': {
        const beat = body(HeartbeatRequest);
        this.#admit({ ...beat, session: beat.session ?? '', incarnation: beat.incarnation ?? 0 });
        const pool = { poolId: 'p', poolName: 'p', installation: INSTALLATION, agentUid: AGENT_UID };
        return { acknowledged: true, nextHeartbeatSeconds: 15, serverTime: now.toISOString(), ...pool };
      }
      case 'GET work':
        return this.#work(Number(call.url.searchParams.get('wait') ?? 0));
      case 'POST lock': {
        const { session, incarnation, epoch, observedEpoch } = body(LockRequest);
        this.#admit({ session: session ?? '', incarnation: incarnation ?? 0 });
        const { ttlSeconds } = this;
        const agent = agentOf(session);
        if (epoch !== undefined)
          return this.#settle(id, (it) => renew(it, { agent, epoch, ttlSeconds, now }));
        const eligible = { eligible: true } as const;
        return this.#settle(id, (it) => claim(it, { agent, observedEpoch, ttlSeconds, now, eligible }));
      }
      case 'DELETE lock': {
        const { session, epoch, class: kind } = body(ReleaseRequest);
        this.#requireAbsence();
        return this.#settle(id, (it) => release(it, { agent: agentOf(session), epoch, class: kind, now }));
      }
      case 'POST provisioned': {
        const { session, epoch, instanceDetails: details } = body(ProvisionedRequest);
        return this.#settle(id, (it) =>
          reportProvisioned(it, { agent: agentOf(session), epoch, details, now }),
        );
      }
      case 'POST failed': {
        const { session, epoch, errorMessage, class: kind } = body(FailedRequest);
        const facts = { agent: agentOf(session), epoch, errorMessage, class: kind, now };
        return this.#settle(id, (it) => reportFailed(it, facts));
      }
      case 'PUT terminated': {
        const { session, epoch } = body(TerminatedRequest);
        this.#requireAbsence();
        return this.#settle(id, (it) => reportTerminated(it, { agent: agentOf(session), epoch, now }));
      }
      case 'POST reconcile': {
        const { runningInstances: listed } = body(ReconcileRequest);
        const held = (it: LiveContract): boolean =>
          it.status.holders?.some((h) => h.agentUID === AGENT_UID) ?? false;
        return judgeInventory({
          agentUID: AGENT_UID,
          installation: INSTALLATION,
          listed,
          contractOf: (uid) => this.contracts.get(uid),
          heldBy: [...this.contracts.values()].filter(held),
          owed: [],
          isRevoked: () => false,
        });
      }
      default:
        throw new Problem('RouteNotFound', route, { next: 'none' });
    }
  }

  #admit(request: Readonly<{ session: string; incarnation: number; leaving?: boolean | undefined }>): void {
    const verdict = judgeSession({ record: this.session, request, now: this.#now });
    if (verdict.record) this.session = verdict.record;
    if (verdict.outcome === 'Refused')
      throw new Problem(verdict.code, verdict.message, { next: verdict.next });
  }

  #requireAbsence(): void {
    if (this.session && !mayConfirmAbsence(this.session, this.#now))
      throw new Problem('AbsenceNotYetCertain', 'the process before may still run', { next: 'Again later.' });
  }

  #settle<A>(id: string, rule: (contract: LiveContract) => Verdict<A>): A {
    const verdict = rule(this.#contract(id));
    if (verdict.outcome === 'Refused')
      throw new Problem(verdict.code, verdict.message, { next: verdict.next, extra: { data: verdict.data } });
    if (verdict.outcome === 'Write') this.#put(id, verdict.status);
    return verdict.answer;
  }

  async #work(waitSeconds: number): Promise<WorkItem[]> {
    const endMs = this.#clock.monotonicMs() + waitSeconds * 1000;
    for (;;) {
      const items = [...this.contracts.values()].flatMap((contract) => this.#itemsOf(contract));
      if (items.length > 0 || this.#clock.monotonicMs() >= endMs || !this.#server?.listening) return items;
      await systemClock.sleep(5);
    }
  }

  #itemsOf({ metadata, status }: LiveContract): WorkItem[] {
    const contractId = contractIdOf(metadata.uid ?? '');
    const doomed = (status.holders ?? []).filter((it) => isEnding(status.phase) || it.epoch < status.epoch);
    const destroys = doomed.map(({ epoch }) => ({ action: 'Destroy' as const, contractId, epoch }));
    const waits =
      status.nextAttemptAt !== undefined && Date.parse(status.nextAttemptAt) > this.#clock.now().getTime();
    if (status.phase !== 'Accepted' || waits) return destroys;
    const contract = aPending(contractId, status.epoch);
    return [...destroys, { action: 'Provision', contractId, epoch: status.epoch, contract }];
  }
}

/** Throws what is wrong with the body: a wrong call must fail the test. */
function strict<T>(schema: z.ZodType<T>, raw: string): NonNullable<T> {
  const parsed = schema.parse(raw === '' ? undefined : JSON.parse(raw));
  if (parsed === null || parsed === undefined) throw new Error('an agent with sessions always sends a body');
  return parsed;
}
