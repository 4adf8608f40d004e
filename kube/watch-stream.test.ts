import fc from 'fast-check';
import { expect, test } from 'vitest';
import { jsonLines } from './watch-stream.ts';

async function* inChunks(bytes: Buffer, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  let at = 0;
  for (let turn = 0; at < bytes.length; turn++) {
    const size = Math.max(1, sizes[turn % Math.max(1, sizes.length)] ?? 7);
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

async function collect(lines: AsyncIterable<unknown>): Promise<unknown[]> {
  const values: unknown[] = [];
  for await (const value of lines) values.push(value);
  return values;
}

test('chunks may end anywhere, also inside a character', () =>
  fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ text: fc.string({ unit: 'grapheme' }) }), { maxLength: 20 }),
      fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 5 }),
      async (values, sizes) => {
        const bytes = Buffer.from(values.map((value) => `${JSON.stringify(value)}\n`).join(''));
        expect(await collect(jsonLines(inChunks(bytes, sizes), 'test'))).toEqual(values);
      },
    ),
  ));

test('a line that is cut off is a lost connection, because the event will come again', async () => {
  const bytes = Buffer.from('{"a":1}\n{"a":');
  const seen: unknown[] = [];
  const read = async (): Promise<void> => {
    for await (const value of jsonLines(inChunks(bytes, [5]), 'test')) seen.push(value);
  };
  await expect(read()).rejects.toMatchObject({ reason: 'ConnectionLost' });
  expect(seen).toEqual([{ a: 1 }]);
});

test('a whole line that is not JSON is malformed', async () => {
  await expect(collect(jsonLines(inChunks(Buffer.from('<html>\n'), [3]), 'test'))).rejects.toMatchObject({
    reason: 'Malformed',
    message: expect.stringContaining('<html>'),
  });
});

test('a long line in many small chunks costs time in proportion to its length', async () => {
  const timeOf = async (length: number): Promise<number> => {
    const bytes = Buffer.from(`${JSON.stringify({ text: 'x'.repeat(length) })}\n`);
    const startedMs = performance.now();
    await collect(jsonLines(inChunks(bytes, [64]), 'test'));
    return performance.now() - startedMs;
  };
  await timeOf(200_000); // warm
  const [short, long] = [await timeOf(200_000), await timeOf(3_200_000)];
  expect(long / short).toBeLessThan(16 * 6); // quadratic: 256
});
