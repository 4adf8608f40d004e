/** Conditions as Kubernetes has them (`metav1.Condition`), and the one function that sets one. */
import { z } from 'zod';
import { count, instant, text } from './fields.ts';

export const Condition = z
  .object({
    type: z
      .string()
      .min(1)
      .max(64)
      .describe('What is judged, an adjective that is good when True, e.g. Ready.'),
    status: z.enum(['True', 'False', 'Unknown']).describe('True, False or Unknown.'),
    reason: z
      .string()
      .min(1)
      .max(64)
      .regex(/^[A-Za-z][A-Za-z0-9]*$/)
      .describe('Stable CamelCase word for programs.'),
    message: text(4096).describe('One sentence for people: what is, and what helps.'),
    lastTransitionTime: instant().describe('When status last changed.'),
    observedGeneration: count().optional().describe('The metadata.generation that was judged.'),
  })
  .describe('One judgement about the object.');
export type Condition = z.infer<typeof Condition>;

export const conditions = () =>
  z
    .array(Condition)
    .max(16)
    .optional()
    .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['type'] })
    .describe('Judgements about the object; Ready sums them up.');

export type ConditionInput = Readonly<{
  type: string;
  status: Condition['status'];
  reason: string;
  message: string;
  observedGeneration?: number | undefined;
}>;

/** The list with `next` in it; the transition time moves only when the status flips. Pure. */
export function withCondition(
  list: readonly Condition[] | undefined,
  { next, now }: Readonly<{ next: ConditionInput; now: Date }>,
): Condition[] {
  const old = list?.find((condition) => condition.type === next.type);
  const lastTransitionTime = old?.status === next.status ? old.lastTransitionTime : now.toISOString();
  const { observedGeneration, ...rest } = next;
  const condition: Condition = {
    ...rest,
    lastTransitionTime,
    ...(observedGeneration === undefined ? {} : { observedGeneration }),
  };
  if (!old) return [...(list ?? []), condition];
  return (list ?? []).map((entry) => (entry.type === next.type ? condition : entry));
}

export const isTrue = (list: readonly Condition[] | undefined, type: string): boolean =>
  list?.some((condition) => condition.type === type && condition.status === 'True') ?? false;
