/** One line a step, what a slow one shows, and nothing but words where there is no terminal. */
import { expect, test } from 'vitest';
import { fakeClock } from '../lib/fake-clock.ts';
import type { Environment } from './context.ts';
import { Failure } from './failure.ts';
import { createProgress, describeFailure, type Step } from './progress.ts';

function setUp(isTTY: boolean, env: Environment = {}) {
  const clock = fakeClock();
  let written = '';
  const write = (text: string): void => {
    written += text;
  };
  const output = { isTTY, columns: 60, write };
  return { clock, progress: createProgress({ output, env, clock }), written: () => written };
}

/** A step of `ms` that says `what` while it runs. */
const lasting =
  (clock: ReturnType<typeof fakeClock>, ms: number, what = '') =>
  async (step: Step): Promise<void> => {
    if (what) step.report(what);
    await clock.sleep(ms);
  };

test('a finished step is a line with its time and its detail', async () => {
  const { clock, progress, written } = setUp(false);
  const done = progress.step('facade', async (step) => {
    await lasting(clock, 400)(step);
    step.detail('http://127.0.0.1:8080/docs');
  });
  await clock.advance(400);
  await done;
  expect(written()).toBe(`${'facade'.padEnd(36)}   0.4 s   http://127.0.0.1:8080/docs\n`);
});

test('a slow step says what it does and for how long', async () => {
  const { clock, progress, written } = setUp(false);
  const done = progress.step('control plane', lasting(clock, 13_000, 'building etcd'));
  await clock.advance(1_900);
  expect(written()).toBe('');
  await clock.advance(11_100);
  await done;
  expect(written().split('\n').slice(0, 2)).toEqual([
    'control plane  building etcd  2.0 s',
    'control plane  building etcd  12.0 s',
  ]);
});

test('on a terminal the line is drawn again in place, and fits', async () => {
  const { clock, progress, written } = setUp(true, { NO_COLOR: '1' });
  const done = progress.step('control plane', lasting(clock, 2_150, 'x'.repeat(100)));
  await clock.advance(2_150);
  await done;
  const lines = written().split('\r\u001b[K').filter(Boolean);
  expect(lines).toHaveLength(3);
  expect(lines[0]).toMatch(/^⠋ control plane {2}x+…$/);
  expect(lines[0]?.length).toBeLessThan(60);
  expect(lines[2]).toBe(`✓ ${'control plane'.padEnd(36)}   2.1 s\n`);
});

const looks: { name: string; isTTY: boolean; env: Environment; want: string }[] = [
  { name: 'a terminal has both', isTTY: true, env: {}, want: '\u001b[32m✓\u001b[0m a' },
  { name: 'NO_COLOR takes the colours', isTTY: true, env: { NO_COLOR: '1' }, want: '✓ a' },
  { name: 'a dumb terminal has words', isTTY: true, env: { TERM: 'dumb' }, want: 'a' },
  { name: 'a file has words', isTTY: false, env: {}, want: 'a' },
];
for (const { name, isTTY, env, want } of looks)
  test(`symbols and colours: ${name}`, async () => {
    const { progress, written } = setUp(isTTY, env);
    await progress.step('a', async () => {});
    expect(
      written()
        .trimEnd()
        .replace(/ +0\.0 s$/, ''),
    ).toBe(want);
  });

test('a failed step is named, and its error goes on to whoever called', async () => {
  const { progress, written } = setUp(false);
  const failure = new Failure('PortTaken', 'port 1 is taken', { next: 'Stop it.' });
  await expect(progress.step('facade', () => Promise.reject(failure))).rejects.toBe(failure);
  expect(written()).toMatch(/^facade failed +0\.0 s\n$/);
  expect(describeFailure({ symbols: false, colours: false, width: 80 }, failure)).toBe(
    '  why: port 1 is taken\n  what to do: Stop it.',
  );
});

test('steps may overlap', async () => {
  const { clock, progress, written } = setUp(false);
  const both = Promise.all([
    progress.step('slow', lasting(clock, 200)),
    progress.step('quick', lasting(clock, 100)),
  ]);
  await clock.advance(200);
  await both;
  expect(written()).toMatch(/^quick +0\.1 s\nslow +0\.2 s\n$/);
});
