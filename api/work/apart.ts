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

/** Throws Problem NotEligible when the agent has another one of the group; a new grant is given back before. */
export async function requireApart(deps: Deps, granted: Granted): Promise<void> {
  const { contract, claimant, epoch, isNew } = granted;
  const { antiAffinity } = contract.spec;
  if (antiAffinity?.mode !== 'Required') return;
  for (let look = 1; ; look++) {
    const others = await companionsAt(deps, granted);
    if (others.length === 0) return;
    const mayStay = look < LOOKS_OF_OLDER && others.every((other) => isOlder(contract, other));
    if (!mayStay) break;
    await deps.clock.sleep(BETWEEN_LOOKS_MS, { signal: deps.stopping });
  }
  const because = { reason: 'AntiAffinity', group: antiAffinity.group } as const;
  const message = sentenceOf(because, { nowMs: deps.clock.now().getTime() });
  // A repeated claim is only refused: its first answer may be on its way, so the lock is left to run out.
  if (isNew)
    await settleInWorld(deps, {
      cached: contract,
      granted: { agentUID: claimant.uid, epoch },
      rule: (live) => release(live, { agent: claimant, epoch, message, now: deps.clock.now() }),
    });
  throw new Problem('NotEligible', `${claimant.name} may not claim it: ${message}`, {
    next: 'Poll for other work.',
    extra: { data: { acquired: false, expiresAtNs: 0, then: 'Continue' } },
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
      fieldSelector: `spec.tenant.publicKey=${spec.tenant.publicKey}`,
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
