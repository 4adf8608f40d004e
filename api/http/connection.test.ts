import { EventEmitter } from 'node:events';
import type { FastifyReply } from 'fastify';
import { expect, test } from 'vitest';
import { connectionSignal } from './connection.ts';

/** As much of an answer as the signal looks at. */
const reply = (destroyed: boolean) => {
  const raw = Object.assign(new EventEmitter(), { destroyed });
  return { raw, asReply: { raw } as unknown as FastifyReply }; // nothing else of it is read
};

test('ends with the answer, and when the facade stops', () => {
  const stopping = new AbortController();
  const [one, other] = [reply(false), reply(false)];
  const [first, second] = [
    connectionSignal(one.asReply, stopping.signal),
    connectionSignal(other.asReply, stopping.signal),
  ];
  expect([first.aborted, second.aborted]).toEqual([false, false]);
  one.raw.emit('close');
  expect([first.aborted, second.aborted]).toEqual([true, false]);
  stopping.abort();
  expect(second.aborted).toBe(true);
});

test('has ended for a caller that went away before', () => {
  expect(connectionSignal(reply(true).asReply, new AbortController().signal).aborted).toBe(true);
});
