/** The invariants of an agent's memory about a contract, whatever happens in whatever order. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { aGrant, anyChange, ID } from '../testing/builders.ts';
import {
  accept,
  confirmAbsent,
  delivered,
  emptyRecord,
  fail,
  isAdoptable,
  isSettled,
  order,
  settleFailure,
} from './record.ts';

test('nothing at or below what was given up is ever held, and what is given up never comes back', () =>
  fc.assert(
    fc.property(fc.array(anyChange, { maxLength: 30 }), (changes) => {
      let record = emptyRecord(ID);
      for (const change of changes) {
        const next = change(record);
        expect(next.givenUp).toBeGreaterThanOrEqual(record.givenUp);
        if (next.grant) expect(next.grant.epoch).toBeGreaterThan(next.givenUp);
        // Nobody says that an epoch failed, is to go or is gone before it was given up.
        const said = [...next.doomed, ...next.absent.map(({ epoch }) => epoch), next.failed?.epoch ?? -1];
        expect(Math.max(...said)).toBeLessThanOrEqual(next.givenUp);
        expect(new Set(next.doomed).size).toBe(next.doomed.length);
        record = next;
      }
    }),
  ));

describe('one contract', () => {
  const granted = accept(emptyRecord(ID), aGrant(2)) ?? emptyRecord(ID);

  test('refuses a grant that was given up', () => {
    expect(accept(order(granted, 2), aGrant(2))).toBeUndefined();
    expect(accept(order(granted, 2), aGrant(3))?.grant?.epoch).toBe(3);
  });

  test('an order about an older epoch leaves a newer grant alone', () => {
    const after = order(granted, 1);
    expect(after.grant?.epoch).toBe(2);
    expect(after.doomed).toEqual([1]);
  });

  test('an order that was heard before changes nothing', () => {
    const ordered = order(granted, 2);
    expect(order(ordered, 2)).toBe(ordered);
    const gone = confirmAbsent(ordered, { epoch: 2, as: 'Terminated' });
    expect(order(gone, 2)).toBe(gone);
  });

  test('adopts only what a crash or an expiry interrupted', () => {
    expect(isAdoptable(granted, { epoch: 1 })).toBe(true);
    expect(isAdoptable(granted, { epoch: 2 })).toBe(false);
    expect(isAdoptable({ ...granted, givenUp: 1 }, { epoch: 1 })).toBe(false);
    expect(isAdoptable({ ...granted, reporting: 1 }, { epoch: 1 })).toBe(false);
    expect(isAdoptable(emptyRecord(ID), { epoch: 1 })).toBe(false);
  });

  test('a failure that is answered with Destroy dooms its machine', () => {
    const failed = fail(granted, { epoch: 2, class: 'transient', message: 'm' });
    expect(settleFailure(failed, 'Destroy')).toMatchObject({ doomed: [2], givenUp: 2 });
    expect(isSettled(settleFailure(failed, 'Continue'))).toBe(true);
  });

  test('an order makes the report of its failure needless', () => {
    const failed = fail(granted, { epoch: 2, class: 'transient', message: 'm' });
    expect(order(failed, 2)).not.toHaveProperty('failed');
  });

  test('is settled only when everything was heard', () => {
    let record = order(granted, 2);
    expect(isSettled(record)).toBe(false);
    record = confirmAbsent(record, { epoch: 2, as: 'Terminated' });
    expect(isSettled(record)).toBe(false);
    expect(isSettled(delivered(record, { epoch: 2, as: 'Terminated' }))).toBe(true);
  });
});
