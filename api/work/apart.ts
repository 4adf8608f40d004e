/**
 * Contracts that are to be kept apart, claimed for one agent over two facades at once: neither cache tells of the other.
 * So a grant is looked at again before its agent hears of it, in a live listing that has every grant written before.
 * Of two, the one written later sees the other, whatever the other sees: who sees one gives its grant back. When both
 * see each other the older contract waits a moment for the younger to go, so that one of them stays.
 */
import type { Contract, LiveContract } from '../../crds/contract/contract.ts';
import { release } from '../../crds/contract/release.ts';
import type { Claimant } from '../../crds/contract/verdict.ts';
import { sentenceOf } from '../../crds/placement/sentences.ts';
import { Problem } from '../../crds/problem.ts';
import type { Deps } from '../deps.ts';
import { settleInWorld } from '../restore/settle.ts';

const LOOKS_OF_OLDER = 10;
const BETWEEN_LOOKS_MS = 100;
const PAGE = 500;

type Granted = Readonly<{
  contract: LiveContract;
  claimant: Claimant;
  epoch: number;
  /** Whether this very call was granted: nobody has heard of it. Of a repeated claim somebody may have. */
  isNew: boolean;
}>;

/**
 * Throws Problem NotEligible when the agent has another one of the group, or what the listing failed with; a new grant
 * is given back before.
 */
export async function requireApart(deps: Deps, granted: Granted): Promise<void> {
  const { contract, claimant, isNew } = granted;
  const { antiAffinity } = contract.spec;
  if (antiAffinity?.mode !== 'Required') return;
  let isApart: boolean;
  try {
    isApart = await standsApart(deps, granted);
  } catch (error) {
    if (isNew) await giveBack(deps, granted, 'it could not be seen whether it stands apart');
    throw error;
  }
  if (isApart) return;
  const because = { reason: 'AntiAffinity', group: antiAffinity.group } as const;
  const message = sentenceOf(because, { nowMs: deps.clock.now().getTime() });
  // A repeated claim is only refused: its first answer may be on its way, so the lock is left to run out.
  if (isNew) await giveBack(deps, granted, message);
  throw new Problem('NotEligible', `${claimant.name} may not claim it: ${message}`, {
    next: 'Poll for other work.',
    extra: { data: { acquired: false, expiresAtNs: 0, then: 'Continue' } },
  });
}

/** Waits only for a younger one that may still be given back: one that is built already stays. */
async function standsApart(deps: Deps, granted: Granted): Promise<boolean> {
  for (let look = 1; ; look++) {
    const others = await companionsAt(deps, granted);
    if (others.length === 0) return true;
    const mayGo = (other: Contract): boolean =>
      other.status?.phase === 'Provisioning' && isOlder(granted.contract, other);
    if (look >= LOOKS_OF_OLDER || !others.every(mayGo)) return false;
    await deps.clock.sleep(BETWEEN_LOOKS_MS, { signal: deps.stopping });
  }
}

async function giveBack(deps: Deps, { contract, claimant, epoch }: Granted, message: string): Promise<void> {
  await settleInWorld(deps, {
    cached: contract,
    granted: { agentUID: claimant.uid, epoch },
    rule: (live) => release(live, { agent: claimant, epoch, message, now: deps.clock.now() }),
  });
}

/** Others of the group that the agent may have a machine of, as the API server has them now. */
async function companionsAt(deps: Deps, { contract, claimant }: Granted): Promise<Contract[]> {
  const { metadata, spec } = contract;
  const { namespace = '' } = metadata;
  const found: Contract[] = [];
  let next: string | undefined;
  do {
    const page = await deps.clients.contracts.list({
      namespace,
      // Whom the last grant went to: of earlier ones the cache has heard.
      fieldSelector: `spec.tenant.publicKey=${spec.tenant.publicKey},status.agent=${claimant.name}`,
      limit: PAGE,
      continue: next,
    });
    for (const other of page.items)
      if (
        other.metadata.uid !== metadata.uid &&
        other.spec.antiAffinity?.group === spec.antiAffinity?.group &&
        other.status?.holders?.some(({ agentUID }) => agentUID === claimant.uid)
      )
        found.push(other);
    next = page.continue;
  } while (next !== undefined);
  return found;
}

/** By birth, then by UID: the same answer for both, wherever it is asked. */
function isOlder(a: Contract, b: Contract): boolean {
  const born = ({ metadata }: Contract): string =>
    `${metadata.creationTimestamp ?? ''}/${metadata.uid ?? ''}`;
  return born(a) < born(b);
}
