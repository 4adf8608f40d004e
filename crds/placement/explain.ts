/**
 * Why a contract waits, short enough for its status: one word of a closed list, agents counted by reason, some
 * examples, a message for the provider and one for the tenant. The full list is in `views.ts`.
 */

import { counted } from '../../lib/counted.ts';
import { REGION_NAMES } from '../regions.ts';
import { showAll } from './amounts.ts';
import { whatHelps } from './helps.ts';
import { EXAMPLES_MAX } from './numbers.ts';
import type { PassedOver, Placement } from './place.ts';
import { CAUSE_OF, type Cause, isTooLate, PASSED_OVER_REASONS, type PassedOverReason } from './reasons.ts';
import { type Saying, sentenceOf, showInstant } from './sentences.ts';

/** Reasons of the condition Schedulable: True for the first two, False for the others. */
export const SCHEDULING_REASONS = [
  'AwaitingAgent',
  'AwaitingRetry',
  'AwaitingFallback',
  'NoPool',
  'NoAgent',
  'NoAgentOnline',
  'NoMatchingAgent',
  'NoCapacity',
  'NoEligibleAgent',
] as const;
export type SchedulingReason = (typeof SCHEDULING_REASONS)[number];

export type Explanation = Readonly<{
  schedulable: boolean;
  reason: SchedulingReason;
  /** Agents by the reason that they were passed over for, and pools that were as a whole; the most first. */
  counts: readonly Readonly<{ reason: PassedOverReason; count: number }>[];
  /** A line each for some of them, at least one of each reason while there is room. */
  examples: readonly string[];
  /** For the provider: names machines. */
  message: string;
  tenantMessage: string;
  againAtMs: number | undefined;
}>;

/** As long as the message of a condition may be is 4096; a status is read by people. */
const MESSAGE_MAX = 2000;
const EXAMPLE_MAX = 300;

export function explain(placement: Placement): Explanation {
  const reason = reasonOf(placement);
  const examples = examplesOf(placement);
  return {
    schedulable: placement.candidates.length > 0,
    reason,
    counts: countsOf(placement.passedOver),
    examples,
    message: messageOf(placement, { reason, examples }),
    tenantMessage: tenantMessageOf(placement, reason),
    againAtMs: placement.againAtMs,
  };
}

/** Those that the way leads to: the others are another region, type or pool, and not meant at all. */
const onTheWay = ({ passedOver }: Placement): readonly PassedOver[] =>
  passedOver.filter(({ because }) => CAUSE_OF[because.reason] !== 'Route');

function reasonOf(placement: Placement): SchedulingReason {
  const { candidates, passedOver, notBeforeMs } = placement;
  if (candidates.length > 0) return notBeforeMs === undefined ? 'AwaitingAgent' : 'AwaitingRetry';
  const agents = onTheWay(placement).filter(({ because }) => because.reason !== 'AgentRevoked');
  if (agents.length === 0)
    return passedOver.some(
      ({ because }) => because.reason === 'NoAgents' || because.reason === 'AgentRevoked',
    )
      ? 'NoAgent'
      : 'NoPool';
  const there = agents.filter(({ because }) => because.reason !== 'AgentOffline');
  if (there.length === 0) return 'NoAgentOnline';
  const causes = new Set<Cause>(there.map(({ because }) => CAUSE_OF[because.reason]));
  if (opensLater(placement).length > 0 && causes.size === 1) return 'AwaitingFallback';
  const [only] = causes;
  if (causes.size === 1 && only === 'Room') return 'NoCapacity';
  return causes.size === 1 && only === 'Requirement' ? 'NoMatchingAgent' : 'NoEligibleAgent';
}

function countsOf(passedOver: readonly PassedOver[]): Explanation['counts'] {
  const counts = new Map<PassedOverReason, number>();
  for (const { because } of passedOver) counts.set(because.reason, (counts.get(because.reason) ?? 0) + 1);
  return [...counts]
    .map(([reason, count]) => ({ reason, count }))
    .sort((a, b) => b.count - a.count || place(a) - place(b));
}

const place = ({ reason }: Readonly<{ reason: PassedOverReason }>): number =>
  PASSED_OVER_REASONS.indexOf(reason);

/** First one of each reason, then the rest; those on the way before the others, and always in the same order. */
function examplesOf({ passedOver, nowMs, untilMs }: Placement): string[] {
  const seen = new Map<PassedOverReason, number>();
  const inOrder = passedOver
    .map((entry) => {
      const { reason } = entry.because;
      const nth = seen.get(reason) ?? 0;
      seen.set(reason, nth + 1);
      return { entry, nth, isFar: CAUSE_OF[reason] === 'Route', at: PASSED_OVER_REASONS.indexOf(reason) };
    })
    .filter(({ nth }) => nth < EXAMPLES_MAX)
    .sort((a, b) => Number(a.isFar) - Number(b.isFar) || a.nth - b.nth || a.at - b.at);
  return inOrder
    .slice(0, EXAMPLES_MAX)
    .map(({ entry }) => lineOf(entry, { nowMs, untilMs }).slice(0, EXAMPLE_MAX));
}

/** `europe-proxmox/node-1: full: 4 CPU free of 32 CPU`, `us: in na, wanted is europe (with its 20 agents)` */
function lineOf({ pool, agent, agents = 0, because }: PassedOver, saying: Saying): string {
  const said = sentenceOf(because, saying);
  if (agent !== undefined) return `${pool}/${agent}: ${said}`;
  return agents === 0 ? `${pool}: ${said}` : `${pool}: ${said} (with its ${counted(agents, 'agent')})`;
}

type Known = Readonly<{ reason: SchedulingReason; examples: readonly string[] }>;

function messageOf(placement: Placement, { reason, examples }: Known): string {
  const { candidates, wanted, regions, types, notBeforeMs, untilMs } = placement;
  const place = `${regions.join(' or ')} (${types.join(' or ')})`;
  const total = candidates.length + onTheWay(placement).filter(({ agent }) => agent !== undefined).length;
  const head = `${candidates.length} of ${counted(total, 'agent')} can take ${showAll(wanted)} in ${place}`;
  if (reason === 'AwaitingAgent') return `${head}.`;
  const tooLate = isLastTry(placement)
    ? `: too late, it is tried until ${showInstant(untilMs, placement)}`
    : '';
  if (notBeforeMs !== undefined && reason === 'AwaitingRetry')
    return `${head}; the next attempt is not before ${showInstant(notBeforeMs, placement)}${tooLate}.`;
  const helps = whatHelps(placement);
  const tail = helps.length > 0 ? `\nWhat helps: ${listed(helps)}.` : '';
  const lines: string[] = [];
  let room = MESSAGE_MAX - head.length - tail.length;
  for (const line of examples) {
    room -= line.length + 3;
    if (room < 0) break;
    lines.push(line);
  }
  return `${[`${head}:`, ...lines].join('\n  ')}${tail}`;
}

/** `a`, `a or b`, `a, b, or c`. */
function listed(helps: readonly string[]): string {
  const last = helps.at(-1) ?? '';
  if (helps.length < 3) return helps.join(' or ');
  return `${helps.slice(0, -1).join(', ')}, or ${last}`;
}

const FREE = 'You are not charged while you wait; cancel at any time.';

/** Made of the tenant's own order alone. */
function tenantMessageOf(placement: Placement, reason: SchedulingReason): string {
  const { candidates, wanted, passedOver, notBeforeMs, nowMs } = placement;
  const place = placement.regions.map((region) => REGION_NAMES[region]).join(' or ');
  const apart = passedOver.some(({ because }) => because.reason === 'AntiAffinity')
    ? ' You asked for a host apart from your others.'
    : '';
  switch (reason) {
    case 'AwaitingAgent':
      return `On its way to ${candidates.length === 1 ? 'an agent' : `one of ${candidates.length} agents`} in ${place}.`;
    case 'AwaitingRetry':
      if (isLastTry(placement))
        return `The last try did not work, and there is no time left for another one. ${FREE}`;
      if (placement.hadNoRoom)
        return `The machine that was to build it had no room after all, and another one is looked for. Next attempt at ${showInstant(notBeforeMs ?? nowMs, { nowMs })}. ${FREE}`;
      return `The last try did not work. Next attempt at ${showInstant(notBeforeMs ?? nowMs, { nowMs })}. ${FREE}`;
    case 'NoPool':
      if (passedOver.some(({ because }) => because.reason === 'PoolDeleting'))
        return `What builds this in ${place} is going out of service, and there is nothing else. ${FREE}`;
      return `No machine in ${place} builds this at the moment. ${FREE}`;
    case 'NoAgent':
      return `No machine in ${place} builds this at the moment. ${FREE}`;
    case 'NoAgentOnline':
      return `No machine in ${place} is online right now.${elsewhere(placement)} ${FREE}`;
    case 'NoMatchingAgent':
      return `No machine in ${place} has what this offering needs.${elsewhere(placement)} ${FREE}`;
    case 'AwaitingFallback':
    case 'NoCapacity':
      return `No machine with ${showAll(wanted)} is free in ${place} right now.${elsewhere(placement)} ${FREE}`;
    case 'NoEligibleAgent':
      return `No machine with ${showAll(wanted)} is free in ${place} right now.${apart}${elsewhere(placement)} ${FREE}`;
  }
}

function elsewhere(placement: Placement): string {
  const opens = opensLater(placement);
  return opens.length === 0
    ? ''
    : ` Next attempt elsewhere at ${showInstant(Math.min(...opens), placement)}.`;
}

/** Fallbacks that open in time for it. */
const opensLater = ({ passedOver, untilMs }: Placement): readonly number[] =>
  passedOver.flatMap(({ because }) =>
    because.reason === 'FallbackLater' && !isTooLate(because, { untilMs }) ? [because.opensAtMs] : [],
  );

/** The pause after it lasts until the contract ends. */
const isLastTry = ({ notBeforeMs = 0, untilMs }: Placement): boolean => notBeforeMs >= untilMs;
