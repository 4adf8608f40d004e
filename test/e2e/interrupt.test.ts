/** `npm start` in a copy of the checkout, interrupted at every stage, and then let through to its end. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { freePort } from '../../dev/processes/ports.ts';
import { eventually } from '../world/eventually.ts';
import { openWorld, type World } from '../world/world.ts';
import { type Checkout, copyCheckout, instancesOf, leftBehind, type Script } from './checkout.ts';

/** What an interrupted program answers: 128 and the number of SIGINT. */
const INTERRUPTED = 130;
const STOP_MS = 15_000;

let world: World;
let checkout: Checkout;
let port: number;
beforeAll(async () => {
  world = await openWorld();
  checkout = await copyCheckout(join(world.folder, 'checkout'));
  port = await freePort();
});
afterAll(async () => {
  await checkout?.remove();
  await world?.close();
});

const start = (...args: string[]): Script => checkout.npm('start', ['--port', String(port), ...args]);

/** Waits for a file of `.dcmarket/`. */
async function appears(name: string): Promise<void> {
  await eventually(async () => statSync(join(checkout.paths.state, name)), { withinMs: 60_000, everyMs: 20 });
}

test.each([
  { stage: 'the servers start', reached: (script: Script) => script.prints(/control plane 1\..*\n/) },
  { stage: 'the programs start', reached: () => appears('run/operator.json') },
  { stage: 'the agents join', reached: () => appears('agents/agent-1') },
  { stage: 'it rents', reached: (script: Script) => script.prints('rented demo/hello') },
])('Ctrl-C while $stage stops all that was started', async ({ reached }) => {
  const script = start();
  await reached(script);
  script.pressCtrlC();
  const { code, output } = await script.endsWithin(STOP_MS);
  expect(output).toMatch(/ interrupted +\d/);
  expect(output).not.toMatch(/ failed +\d|why:/);
  expect({ code, left: leftBehind(checkout) }).toEqual({ code: INTERRUPTED, left: [] });
});

test('--once does it all, says how long each step took, and leaves nothing', async () => {
  const { code, output, seconds } = await start('--once').ended;
  expect({ code, left: leftBehind(checkout), output }).toMatchObject({ code: 0, left: [] });
  for (const step of [
    'control plane 1\\.\\d+\\.\\d+ \\(\\w+\\)',
    'kube-apiserver and etcd ready',
    'PostgreSQL 18',
    '7 resource types installed',
    'operator, leading',
    'facade',
    'pool, offering, 2 agents joined',
    '(rented demo/hello|demo/hello is rented since the last start)',
    'active',
    'logged in: "hello from dc-[0-9a-f]{32}"',
    'cancelled, and the instance is gone',
    'stopped',
  ])
    expect(output).toMatch(new RegExp(`^${step} +\\d+\\.\\d s`, 'm'));
  expect(await instancesOf(checkout, world)).toEqual([]);
  expect(seconds).toBeLessThan(60); // 30 on an idle machine; here others may run beside it
});
