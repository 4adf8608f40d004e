import { expect, test } from 'vitest';
import { SESSION_ANNOTATIONS } from '../../crds/agent-session.ts';
import { at, NOON } from '../../crds/contract/builders.ts';
import type { Lease } from '../clients.ts';
import { presenceOf } from './presence.ts';

const lease = (annotations: Record<string, string> = {}): Lease => ({
  apiVersion: 'coordination.k8s.io/v1',
  kind: 'Lease',
  metadata: { name: 'node-1', annotations },
  spec: { holderIdentity: 's', leaseDurationSeconds: 45, renewTime: NOON.toISOString() },
});
const seen = (seconds: number, of: Lease | undefined = lease(), heardMs?: number): string =>
  presenceOf(of, { nowMs: at(seconds).getTime(), heardMs }).presence;

test('an agent is there while its Lease is young, and says until when', () => {
  expect([seen(0), seen(44.9), seen(45)]).toEqual(['Online', 'Online', 'Offline']);
  expect(presenceOf(lease(), { nowMs: at(10).getTime() }).untilMs).toBe(at(45).getTime());
});

test('one that said goodbye is not there, one whose key two use is neither', () => {
  expect(seen(1, lease({ [SESSION_ANNOTATIONS.left]: 'true' }))).toBe('Offline');
  expect(seen(1, lease({ [SESSION_ANNOTATIONS.duplicateSince]: NOON.toISOString() }))).toBe('Duplicate');
});

test('who asks is there, although its heartbeat is not seen yet: for two seconds', () => {
  expect(presenceOf(undefined, { nowMs: at(0).getTime() }).presence).toBe('Offline');
  const heardMs = at(0).getTime();
  const until = (ms: number) => presenceOf(undefined, { nowMs: heardMs + ms, heardMs }).presence;
  expect([until(0), until(1999), until(2000)]).toEqual(['Online', 'Online', 'Offline']);
});
