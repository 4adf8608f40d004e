import { describe, expect, test } from 'vitest';
import { ApiProblem, ApiUnreachable } from '../api-client.ts';
import { isFinal, judgeConfirmation, judgeRenewal, judgeReport } from './decide-answer.ts';

const refusal = (code: string, then?: 'Continue' | 'Destroy', retryable = false) => ({
  error: new ApiProblem(
    409,
    { code, retryable, detail: code, ...(then ? { data: { then } } : {}) },
    undefined,
  ),
});
const silence = { error: new ApiUnreachable('no answer') };

const cases = [
  { of: silence, renewal: 'Retry', report: 'Retry', confirmation: 'Retry' },
  { of: refusal('StaleEpoch', 'Destroy'), renewal: 'Destroy', report: 'Destroy', confirmation: 'Retry' },
  { of: refusal('StaleEpoch', 'Continue'), renewal: 'Lapse', report: 'Ignore', confirmation: 'Told' },
  { of: refusal('SessionSuperseded', 'Continue'), renewal: 'Lapse', report: 'Retry', confirmation: 'Retry' },
  { of: refusal('NotFound'), renewal: 'Lapse', report: 'Ignore', confirmation: 'Told' },
  { of: refusal('IllegalMove', 'Continue'), renewal: 'Retry', report: 'Ignore', confirmation: 'Told' },
  // An older world: nothing is destroyed for that, and the report is sent again.
  { of: refusal('Conflict', 'Continue', true), renewal: 'Retry', report: 'Retry', confirmation: 'Retry' },
  {
    of: refusal('AbsenceNotYetCertain', undefined, true),
    renewal: 'Retry',
    report: 'Retry',
    confirmation: 'Retry',
  },
  // For a person to mend; what is owed must not be lost for it.
  { of: refusal('PermissionDenied'), renewal: 'Retry', report: 'Retry', confirmation: 'Retry' },
  { of: refusal('ClockSkew'), renewal: 'Retry', report: 'Retry', confirmation: 'Retry' },
] as const;

describe('refusals and silence', () => {
  for (const { of, renewal, report, confirmation } of cases) {
    const name =
      of.error instanceof ApiProblem ? `${of.error.code} ${JSON.stringify(of.error.data)}` : 'silence';
    test(name, () => {
      expect(judgeRenewal(of)).toBe(renewal);
      expect(judgeReport(of)).toBe(report);
      expect(judgeConfirmation(of)).toBe(confirmation);
    });
  }
});

test('answers: then comes before everything else', () => {
  expect(judgeRenewal({ answer: { acquired: true, then: 'Continue' } })).toBe('Extend');
  expect(judgeRenewal({ answer: { acquired: false, then: 'Continue' } })).toBe('Lapse');
  expect(judgeRenewal({ answer: { acquired: true, then: 'Destroy' } })).toBe('Destroy');
  expect(judgeReport({ answer: { then: 'Continue' } })).toBe('Settled');
  expect(judgeReport({ answer: { then: 'Destroy' } })).toBe('Destroy');
  expect(judgeConfirmation({ answer: { confirmed: false } })).toBe('Told');
});

test('only a dead key and a newer process end the agent', () => {
  expect(isFinal(refusal('AgentRevoked').error)).toBe(true);
  expect(isFinal(refusal('SessionSuperseded').error)).toBe(true);
  expect(isFinal(refusal('DuplicateAgent').error)).toBe(false);
  expect(isFinal(silence.error)).toBe(false);
});
