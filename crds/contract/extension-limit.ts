/**
 * How many hours a contract may come to: as many as its terms give, the renewed ones among them. One rule in one
 * sentence for the API, the operator, and the API server, which refuses what YAML asks beyond it. Pure.
 */

import { counted } from '../../lib/counted.ts';
import type { Contract, Ordered } from './contract.ts';

/** Why the contract cannot be rented for `durationHours`, besides what was renewed; undefined when it can. */
export function refusalOfTotal({ spec, status }: Contract, durationHours: number): string | undefined {
  const most = spec.termsSnapshot?.maxHours;
  const wanted = durationHours + (status?.renewedHours ?? 0);
  return most === undefined || wanted <= most ? undefined : sentence(counted(most, 'hour'), `${wanted}`);
}

/** How many hours may still be added to `durationHours`. Only asked where the terms have a limit. */
export const hoursLeft = ({ spec, status }: Ordered, durationHours: number): number =>
  Math.max(0, (spec.termsSnapshot?.maxHours ?? 0) - durationHours - (status?.renewedHours ?? 0));

const sentence = (most: string, wanted: string): string => `the terms allow ${most} at most, not ${wanted}`;

const RENEWED = '(has(self.status) && has(self.status.renewedHours) ? self.status.renewedHours : 0)';
const WANTED = `self.spec.durationHours + ${RENEWED}`;
const MOST = 'self.spec.termsSnapshot.maxHours';
const IS_AS_BEFORE =
  '!has(oldSelf.spec.durationHours) || !has(self.spec.durationHours) || self.spec.durationHours == oldSelf.spec.durationHours';
const HAS_NO_LIMIT = '!has(self.spec.termsSnapshot) || !has(self.spec.termsSnapshot.maxHours)';

/** Over the whole object: what was renewed is in its status. */
export const EXTENSION_CEL = {
  rule: `${IS_AS_BEFORE} || ${HAS_NO_LIMIT} || ${WANTED} <= ${MOST}`,
  messageExpression: `'${sentence('%d %s', '%d')}'.format([${MOST}, ${MOST} == 1 ? 'hour' : 'hours', ${WANTED}])`,
};
