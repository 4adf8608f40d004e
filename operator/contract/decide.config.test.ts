/** What becomes of a contract whose `instanceConfig` is not what its offering, or later its terms, allow. */
import { describe, expect, test } from 'vitest';
import { aContract, anOffering, at, someTerms } from '../../crds/contract/builders.ts';
import type { LiveContract } from '../../crds/contract/contract.ts';
import type { ContractStatus } from '../../crds/contract/status.ts';
import { fresh, held, instance, someFacts } from './builders.ts';
import { decide } from './decide.ts';

const instanceConfigSchema = { properties: { image: { enum: ['debian'] } }, additionalProperties: false };
const termsSnapshot = { ...someTerms(), instanceConfigSchema };
const WORDS = 'instanceConfig is not what the offering allows: /image must be one of "debian"';
const wanting = (image: string, more = {}) => ({
  spec: { termsSnapshot, instanceConfig: { image }, ...more },
});
const conditionOf = (status: ContractStatus | undefined) =>
  status?.conditions?.find(({ type }) => type === 'InstanceConfigValid');

describe('requested', () => {
  const requested = (spec: Partial<LiveContract['spec']>, facts: Parameters<typeof someFacts>[0] = {}) =>
    decide(someFacts({ contract: aContract('Requested', {}, { spec }), ...facts })).status;
  test('what does not fit is rejected, in the words of the facade', () =>
    expect(requested(wanting('windows').spec)).toMatchObject({
      phase: 'Rejected',
      reason: 'InstanceConfigInvalid',
      message: WORDS,
    }));
  test('what fits is accepted', () =>
    expect(requested(wanting('debian').spec)).toMatchObject({ phase: 'Accepted' }));
  test('the terms that were agreed count, not the offering of today', () => {
    const offering = anOffering({ instanceConfigSchema: { maxProperties: 0 } });
    expect(requested(wanting('debian').spec, { offering })).toMatchObject({ phase: 'Accepted' });
  });
  test('without terms yet, those that it would get count', () => {
    const { termsSnapshot: _none, ...spec } = { ...fresh.spec, instanceConfig: { image: 'windows' } };
    const contract = { ...aContract('Requested'), spec };
    const facts = someFacts({ contract, terms: termsSnapshot });
    expect(decide(facts).status).toMatchObject({ phase: 'Rejected', message: WORDS });
  });
  test('an offering whose schema cannot be used is waited for', () => {
    const { termsSnapshot: _none, ...spec } = fresh.spec;
    const offering = anOffering({ instanceConfigSchema: { format: 'email' } });
    const contract = { ...aContract('Requested'), spec };
    expect(decide(someFacts({ contract, offering, terms: undefined })).status).toMatchObject({
      phase: 'Requested',
      reason: 'OfferingNotReady',
      message: 'instanceConfigSchema of offering hello may not have format (at /)',
    });
  });
});

test('changed while it waits: it says why nobody builds it, until it is mended', () => {
  const contract = aContract('Accepted', {}, wanting('windows'));
  const { status } = decide(someFacts({ contract }));
  expect(status).toMatchObject({ phase: 'Accepted', reason: 'InstanceConfigInvalid', message: WORDS });
  if (!status) throw new Error('it has one');
  const mended = { ...contract, spec: { ...contract.spec, instanceConfig: { image: 'debian' } }, status };
  const after = decide(someFacts({ contract: mended }));
  expect(after.status).toMatchObject({ reason: 'AwaitingAgent' });
  expect(conditionOf(after.status)).toMatchObject({ status: 'True' });
});

test('changed while it runs: it runs on, and a condition says so', () => {
  const running = { ...held, instance, startsAt: at(0).toISOString() };
  const of = (image: string) =>
    decide(someFacts({ contract: aContract('Active', running, wanting(image)) })).status;
  expect(of('windows')?.phase).toBe('Active');
  expect(conditionOf(of('windows'))).toMatchObject({ status: 'False', message: WORDS });
  expect(conditionOf(of('debian'))).toBeUndefined();
});
