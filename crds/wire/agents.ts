/** What a provider asks of its agents, and one agent in full: what it has, what is planned, what remains on it. */
import { z } from 'zod';
import { PHASES } from '../contract/phase.ts';
import { REMAINING_REASONS } from '../contract/remaining.ts';
import { count, instant, text } from '../fields.ts';
import { GROUP } from '../group.ts';
import { faultOfWindow, MaintenanceWindow, WINDOWS_MAX } from '../maintenance.ts';
import { AgentView } from './pools.ts';

const reason = text(200).optional().describe('Why, for whoever looks.');

export const CordonRequest = z.strictObject({ reason }).nullish();

export const DrainRequest = z
  .strictObject({
    reason,
    deadlineAt: instant()
      .optional()
      .describe(
        'From then on machines that their offering allows to build anew are moved away; without it nothing is moved.',
      ),
  })
  .nullish();

const labelKey = z
  .string()
  .max(253)
  .regex(/^([a-z0-9.-]+\/)?[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$/);
const labelValue = z
  .string()
  .max(63)
  .regex(/^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$/);
const isOurs = (key: string): boolean => {
  const [prefix = '', rest] = key.split('/');
  return rest !== undefined && (prefix === GROUP || prefix.endsWith(`.${GROUP}`));
};

/** The labels of an agent that people gave it: offerings choose agents by them. */
export const labelsOfPeople = (labels: Readonly<Record<string, string>> = {}): Record<string, string> =>
  Object.fromEntries(Object.entries(labels).filter(([key]) => !isOurs(key)));

export const LabelRequest = z.strictObject({
  labels: z
    .record(labelKey, labelValue.nullable())
    .refine((labels) => !Object.keys(labels).some(isOurs), `labels under ${GROUP}/ are not for people`)
    .refine((labels) => Object.keys(labels).length <= 32, 'at most 32 labels at a time')
    .describe('Labels to set; null takes one away, and what is left out stays.'),
});
export type LabelRequest = z.infer<typeof LabelRequest>;

const Window = z.strictObject(MaintenanceWindow.shape).superRefine((window, context) => {
  const message = faultOfWindow(window);
  if (message) context.addIssue({ code: 'custom', path: ['endsAt'], message });
});
export const MaintenanceRequest = z.strictObject({
  windows: z.array(Window).max(WINDOWS_MAX).describe('All of them, in place of those that there were.'),
});

export const RemainingView = z.object({
  contractId: z.string().describe('Which contract.'),
  name: text(253).describe('Its name.'),
  phase: z.enum(PHASES).describe('Its phase.'),
  reason: z.enum(REMAINING_REASONS).describe('Why it is still there.'),
  message: z.string().describe('The same as a sentence, with what ends it.'),
  endsAt: instant()
    .nullable()
    .describe('End of the rental; while you pause it, what it is if it goes on now.'),
});
export type RemainingView = z.infer<typeof RemainingView>;

export const AgentDetail = AgentView.extend({
  labels: z
    .record(z.string(), z.string())
    .describe('Labels of the Agent object: offerings choose by them (`requirements.selector`).'),
  cordonReason: text(200).nullable().describe('Why it gets no new work.'),
  cordonedBy: text(100).nullable().describe('Who said so.'),
  cordonedSince: instant().nullable().describe('Since when.'),
  health: z
    .object({
      healthy: z.boolean().describe('False: it gets no new work.'),
      reason: z
        .string()
        .describe('As a word: what it said is wrong with it, or BreakerOpen after a run of failures.'),
      message: z.string().describe('The same as a sentence.'),
      since: instant().describe('Since when it is well, or not.'),
    })
    .nullable()
    .describe('How its host does; null: not known yet.'),
  drainBy: instant().nullable().describe('When what can be is moved away.'),
  remaining: z
    .array(RemainingView)
    .nullable()
    .describe('What it still has, while it is being drained or after it was revoked.'),
  maintenance: z
    .array(MaintenanceWindow)
    .describe('Its own windows and those of its pool that are not over.'),
  upgrade: z
    .object({
      state: z.enum(['UpToDate', 'Planned', 'Announced', 'TooOld']).describe('TooOld: it gets no new work.'),
      toVersion: z.string().nullable().describe('Version that it should run.'),
      notBefore: instant().nullable().describe('When it is told.'),
    })
    .describe('What its pool wants of its version.'),
  resources: z
    .object({
      cpu: z.string().nullable().describe('Logical CPUs; null: not limited.'),
      memory: z.string().nullable().describe('Memory; null: not limited.'),
      storage: z.string().nullable().describe('Disk; null: not limited.'),
      gpu: count().nullable().describe('Whole GPUs.'),
      instances: count().nullable().describe('Machines at a time; null: not limited.'),
    })
    .describe('What it said that its host has.'),
  capabilities: z.array(z.string()).describe('Named features that it reported.'),
  storageClasses: z.array(z.string()).describe('Kinds of disk that it reported.'),
});
export type AgentDetail = z.infer<typeof AgentDetail>;
