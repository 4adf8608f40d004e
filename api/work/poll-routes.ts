/**
 * The long poll of an agent, and the same list as the specification has it. An answer that would be the same
 * as the last one is held back for a moment, so that work in progress does not make an agent spin.
 */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { isLive } from '../../crds/contract/contract.ts';
import { Problem } from '../../crds/problem.ts';
import { PendingContract, type WorkItem, WorkList } from '../../crds/wire/work-list.ts';
import { agentCaller, agentWith } from '../auth/caller.ts';
import type { Deps } from '../deps.ts';
import { connectionSignal } from '../http/connection.ts';
import { answers, ok } from '../http/envelope.ts';
import { ProviderPath } from '../http/params.ts';
import { claimable } from './claimable.ts';
import { destroyItems, doomed } from './doomed.ts';
import { provisionItems, type Worker, wakeKeysOf } from './list.ts';
import { presentPending, scriptOf } from './pending.ts';
import { wishItems } from './wishes.ts';

const WAIT_MAX_SECONDS = 25;
/** An answer that would be the same as the last one is held back for so long. */
/** How often a poll looks whether a restore is resolved. */
const RESOLVING_MS = 1000;
const SAME_AGAIN_MS = 1000;
const POLLERS_REMEMBERED = 20_000;

const Wait = z.strictObject({
  wait: z.coerce
    .number()
    .int()
    .min(0)
    .max(WAIT_MAX_SECONDS)
    .default(0)
    .describe('How long to wait for work. Seconds.'),
});

export const pollRoutes: FastifyPluginAsyncZod<{ deps: Deps }> = async (app, { deps }) => {
  const last = new LastAnswers();
  app.route({
    method: 'GET',
    url: '/providers/:pk/work',
    config: agentWith('fetch_contracts'),
    schema: {
      summary: 'What to do now: contracts to claim, machines to destroy; waits until there is something',
      tags: ['work'],
      params: ProviderPath,
      querystring: Wait,
      response: answers(WorkList),
    },
    handler: async (request, reply) => {
      const { agent } = agentCaller(request);
      const uid = agent.metadata.uid ?? '';
      const look = async (worker: Worker): Promise<Look<WorkItem>> => {
        const found = claimable(deps, worker);
        const suspects = doomed(deps, worker.agent);
        const destroys =
          suspects.length === 0 ? [] : await destroyItems(deps, { agent: worker.agent, suspects });
        const wishes = await wishItems(deps, worker.agent);
        const provisions =
          found.contracts.length === 0
            ? []
            : await provisionItems(deps, { worker, contracts: found.contracts });
        const items = [...destroys, ...wishes.items, ...provisions];
        return { items, dueInMs: Math.min(found.dueInMs, wishes.dueInMs) };
      };
      const items = await pollUntil(deps, {
        worker: agentCaller(request),
        waitMs: request.query.wait * 1000,
        signalOf: () => connectionSignal(reply, deps.stopping),
        look,
        isNews: (items) => last.isNews(uid, gistOf(items)),
        sameAgainMs: SAME_AGAIN_MS,
      });
      last.remember(uid, gistOf(items));
      return ok(items);
    },
  });
  app.route({
    method: 'GET',
    url: '/providers/:pk/contracts/pending-provision',
    config: agentWith('fetch_contracts'),
    schema: {
      summary: "Contracts to build: of the agent's pool, not locked by another agent",
      tags: ['work'],
      params: ProviderPath,
      querystring: Wait,
      response: answers(z.array(PendingContract)),
    },
    handler: async (request, reply) => {
      const look = async (worker: Worker): Promise<Look<PendingContract>> => {
        const found = claimable(deps, worker);
        const uid = worker.agent.metadata.uid ?? '';
        const own = deps.caches.contracts
          .heldBy(uid)
          .filter((contract) => contract.status?.lock?.agentUID === uid);
        const pending = await Promise.all(
          [...own.filter(isLive), ...found.contracts].map(async (contract) =>
            presentPending(contract, { pool: worker.pool, script: await scriptOf(deps, contract) }),
          ),
        );
        return { items: pending.filter((item) => item !== undefined), dueInMs: found.dueInMs };
      };
      const items = await pollUntil(deps, {
        worker: agentCaller(request),
        waitMs: request.query.wait * 1000,
        signalOf: () => connectionSignal(reply, deps.stopping),
        look,
        isNews: () => true,
        sameAgainMs: 0,
      });
      return ok(items);
    },
  });
};

/** `dueInMs`: when something that waits only for its time is there. */
type Look<T> = Readonly<{ items: T[]; dueInMs: number }>;

type Poll<T> = Readonly<{
  worker: Worker;
  waitMs: number;
  /** Asked only by who waits. */
  signalOf: () => AbortSignal;
  look: (worker: Worker) => Promise<Look<T>>;
  isNews: (items: readonly T[]) => boolean;
  sameAgainMs: number;
}>;

/** Answers at once when there is something new, else when it comes, else what there is when the time is over. */
async function pollUntil<T>(
  deps: Deps,
  { worker, waitMs, signalOf, look, isNews, sameAgainMs }: Poll<T>,
): Promise<T[]> {
  if (waitMs === 0) return (await inNormalWorld(deps, () => look(refreshed(deps, worker)))).items;
  const signal = signalOf();
  const startedMs = deps.clock.monotonicMs();
  for (;;) {
    const leftMs = waitMs - (deps.clock.monotonicMs() - startedMs);
    const current = refreshed(deps, worker);
    const armed = deps.wakes.arm(wakeKeysOf(deps, current), { ms: Math.max(0, leftMs), signal });
    const found = await inNormalWorld(deps, () => look(current));
    const waitedMs = deps.clock.monotonicMs() - startedMs;
    const isDue = found.items.length > 0 && (isNews(found.items) || waitedMs >= sameAgainMs);
    if (isDue || waitedMs >= waitMs || signal.aborted) {
      armed.disarm();
      return found.items;
    }
    const sameDueMs = found.items.length > 0 ? sameAgainMs - waitedMs : Number.POSITIVE_INFINITY;
    const dueMs = Math.max(1, Math.min(found.dueInMs, sameDueMs, leftMs));
    const pause = deps.wakes.arm([], { ms: dueMs, signal });
    await Promise.race([armed.woken, pause.woken]);
    armed.disarm();
    pause.disarm();
  }
}

/** While an older etcd is being resolved there is no work. */
async function inNormalWorld<T>(deps: Deps, look: () => Promise<Look<T>>): Promise<Look<T>> {
  try {
    deps.world.requireNormal();
    return await look();
  } catch (error) {
    if (!(error instanceof Problem) || error.code !== 'RestoreInProgress') throw error;
    return { items: [], dueInMs: RESOLVING_MS };
  }
}

/** A poll is long: the agent may have been cordoned or moved since it was identified. */
function refreshed(deps: Deps, { agent, pool }: Worker): Worker {
  const { namespace = '', name } = pool.metadata;
  return {
    agent: deps.caches.agents.byUid(agent.metadata.uid ?? '') ?? agent,
    pool: deps.caches.pools.get({ namespace, name }) ?? pool,
  };
}

const gistOf = (items: readonly WorkItem[]): string =>
  items
    .map(
      ({ action, contractId, epoch, count = '', sshKeysSHA256 = '' }) =>
        `${action}/${contractId}/${epoch}/${count}${sshKeysSHA256}`,
    )
    .join(',');

/** What each agent was answered last; the oldest is forgotten first. */
class LastAnswers {
  readonly #gists = new Map<string, string>();

  isNews(agentUid: string, gist: string): boolean {
    return this.#gists.get(agentUid) !== gist;
  }

  remember(agentUid: string, gist: string): void {
    this.#gists.delete(agentUid);
    this.#gists.set(agentUid, gist);
    if (this.#gists.size <= POLLERS_REMEMBERED) return;
    const oldest = this.#gists.keys().next();
    if (!oldest.done) this.#gists.delete(oldest.value);
  }
}
