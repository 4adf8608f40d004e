/**
 * An HTTP server that answers an agent as the facade does: it verifies every signature, takes no body that the
 * schemas of crds/wire refuse, and decides by the rules of crds/contract on contracts in memory. No API server.
 */
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { text } from 'node:stream/consumers';
import type { z } from 'zod';
import type { LiveContract } from '../../crds/contract/contract.ts';
import { judgeInventory } from '../../crds/contract/inventory.ts';
import { claim, renew } from '../../crds/contract/lock.ts';
import { release } from '../../crds/contract/release.ts';
import { reportFailed, reportProvisioned, reportTerminated } from '../../crds/contract/report.ts';
import { reportApplied } from '../../crds/contract/upkeep.ts';
import { PROBLEMS, Problem } from '../../crds/problem.ts';
import type { Promised } from '../../crds/wire/amounts.ts';
import { HeartbeatRequest } from '../../crds/wire/heartbeat.ts';
import { LockRequest, ReleaseRequest } from '../../crds/wire/lock.ts';
import { AgentSetupRequest } from '../../crds/wire/pools.ts';
import { ReconcileRequest } from '../../crds/wire/reconcile.ts';
import {
  AppliedRequest,
  FailedRequest,
  ProvisionedRequest,
  TerminatedRequest,
} from '../../crds/wire/reports.ts';
import { type Clock, systemClock } from '../../lib/clock.ts';
import { publicKeyCache } from '../../lib/signature/key-cache.ts';
import { verifyRequest } from '../../lib/signature/verify.ts';
import { FakeMarket } from './fake-market.ts';

export const AGENT_UID = 'aaaaaaaa-0000-4000-8000-000000000001';
export const INSTALLATION = 'inst-test';
const PROVIDER = 'ab'.repeat(32);

/** What becomes of the next calls of a route: not carried out, or carried out without an answer. */
type Fault = 'Refuse' | 'LoseReply';
type Call = Readonly<{ id: string; raw: string; url: URL; keyid: string }>;

export class FakeFacade extends FakeMarket {
  /** `POST lock 200`, `PUT terminated 409 AbsenceNotYetCertain`, … */
  readonly calls: string[] = [];
  readonly faults = new Map<string, Fault[]>();
  isDown = false;
  /** What the last inventory said of machines of no contract. */
  said: z.infer<typeof ReconcileRequest>['orphans'];
  /** What the last heartbeat said is wrong with the host. */
  unhealthy: HeartbeatRequest['unhealthy'];
  /** Sessions of processes that were killed: what they had sent does not arrive any more. */
  readonly dead = new Set<string>();
  isRevoked = false;
  /** What the host may be promised for; undefined: a facade that does not say it. */
  promised: Promised | undefined;
  /** Undefined: whoever joins. */
  agentKey: string | undefined;
  readonly #keys = publicKeyCache();
  #server: Server | undefined;

  constructor(clock: Clock, agentKey: string | undefined) {
    super(clock);
    this.agentKey = agentKey;
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

  async #serve(request: IncomingMessage): Promise<{ status: number; body?: unknown }> {
    const raw = await text(request);
    const url = new URL(request.url ?? '/', 'http://facade');
    const parts = url.pathname.split('/');
    const route = `${request.method} ${parts.at(-1)}`;
    if (this.isDown || [...this.dead].some((session) => raw.includes(session))) return { status: 0 };
    const fault = this.faults.get(route)?.shift();
    if (fault === 'Refuse') return { status: 0 };
    try {
      const keyid = this.#verify(request, { raw, url });
      const data = await this.#answer(route, { id: parts[6] ?? '', raw, url, keyid });
      this.calls.push(`${route} 200`);
      return fault === 'LoseReply' ? { status: 0 } : { status: 200, body: { success: true, data } };
    } catch (error) {
      const problem =
        error instanceof Problem ? error : new Problem('Internal', String(error), { next: 'none' });
      const isOurs = problem === error;
      this.calls.push(
        isOurs ? `${route} ${problem.status} ${problem.code}` : `${route} wrong: ${String(error)}`,
      );
      const { code, message: detail, next, extra, status } = problem;
      const { retryable } = PROBLEMS[code];
      return { status, body: { success: false, code, detail, error: next, retryable, ...extra } };
    }
  }

  #verify(request: IncomingMessage, { raw, url }: Readonly<{ raw: string; url: URL }>): string {
    const headers = Object.fromEntries(
      Object.entries(request.headers).map(([name, value]) => [
        name,
        Array.isArray(value) ? value.join() : value,
      ]),
    );
    const { host = '' } = request.headers;
    const verified = verifyRequest(
      {
        method: request.method ?? '',
        authority: host,
        path: url.pathname,
        query: url.search || '?',
        headers,
      },
      { now: this.clock.now(), body: Buffer.from(raw), keys: this.#keys },
    );
    if (verified.outcome === 'Refused') {
      const code = verified.because === 'ClockSkew' ? 'ClockSkew' : 'SignatureInvalid';
      throw new Problem(code, verified.detail, { next: 'Sign it right.' });
    }
    if (this.isRevoked) throw new Problem('AgentRevoked', 'this agent was revoked', { next: 'Join again.' });
    const isKnown = this.agentKey === undefined || verified.keyid === this.agentKey;
    if (!isKnown) throw new Problem('UnknownKey', 'nobody has it', { next: 'Join.' });
    return verified.keyid;
  }

  async #answer(route: string, call: Call): Promise<unknown> {
    const { id } = call;
    const now = this.clock.now();
    const agentOf = (session: string | undefined) => ({
      name: 'agent-1',
      uid: AGENT_UID,
      poolName: 'p',
      session,
    });
    const body = <T>(schema: z.ZodType<T>): NonNullable<T> => strict(schema, call.raw);
    switch (route) {
      case 'POST setup':
        return this.#setUp(body(AgentSetupRequest), call);
      case 'POST heartbeat': {
        const { session = '', incarnation = 0, leaving = false, unhealthy } = body(HeartbeatRequest);
        this.admit({ session, incarnation, leaving });
        this.unhealthy = unhealthy;
        const pool = { poolId: 'p', poolName: 'p', installation: INSTALLATION, agentUid: AGENT_UID };
        const { promised } = this;
        return {
          acknowledged: true,
          nextHeartbeatSeconds: 15,
          serverTime: now.toISOString(),
          promised,
          ...pool,
        };
      }
      case 'GET work':
        return this.#hold(Number(call.url.searchParams.get('wait') ?? 0));
      case 'GET pending-provision':
        return this.work().flatMap(({ contract }) => contract ?? []);
      case 'POST lock': {
        const { session = '', incarnation = 0, epoch, observedEpoch } = body(LockRequest);
        this.admit({ session, incarnation });
        const { ttlSeconds } = this;
        const agent = agentOf(session);
        const eligible = { eligible: true } as const;
        return this.settle(id, (it) =>
          epoch === undefined
            ? claim(it, { agent, observedEpoch, ttlSeconds, now, eligible })
            : renew(it, { agent, epoch, ttlSeconds, now }),
        );
      }
      case 'DELETE lock': {
        const { session, epoch, class: kind } = body(ReleaseRequest);
        this.requireCertainAbsence();
        return this.settle(id, (it) => release(it, { agent: agentOf(session), epoch, class: kind, now }));
      }
      case 'POST provisioned': {
        const { session, epoch, instanceDetails: details, sshKeysSHA256 } = body(ProvisionedRequest);
        return this.settle(id, (it) =>
          reportProvisioned(it, { agent: agentOf(session), epoch, details, sshKeysSHA256, now }),
        );
      }
      case 'PUT applied': {
        const {
          session,
          incarnation: _,
          epoch,
          failed,
          sealedCredentials,
          instanceDetails: details,
          ...done
        } = body(AppliedRequest);
        const facts = { agent: agentOf(session), epoch, done, failed, sealedCredentials, details, now };
        return this.settle(id, (it) => reportApplied(it, facts));
      }
      case 'POST failed': {
        const { session, epoch, errorMessage, class: kind } = body(FailedRequest);
        const facts = { agent: agentOf(session), epoch, errorMessage, class: kind, now };
        return this.settle(id, (it) => reportFailed(it, facts));
      }
      case 'PUT terminated': {
        const { session, epoch } = body(TerminatedRequest);
        this.requireCertainAbsence();
        return this.settle(id, (it) => reportTerminated(it, { agent: agentOf(session), epoch, now }));
      }
      case 'POST reconcile':
        return this.#judge(body(ReconcileRequest));
      default:
        throw new Problem('RouteNotFound', route, { next: 'none' });
    }
  }

  #setUp({ token, agentPubkey }: z.infer<typeof AgentSetupRequest>, { keyid }: Call) {
    if (keyid !== agentPubkey)
      throw new Problem('SignatureInvalid', 'not its own key', { next: 'Sign with it.' });
    if (token !== 'apt_europe_good')
      throw new Problem('SetupTokenNotFound', 'no such token', { next: 'Make one.' });
    if (this.agentKey !== undefined && this.agentKey !== agentPubkey)
      throw new Problem('SetupTokenUsed', 'used 3 minutes ago', { next: 'Make a new one.' });
    this.agentKey = agentPubkey;
    const permissions = ['heartbeat', 'fetch_contracts', 'provision'] as const;
    const base = { providerPubkey: PROVIDER, poolId: 'europe-script', permissions };
    const delegation = { ...base, agentPubkey, issuedAt: '2026-01-01T00:00:00Z' };
    const agent = { agentName: 'node-6', agentUid: AGENT_UID, installation: INSTALLATION };
    const pool = { poolName: 'Europe', poolLocation: 'europe', provisionerType: 'script' };
    return { ...base, ...pool, ...agent, delegation, delegationSignature: 'ab' };
  }

  #judge({ runningInstances: listed, orphans }: z.infer<typeof ReconcileRequest>) {
    this.said = orphans;
    const isHeld = ({ status }: LiveContract): boolean =>
      status.holders?.some(({ agentUID }) => agentUID === AGENT_UID) ?? false;
    return judgeInventory({
      agentUID: AGENT_UID,
      installation: INSTALLATION,
      listed,
      contractOf: (uid) => this.contracts.get(uid),
      heldBy: [...this.contracts.values()].filter(isHeld),
      owed: [],
      isRevoked: () => false,
    });
  }

  /** The long poll. */
  async #hold(waitSeconds: number): Promise<unknown> {
    const endMs = this.clock.monotonicMs() + waitSeconds * 1000;
    for (;;) {
      const items = this.work();
      if (items.length > 0 || this.clock.monotonicMs() >= endMs || !this.#server?.listening) return items;
      await systemClock.sleep(5);
    }
  }
}

/** Throws what is wrong with the body: a wrong call must fail the test. */
function strict<T>(schema: z.ZodType<T>, raw: string): NonNullable<T> {
  const parsed = schema.parse(raw === '' ? undefined : JSON.parse(raw));
  if (parsed === null || parsed === undefined) throw new Error('an agent with sessions always sends a body');
  return parsed;
}
