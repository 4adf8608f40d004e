/** A world of processes that runs one scenario after the other, with every outside effect counted. */
import { systemClock } from '../../../lib/clock.ts';
import { type Actor, createEffects, type Effects } from '../processes/effects.ts';
import { openProcessWorld, type ProcessWorld, type ProcessWorldOptions } from '../processes/process-world.ts';
import type { Program } from '../processes/program.ts';
import type { Exchange, Fault } from '../proxy/api-server.ts';

export type Lane = Readonly<{
  world: ProcessWorld;
  effects: Effects;
  /** Kills it now and starts it again a moment later. */
  crash: (program: Program) => void;
  /** Resolves when every crash has been followed by a start. */
  revived: () => Promise<unknown>;
  close: () => Promise<void>;
}>;

/** A supervisor (systemd, a kubelet) starts again what died, not at once. */
const REVIVE_MS = 200;

export async function openLane(options: ProcessWorldOptions): Promise<Lane> {
  const world = await openProcessWorld(options);
  const effects = createEffects();
  let revivals: Promise<unknown> = Promise.resolve();
  const crash = (program: Program): void => {
    program.kill();
    const revive = systemClock.sleep(REVIVE_MS).then(() => program.start());
    revivals = Promise.all([revivals, revive]);
  };
  watchOperator(world, effects);
  watchFacade(world, { effects, crash });
  world.ledger.follow(({ agentUid, event }) => {
    const { program } = world.agentOf(agentUid);
    effects.note({ by: 'agent', what: event }, () => crash(program));
  });
  return { world, effects, crash, revived: () => revivals, close: world.close };
}

const isCommitted = (status: number): boolean => status >= 200 && status < 300;

/** What repeats for ever is named without the object: it counts once for each kind. */
function effectOf(by: Actor, { verb, resource, subresource }: Exchange) {
  const repeats = resource === 'leases' || resource === 'events';
  return { by, what: `${verb} ${[resource, subresource].filter(Boolean).join('/')}`, repeats };
}

type Hook = (exchange: Exchange) => Promise<void>;

const afterWrites =
  (hook: Hook) =>
  (exchange: Exchange): Fault => {
    if (!exchange.isWrite) return { type: 'Pass' };
    const run = async (status: number): Promise<void> => {
      if (isCommitted(status)) await hook(exchange);
    };
    return { type: 'AfterCommit', run, reply: 'Send' };
  };

function watchOperator({ ways: { operator } }: ProcessWorld, effects: Effects): void {
  operator.apiServer.decide(afterWrites(async (exchange) => effects.note(effectOf('operator', exchange))));
  operator.postgres.decide(({ sql }) => ({
    type: 'AfterCommit',
    run: async () => effects.note(statementOf('operator', sql)),
    reply: 'Send',
  }));
}

/** What the facade writes for an agent is an effect of both. */
function watchFacade(
  world: ProcessWorld,
  { effects, crash }: Readonly<{ effects: Effects; crash: (program: Program) => void }>,
): void {
  const { apiServer, postgres } = world.ways.facade;
  apiServer.decide(
    afterWrites(async (exchange) => {
      effects.note(effectOf('facade', exchange));
      if (exchange.resource !== 'contracts' || exchange.subresource !== 'status') return;
      const { namespace, name = '' } = exchange;
      const contract = await world.clients.contracts.get({ namespace, name });
      const agent = world.agents.find(({ objectName }) => objectName === contract?.status?.agent);
      if (agent) effects.note({ by: 'agent', what: 'report' }, () => crash(agent.program));
    }),
  );
  postgres.decide(({ sql }) => ({
    type: 'AfterCommit',
    run: async () => effects.note(statementOf('facade', sql)),
    reply: 'Send',
  }));
}

/** The table `world` is told every few seconds how far etcd is. */
function statementOf(by: Actor, sql: string) {
  const what = nameOf(sql);
  return { by, what, repeats: what === 'update world' };
}

/** `insert idempotency_keys` */
const nameOf = (sql: string): string =>
  /\b(insert|update|delete)\b(?:\s+(?:into|from))?\s+(\w+)/i.exec(sql)?.slice(1).join(' ').toLowerCase() ??
  sql.trim().slice(0, 40);
