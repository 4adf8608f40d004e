import { expect, test } from 'vitest';
import { uidOf } from '../../crds/contract/builders.ts';
import { createProver } from './proof.ts';

const prover = createProver('ab'.repeat(32));
const stranger = createProver('cd'.repeat(32));
const grant = { contractUID: uidOf(1), agentUID: uidOf(2), epoch: 3 };

test('what was signed here is read again, and nothing else', () => {
  const heard = { generation: 2, resourceVersion: '90071992547409931' };
  const text = prover.heardOf(heard);
  expect(prover.readHeard(text)).toEqual(heard);
  expect(text).toMatch(/^[0-9]+\.[0-9]+\.[A-Za-z0-9_-]{22}$/);
  for (const forged of [
    stranger.heardOf(heard),
    text.replace(/^2/, '3'),
    text.replace('.9', '.99'),
    `${text}x`,
    'x.y.z',
    '',
    '1.2',
  ])
    expect(prover.readHeard(forged)).toBeUndefined();
});

test('a proof is of one grant only, and no word of another kind', () => {
  const proof = prover.proofOf(grant);
  expect(prover.isProof(grant, proof)).toBe(true);
  expect(prover.isProof({ ...grant, epoch: 4 }, proof)).toBe(false);
  expect(prover.isProof({ ...grant, agentUID: uidOf(3) }, proof)).toBe(false);
  expect(stranger.isProof(grant, proof)).toBe(false);
  expect(prover.isProof(grant, '')).toBe(false);
});
