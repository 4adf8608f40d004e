/**
 * Force: a person with the right to do so ends the wait for a holder that will never confirm. The wish names
 * exactly one (agent, epoch), who wants it and why; it is never taken back, so that it stays on record. That
 * `by` is the truth and that the person may do it is checked by an admission policy (`crds/policies.ts`). What is
 * made of the wish: `forced.ts`. Source: docs/contract.md, 7.
 */
import { z } from 'zod';
import { count, text, uid } from '../fields.ts';
import type { Rule } from '../resource.ts';

export const FORCED_MAX = 16;

export const ForceRelease = z
  .object({
    agentUID: uid().describe('UID of the Agent whose entry in status.holders is meant.'),
    epoch: count(Number.MAX_SAFE_INTEGER).describe('Epoch of that entry.'),
    by: z
      .string()
      .min(1)
      .max(400)
      .describe('Your user name, as `kubectl auth whoami` prints it; another one is refused.'),
    onBehalfOf: text(128).optional().describe('Whose request it was, where a program wrote it.'),
    reason: z.string().min(1).max(500).describe('Why nobody will ever confirm it. Kept for good.'),
  })
  .describe('One entry of status.holders that is given up by force.');
export type ForceRelease = z.infer<typeof ForceRelease>;

export const forceRelease = () =>
  z
    .array(ForceRelease)
    .max(FORCED_MAX)
    .optional()
    .describe('Holders that are given up without a confirmation. Needs the verb force-release on contracts.')
    .meta({
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['agentUID', 'epoch'],
      'x-kubernetes-validations': [
        {
          rule: 'oldSelf.all(old, self.exists(entry, entry == old))',
          message: 'what was released by force stays on record',
        },
      ] satisfies Rule[],
    });

/** Also said by the facade. */
export const FORCE_RELEASE_SENTENCE =
  'only an entry of status.holders that keeps a contract from ending, or one of an earlier epoch, can be released by force';

const KNOWN = 'has(oldSelf.spec.forceRelease) && oldSelf.spec.forceRelease.exists(old, old == entry)';
const HELD =
  'has(oldSelf.status) && has(oldSelf.status.holders) && oldSelf.status.holders.exists(holder, holder.agentUID == entry.agentUID && holder.epoch == entry.epoch)';
const PAST = "(oldSelf.status.phase == 'Terminating' || entry.epoch < oldSelf.status.epoch)";

/** At the root: what may be wished depends on the status. */
export const FORCE_RELEASE_CEL: Rule = {
  rule: `!has(self.spec.forceRelease) || self.spec.forceRelease.all(entry, (${KNOWN}) || (${HELD} && ${PAST}))`,
  message: FORCE_RELEASE_SENTENCE,
};
