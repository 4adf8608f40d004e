import { expect, test } from 'vitest';
import { aClaimant, aContract, aHolder, aLock } from './builders.ts';
import { reportProvisioned } from './report.ts';
import { sshKeysSHA256 } from './ssh-keys.ts';

const provisioning = aContract('Provisioning', {
  epoch: 1,
  lock: aLock(1, { epoch: 1 }),
  holders: [aHolder(1, 1)],
});

test('who has a session was given the keys that are listed, unless it says which', () => {
  const keys = sshKeysSHA256(provisioning.spec.sshPublicKeys);
  for (const [session, said, known] of [
    ['s', undefined, keys],
    ['s', 'ab'.repeat(32), 'ab'.repeat(32)],
    [undefined, undefined, undefined],
  ] as const) {
    const verdict = reportProvisioned(provisioning, {
      agent: { ...aClaimant(1), session },
      epoch: 1,
      details: { externalId: 'dc-1', sshPort: 22 },
      sshKeysSHA256: said,
      now: new Date(0),
    });
    expect(verdict.outcome === 'Write' && verdict.status.applied?.sshKeysSHA256).toBe(known);
  }
});
