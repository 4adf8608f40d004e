/** One try to build, and one holder that went without confirming absence: what `status` keeps of them. */
import { z } from 'zod';
import { count, instant, name, text, uid } from '../fields.ts';

const epoch = () => count(Number.MAX_SAFE_INTEGER);

export const ATTEMPT_CLASSES = ['transient', 'permanent', 'capacity', 'configuration'] as const;
const ATTEMPT_OUTCOMES = ['Succeeded', 'Failed', 'Expired', 'Released', 'VerificationFailed'] as const;

export const Attempt = z
  .object({
    agent: name().describe('Name of the Agent.'),
    agentUID: uid().describe('UID of the Agent.'),
    epoch: epoch().describe('Epoch of the attempt.'),
    startedAt: instant().describe('When it was granted.'),
    endedAt: instant().describe('When it ended.'),
    outcome: z.enum(ATTEMPT_OUTCOMES).describe('How it ended.'),
    class: z.enum(ATTEMPT_CLASSES).optional().describe('Kind of failure.'),
    message: text(1000).optional().describe('What the agent said, for the provider.'),
  })
  .describe('One try to build.');
export type Attempt = z.infer<typeof Attempt>;

const ABANDON_WAYS = ['Debt', 'Forced'] as const;

export const Abandoned = z
  .object({
    agent: name().describe('Name of the Agent.'),
    agentUID: uid().describe('UID of the Agent.'),
    epoch: epoch().describe('Epoch that it was granted.'),
    at: instant().describe('When the entry left status.holders.'),
    how: z.enum(ABANDON_WAYS).describe('Debt: silent for too long. Forced: spec.forceRelease.'),
    by: text(400).describe('operator, or who forced it.'),
    onBehalfOf: text(128).optional().describe('Whose request it was, where a program forced it.'),
    reason: text(500).optional().describe('Why, as the person said.'),
  })
  .describe('A holder that went without confirming that its machine is gone.');
export type Abandoned = z.infer<typeof Abandoned>;
