import { expect, test } from 'vitest';
import { uidOf } from '../contract/builders.ts';
import { ListedInstance } from './reconcile.ts';

test.each([
  { agentUid: undefined, want: true },
  { agentUid: uidOf(1), want: true },
  { agentUid: 'nobody', want: false },
  { agentUid: 'x'.repeat(36), want: false },
])('the tag of an agent is its UID, which a status can hold, or nothing: $agentUid', ({ agentUid, want }) => {
  expect(ListedInstance.safeParse({ externalId: 'dc-1', agentUid }).success).toBe(want);
});
