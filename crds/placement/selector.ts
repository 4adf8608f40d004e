/** Whether an agent is and has what an offering asks for besides room: labels, named features, kind of disk. */
import type { Requirements } from '../requirements.ts';

type Condition = NonNullable<Requirements['selector']>[number];
type Labels = Readonly<Record<string, string>>;

/** As Kubernetes has it: NotIn also holds for an object that lacks the label. */
export function matches(labels: Labels, { key, operator, values = [] }: Condition): boolean {
  const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
  }
}

/** The first condition that does not hold; undefined when all do. */
export const unmet = (labels: Labels, selector: Requirements['selector']): Condition | undefined =>
  selector?.find((condition) => !matches(labels, condition));

/** `disk in (nvme, ssd)`, `!legacy`: as kubectl writes a selector. */
export function showCondition({ key, operator, values = [] }: Condition): string {
  switch (operator) {
    case 'In':
      return `${key} in (${values.join(', ')})`;
    case 'NotIn':
      return `${key} notin (${values.join(', ')})`;
    case 'Exists':
      return key;
    case 'DoesNotExist':
      return `!${key}`;
  }
}
