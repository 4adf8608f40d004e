/**
 * What of a heartbeat lasts: version, type, size, features and health of the host. Figures that always move (free memory,
 * free disk) are none of it, nor is a disk that reports a little more or less from time to time. Pure.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Agent } from '../../crds/agent.ts';
import { PROVISIONER_TYPES, word } from '../../crds/fields.ts';
import { numberOf } from '../../crds/placement/amounts.ts';
import type { HeartbeatRequest } from '../../crds/wire/heartbeat.ts';

type Status = NonNullable<Agent['status']>;
type Size = NonNullable<Status['resources']>;
type HostFacts = Pick<
  Status,
  'version' | 'provisionerType' | 'resources' | 'capabilities' | 'storageClasses'
>;

/** A size that moves by less is the same: 1 %. */
const TOLERANCE = 0.01;
const WORDS_MAX = 64;

/** The next status; undefined: there is nothing new. What is left out of a heartbeat stays as it was said last; health is all that is well. */
export function hostStatus(status: Status | undefined, said: HeartbeatRequest): Status | undefined {
  const known = status ?? {};
  const facts = factsOf(said);
  // Another version may say less than the one before: what it leaves out is not known any more.
  const kept = known.version === said.version ? known : withoutHost(known);
  const resources = facts.resources && steady(kept.resources, facts.resources);
  const { unhealthy: _before, ...rest } = kept;
  const next = {
    ...{ ...rest, ...facts },
    ...(resources ? { resources } : {}),
    ...(said.unhealthy ? { unhealthy: said.unhealthy } : {}),
  };
  return isDeepStrictEqual(next, known) ? undefined : next;
}

/** The same is wrong with it in other words, which may be others each time. */
export const isWordsOnly = (before: Status | undefined, next: Status): boolean => {
  const { unhealthy } = next;
  return (
    unhealthy !== undefined &&
    unhealthy.reason === before?.unhealthy?.reason &&
    isDeepStrictEqual({ ...next, unhealthy: before.unhealthy }, before)
  );
};

/** A host that was known before, of the same version, has another size or health: nothing that is in a hurry. */
export const mayWait = (before: Status | undefined, next: Status): boolean =>
  before?.version === next.version &&
  before?.provisionerType === next.provisionerType &&
  (before?.resources !== undefined || next.resources === undefined);

function withoutHost({ resources, capabilities, storageClasses, ...rest }: Status): Status {
  return rest;
}

function factsOf({ version, provisionerType, resources, capabilities }: HeartbeatRequest): HostFacts {
  const type = PROVISIONER_TYPES.find((known) => known === provisionerType.toLowerCase());
  const pools = resources?.storagePools;
  const size: Size = {
    ...quantity('cpu', resources?.cpuThreads ?? resources?.cpuCores, ''),
    ...quantity('memory', resources?.memoryTotalMb, 'Mi'),
    ...quantity(
      'storage',
      pools?.reduce((sum, { totalGb }) => sum + totalGb, 0),
      'Gi',
    ),
    ...number('gpu', resources?.gpus ?? resources?.gpuDevices?.length),
    ...number('instances', resources?.instances),
  };
  const kinds = [
    ...(resources?.storageClasses ?? []),
    ...(pools?.flatMap(({ storageType }) => storageType ?? []) ?? []),
  ];
  return {
    version,
    ...(type ? { provisionerType: type } : {}),
    ...(Object.keys(size).length > 0 ? { resources: size } : {}),
    ...(capabilities ? { capabilities: words(capabilities) } : {}),
    ...(resources?.storageClasses || pools ? { storageClasses: words(kinds) } : {}),
  };
}

const quantity = (name: 'cpu' | 'memory' | 'storage', amount: number | undefined, unit: string): Size =>
  amount === undefined ? {} : { [name]: `${amount}${unit}` };
const number = (name: 'gpu' | 'instances', amount: number | undefined): Size =>
  amount === undefined ? {} : { [name]: amount };

/** Sorted, each once; what is no word cannot be asked for by an offering either. */
const words = (said: readonly string[]): string[] =>
  [...new Set(said)]
    .filter((it) => word().safeParse(it).success)
    .sort()
    .slice(0, WORDS_MAX);

/** The size as it is known, as long as what is said now is hardly another. */
function steady(known: Size | undefined, said: Size): Size {
  if (!known) return said;
  const isClose = (name: 'memory' | 'storage'): boolean => {
    const [before, now] = [numberOf(known[name] ?? ''), numberOf(said[name] ?? '')];
    return before > 0 && now > 0 && Math.abs(now - before) <= before * TOLERANCE;
  };
  return {
    ...said,
    ...(isClose('memory') ? { memory: known.memory } : {}),
    ...(isClose('storage') ? { storage: known.storage } : {}),
  };
}
