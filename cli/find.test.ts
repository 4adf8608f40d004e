import { expect, test } from 'vitest';
import { readEvents, type ServerSentEvent } from './client/server-sent-events.ts';
import { matchContract } from './find-contract.ts';
import { parseSshPublicKey } from './ssh/public-key.ts';

const contracts = [
  { contractId: 'aaaa1111'.repeat(4), name: 'web-k3x9', displayName: 'web' },
  { contractId: 'aaaa2222'.repeat(4), name: 'web-p0wd', displayName: null },
  { contractId: 'bbbb3333'.repeat(4), name: 'aaaa', displayName: null },
];

test.each([
  ['aaaa1', 0],
  ['AAAA2222', 1],
  ['bbbb3333-bbbb', 2],
  ['web', 0],
  ['web-p', 1],
  ['aaaa', 2], // an exact name wins over the beginning of two ids
])('%s is contract %i', (typed, index) => expect(matchContract(contracts, typed)).toBe(contracts[index]));

test('what fits two is refused with both, what fits none with where to look', () => {
  expect(() => matchContract(contracts, 'web-')).toThrow(
    '2 contracts begin with "web-": aaaa1111 (web-k3x9), aaaa2222 (web-p0wd)',
  );
  expect(() => matchContract(contracts, 'zz')).toThrow('none of your contracts');
  expect(() => matchContract(contracts, '')).toThrow('none of your contracts');
});

const LINE = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5 me@host';
test('an SSH public key is the one line of its file', () => {
  expect(parseSshPublicKey(`# mine\n\n${LINE}\r\n`, 'f')).toBe(LINE);
  expect(() => parseSshPublicKey(`${LINE}\n${LINE}`, 'f')).toThrow('f holds 2 lines');
  expect(() => parseSshPublicKey('hello', 'f')).toThrow('f is no SSH public key');
  expect(() => parseSshPublicKey('-----BEGIN OPENSSH PRIVATE KEY-----', 'f')).toThrow(
    'private key; it stays with you',
  );
});

test('events are read however the bytes are cut, comments left out', async () => {
  const text = ': hi\n\nid: 7\r\nevent: step\r\ndata: {"a":\r\ndata: "ü"}\r\n\r\ndata:x\n\n';
  const bytes = Buffer.from(text);
  for (const size of [1, 2, 3, 7, 1000]) {
    const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, n) =>
      bytes.subarray(n * size, (n + 1) * size),
    );
    const events: ServerSentEvent[] = [];
    for await (const event of readEvents(inPieces(chunks))) events.push(event);
    expect(events).toEqual([
      { event: 'step', data: '{"a":\n"ü"}', id: '7' },
      { event: 'message', data: 'x', id: undefined },
    ]);
  }
});

async function* inPieces<T>(pieces: readonly T[]): AsyncGenerator<T> {
  yield* pieces;
}
