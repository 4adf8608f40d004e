/**
 * Turns the faults of a plan into rules: each counts what it matches and strikes at the n-th. Only what is about
 * the plan's own objects is matched; they are known by their names, which begin with the plan's prefix.
 */
import type { HypervisorCall, Treat, Treatment } from '../ledger/behaviour.ts';
import type { CallFault } from '../proxy/agent.ts';
import type { Exchange } from '../proxy/api-server.ts';
import type { FacadeCall } from '../proxy/facade-call.ts';
import type { ApiServerFault, FacadeFault, HypervisorFault, PlannedFault } from './plan.ts';
import type { Rules } from './stage.ts';

export type Cast = Readonly<{
  /** Of names of contract, agents, pool and offering. */
  prefix: string;
  /** Public keys of the plan's agents and of its tenant. */
  keys: ReadonlySet<string>;
  killAgent: (by: Readonly<{ key?: string; uid?: string }>) => void;
}>;

export type Armed = Readonly<{
  rules: Rules;
  treat: Treat;
  /** Faults that have not struck as often as they should. */
  unfired: () => readonly PlannedFault[];
  /** One line for each strike, in order. */
  struck: () => readonly string[];
  /** Nothing strikes any more. */
  disarm: () => void;
}>;

type Counter<F> = { readonly fault: F; seen: number; struck: number };

export function arm(cast: Cast, faults: readonly PlannedFault[]): Armed {
  const counters = faults.filter(({ at }) => at !== 'Moment').map(count);
  const struck: string[] = [];
  let isArmed = true;
  const strike = <F extends PlannedFault>(isIt: (fault: PlannedFault) => fault is F, what: string) => {
    if (!isArmed) return undefined;
    let hit: F | undefined;
    for (const counter of counters) {
      if (!isIt(counter.fault)) continue;
      counter.seen++;
      const { nth = 1, times = 1, upTo = times } = counter.fault as Exclude<PlannedFault, { at: 'Moment' }>; // filtered above
      const isDue = counter.seen >= nth && counter.seen < nth + upTo;
      if (!isDue || hit) continue;
      counter.struck++;
      hit = counter.fault;
      struck.push(`${what}: ${JSON.stringify(counter.fault)}`);
    }
    return hit;
  };
  return {
    rules: {
      apiServer: (from, exchange) =>
        isAbout(cast, exchange)
          ? strike(
              (fault): fault is ApiServerFault =>
                fault.at === 'ApiServer' && fault.from === from && matches(fault, exchange),
              `${from} ${exchange.verb} ${exchange.resource} ${exchange.name ?? ''}`,
            )?.fault
          : undefined,
      facade: (call) => {
        if (!cast.keys.has(call.key)) return undefined;
        const isIt = (fault: PlannedFault): fault is FacadeFault =>
          fault.at === 'Facade' && fault.route === call.route;
        const hit = strike(isIt, `${call.route} of ${call.key.slice(0, 6)}`);
        return hit && toCallFault(cast, hit, call);
      },
    },
    treat: (call) => {
      const isIt = (fault: PlannedFault): fault is HypervisorFault =>
        fault.at === 'Hypervisor' && fault.action === call.action;
      const hit = strike(isIt, `${call.action} on ${call.host}`);
      return hit && toTreatment(cast, hit, call);
    },
    unfired: () =>
      counters.flatMap(({ fault, struck: times }) =>
        fault.at !== 'Moment' && times < (fault.times ?? 1) ? [fault] : [],
      ),
    struck: () => struck,
    disarm: () => {
      isArmed = false;
    },
  };
}

const count = (fault: PlannedFault): Counter<PlannedFault> => ({ fault, seen: 0, struck: 0 });

const isAbout = ({ prefix }: Cast, { name, verb }: Exchange): boolean =>
  name?.startsWith(`${prefix}-`) ?? (verb === 'list' || verb === 'watch');

const matches = (fault: ApiServerFault, exchange: Exchange): boolean =>
  fault.verb === exchange.verb &&
  fault.resource === exchange.resource &&
  fault.subresource === exchange.subresource;

function toCallFault(cast: Cast, { fault }: FacadeFault, { key }: FacadeCall): CallFault {
  if (fault.type !== 'KillAgent') return fault;
  if (fault.when === 'Before') {
    cast.killAgent({ key });
    return { type: 'LoseRequest' };
  }
  if (fault.when === 'OnTheWay') {
    cast.killAgent({ key });
    return { type: 'Delay', ms: fault.arrivesMs };
  }
  return { type: 'AfterAnswer', run: async () => cast.killAgent({ key }), reply: 'Lose' };
}

function toTreatment(cast: Cast, { treatment }: HypervisorFault, { agentUid }: HypervisorCall): Treatment {
  if (!('type' in treatment)) return treatment;
  if (agentUid !== undefined) cast.killAgent({ uid: agentUid });
  return { die: 'HalfWay' };
}
