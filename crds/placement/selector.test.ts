import { describe, expect, test } from 'vitest';
import type { Requirements } from '../requirements.ts';
import { matches, showCondition, unmet } from './selector.ts';

type Condition = NonNullable<Requirements['selector']>[number];
const labels = { disk: 'nvme', rack: '' };
const cases: [Condition, boolean, string][] = [
  [{ key: 'disk', operator: 'In', values: ['nvme', 'ssd'] }, true, 'disk in (nvme, ssd)'],
  [{ key: 'disk', operator: 'In', values: ['ssd'] }, false, 'disk in (ssd)'],
  [{ key: 'row', operator: 'In', values: ['a'] }, false, 'row in (a)'],
  [{ key: 'disk', operator: 'NotIn', values: ['nvme'] }, false, 'disk notin (nvme)'],
  [{ key: 'row', operator: 'NotIn', values: ['a'] }, true, 'row notin (a)'],
  [{ key: 'rack', operator: 'Exists' }, true, 'rack'],
  [{ key: 'row', operator: 'Exists' }, false, 'row'],
  [{ key: 'row', operator: 'DoesNotExist' }, true, '!row'],
  [{ key: 'rack', operator: 'DoesNotExist' }, false, '!rack'],
  [{ key: 'toString', operator: 'Exists' }, false, 'toString'],
];
describe('a condition on labels', () => {
  test.each(cases)('%j: %s', (condition, holds, shown) => {
    expect(matches(labels, condition)).toBe(holds);
    expect(showCondition(condition)).toBe(shown);
  });

  test('all must hold, and the first that does not is told', () => {
    const [first, second] = [cases[0]?.[0], cases[1]?.[0]];
    expect(
      unmet(
        labels,
        [first, second].filter((one) => one !== undefined),
      ),
    ).toBe(second);
    expect(unmet(labels, undefined)).toBeUndefined();
  });
});
