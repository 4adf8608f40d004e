import { describe, expect, test } from 'vitest';
import { aContract, NOON, uidOf } from '../../crds/contract/builders.ts';
import type { Contract } from '../../crds/contract/contract.ts';
import type { Attempt } from '../../crds/contract/status.ts';
import type { ChangeHandler } from '../../kube/informer.ts';
import { fakeClock } from '../../lib/fake-clock.ts';
import { createLogger } from '../../lib/log.ts';
import type { AttemptRecord } from '../../store/attempts.ts';
import { openAttemptBook } from './attempt-book.ts';

const AGENT = uidOf(1);
const attempt = (epoch: number, minute: number, change: Partial<Attempt> = {}): Attempt => {
  const endedAt = new Date(NOON.getTime() + minute * 60_000).toISOString();
  const grant = { agent: 'agent-1', agentUID: AGENT, epoch };
  return { ...grant, startedAt: endedAt, endedAt, outcome: 'Failed', ...change };
};
const contract = (n: number, attempts: Attempt[]): Contract =>
  aContract('Accepted', { attempts }, { metadata: { uid: uidOf(100 + n) } });
const DAY_MS = 24 * 3_600_000;

function open(rows: () => AttemptRecord[] = () => []) {
  const clock = fakeClock(NOON.toISOString());
  let handler: ChangeHandler<Contract> = () => {};
  const book = openAttemptBook({
    contracts: {
      onChange: (given) => {
        handler = given;
        return () => {};
      },
    },
    attempts: { endedSince: async () => rows() },
    clock,
    log: createLogger({ name: 'test', level: 'silent' }),
  });
  const put = (object: Contract): void => handler({ type: 'Added', object, isInitialList: false });
  const remove = (object: Contract): void => handler({ type: 'Deleted', object, isWatched: true });
  return { clock, book, put, remove };
}

describe('what an agent tried', () => {
  test('is there once, however often it is told', () => {
    const { book, put } = open();
    for (let n = 0; n < 3; n++) put(contract(1, [attempt(1, -5), attempt(2, -4, { outcome: 'Succeeded' })]));
    expect(book.rate(AGENT)).toMatchObject({ succeeded: 1, failed: 1 });
    expect(book.rate(uidOf(2))).toMatchObject({ succeeded: 0, failed: 0 });
  });
  test('is what was said of it last: an expired try that still succeeded, whichever comes first', () => {
    const expired = contract(1, [attempt(1, -5, { outcome: 'Expired' })]);
    const succeeded = contract(1, [attempt(1, -4, { outcome: 'Succeeded' })]);
    for (const told of [
      [expired, succeeded],
      [succeeded, expired],
    ]) {
      const { book, put } = open();
      for (const each of told) put(each);
      expect(book.rate(AGENT)).toMatchObject({ succeeded: 1, failed: 0 });
    }
  });
  test('happened, though its contract is gone', () => {
    const { book, put, remove } = open();
    put(contract(1, [attempt(1, -5)]));
    remove(contract(1, [attempt(1, -5)]));
    expect(book.rate(AGENT).failed).toBe(1);
  });
  test('is forgotten after a day, and it says when', async () => {
    const { clock, book, put } = open();
    put(contract(1, [attempt(1, -60), attempt(2, -30)]));
    expect(book.rate(AGENT)).toEqual({
      succeeded: 0,
      failed: 2,
      untilMs: NOON.getTime() + DAY_MS - 3_600_000,
    });
    await clock.advance(DAY_MS - 3_600_000);
    expect(book.rate(AGENT).failed).toBe(1);
    await clock.advance(DAY_MS);
    expect(book.of(AGENT)).toEqual([]);
    expect(book.rate(AGENT)).toEqual({ succeeded: 0, failed: 0, untilMs: undefined });
  });
  test('nothing is kept of agents that are gone, once a day has passed', async () => {
    const { clock, book, put } = open();
    const of = (n: number, minute: number) => contract(n, [attempt(1, minute, { agentUID: uidOf(n) })]);
    put(of(1, -60));
    put(of(2, -60));
    book.rate(uidOf(1));
    expect(book.agentsKept()).toBe(2);
    await clock.advance(DAY_MS);
    put(of(4, 24 * 60));
    expect(book.agentsKept()).toBe(1);
    expect(book.rate(uidOf(4)).failed).toBe(1);
  });
});

describe('PostgreSQL', () => {
  const row = (n: number, epoch: number): AttemptRecord => ({
    contractUID: uidOf(100 + n),
    attempt: attempt(epoch, -5),
  });

  test('tells of contracts that are gone; what both know counts once', async () => {
    const { book, put } = open(() => [row(1, 1), row(2, 1)]);
    put(contract(1, [attempt(1, -5)]));
    await book.load(new AbortController().signal);
    await book.opened;
    expect(book.rate(AGENT).failed).toBe(2);
  });
  test('knows the tenant of what is archived; where it does not, the word of the contract stays', async () => {
    const tenantKey = 'b'.repeat(64);
    const { book, put } = open(() => [row(1, 1), { ...row(2, 1), tenantKey }]);
    const living = contract(1, [attempt(1, -5)]);
    put(living);
    await book.load(new AbortController().signal);
    expect(book.of(AGENT).map((tried) => tried.tenantKey)).toEqual([living.spec.tenant.publicKey, tenantKey]);
  });
  test('down: figures begin without it after three seconds, and are told anew when it is back', async () => {
    let isDown = true;
    const { clock, book } = open(() => {
      if (isDown) throw new Error('down');
      return [row(1, 1)];
    });
    let late = 0;
    book.onLateLoad(() => void late++);
    const loading = book.load(new AbortController().signal);
    await clock.advance(3_000);
    await book.opened;
    expect(book.rate(AGENT).failed).toBe(0);
    isDown = false;
    await clock.advance(60_000);
    await loading;
    expect([late, book.rate(AGENT).failed]).toEqual([1, 1]);
    expect(clock.pending()).toBe(0);
  });
  test('a stop ends the wait for it', async () => {
    const stop = new AbortController();
    const { clock, book } = open(() => {
      throw new Error('down');
    });
    const loading = book.load(stop.signal);
    await clock.advance(100);
    stop.abort();
    await loading;
    await book.opened;
    expect(clock.pending()).toBe(0);
  });
});
