/**
 * The samples, and a setup token beside them, applied in random orders: however they come, everything is Ready and
 * the contract is accepted on the same terms. Deleted in random orders too: nothing stays.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseAllDocuments, stringify } from 'yaml';
import { z } from 'zod';
import { generateKeyPair } from '../../../lib/signature/keys.ts';
import { eventually } from '../../world/eventually.ts';
import { EXAMPLES } from '../examples.ts';
import { openStage, type Stage } from './stage.ts';

const ROUNDS = 6;
const SEED = Number(process.env['TEST_SEED'] ?? Date.now() % 1_000_000);
const ROOT = join(import.meta.dirname, '../../..');
const SAMPLES = [
  'config/samples/provider.yaml',
  'config/samples/agentpool.yaml',
  'config/samples/offering.yaml',
  'gitops/samples/recipe.yaml',
  'gitops/samples/offering.yaml',
  'gitops/samples/contract.yaml',
];

const Manifest = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.looseObject({ name: z.string(), namespace: z.string().optional() }),
  spec: z.looseObject({}).optional(),
});
type Manifest = z.infer<typeof Manifest>;

let stage: Stage;
beforeAll(async () => {
  stage = await openStage('order');
});
afterAll(() => stage.close());

/** Everything but the namespace, moved to that of the test. */
function samples(): Manifest[] {
  const documents = SAMPLES.flatMap((file) => parseAllDocuments(readFileSync(join(ROOT, file), 'utf8')));
  const token = { ...EXAMPLES['SetupToken'], metadata: { name: 'join-1', namespace: 'demo' } };
  return [...documents.map((document) => document.toJS()), token]
    .map((object) => Manifest.parse(object))
    .filter(({ kind }) => kind !== 'Namespace')
    .map((object) => {
      if (object.kind !== 'Provider')
        return { ...object, metadata: { ...object.metadata, namespace: stage.namespace } };
      const own = { namespace: stage.namespace, publicKey: generateKeyPair().publicKey };
      return { ...object, metadata: { name: stage.namespace }, spec: { ...object.spec, ...own } };
    });
}

async function kubectl(args: readonly string[], object: Manifest): Promise<void> {
  const { code, stderr } = await stage.kubectl([...args, '-f', '-'], { input: stringify(object) });
  if (code !== 0) throw new Error(`${args.join(' ')} ${object.kind}: ${stderr}`);
}

async function ready(kind: string, name: string, reasons: readonly string[]): Promise<void> {
  const { stdout } = await stage.kubectl(['get', kind, name, '-n', stage.namespace, '-o', 'json']);
  const found = JSON.parse(stdout);
  const condition = found.status?.conditions?.find(({ type }: { type: string }) => type === 'Ready');
  expect(reasons, `${kind} ${name}: ${JSON.stringify(condition)}`).toContain(condition?.reason);
  expect(found.status.observedGeneration).toBe(found.metadata.generation);
}

async function expectConverged(): Promise<void> {
  await ready('provider', stage.namespace, ['Ready']);
  await ready('agentpool', 'europe-script', ['NoAgents']); // until one joins, which no YAML can do
  await ready('offering', 'hello', ['PoolResolved']);
  await ready('offering', 'hello-greeting', ['PoolResolved']);
  const contract = await stage.clients.contracts.get({ namespace: stage.namespace, name: 'web-1' });
  expect(contract?.status, JSON.stringify(contract?.status?.message)).toMatchObject({ phase: 'Accepted' });
  expect(contract?.spec.termsSnapshot).toMatchObject({
    region: 'europe',
    recipe: { name: 'greeting', revision: 1 },
    maxHours: 720,
  });
}

async function expectGone(all: readonly Manifest[]): Promise<void> {
  const left = await Promise.all(
    all.map(async ({ kind, metadata }) => {
      const args = ['get', kind, metadata.name, '-n', stage.namespace, '--ignore-not-found', '-o', 'name'];
      return (await stage.kubectl(args)).stdout.trim();
    }),
  );
  expect(left.filter((name) => name !== '')).toEqual([]);
}

const orders = fc.sample(
  fc.tuple(
    fc.shuffledSubarray(
      SAMPLES.concat('token').map((_, at) => at),
      { minLength: SAMPLES.length + 1 },
    ),
    fc.shuffledSubarray(
      SAMPLES.concat('token').map((_, at) => at),
      { minLength: SAMPLES.length + 1 },
    ),
  ),
  { numRuns: ROUNDS, seed: SEED },
);

test.each(orders)(`applied in the order %j, deleted in %j (seed ${SEED})`, async (up, down) => {
  const all = samples();
  expect(all.length).toBe(up.length);
  for (const at of up) await kubectl(['apply'], all[at] as Manifest);
  await eventually(expectConverged);
  // The contract is protected, as its sample says.
  const { stderr } = await stage.kubectl(['delete', 'contract', 'web-1', '-n', stage.namespace]);
  expect(stderr).toContain('web-1 is protected from deletion');
  const protection = 'dcmarket.io/deletion-protection-';
  await stage.kubectl(['annotate', 'contract', 'web-1', '-n', stage.namespace, protection]);
  for (const at of down) await kubectl(['delete', '--wait=false'], all[at] as Manifest);
  await eventually(() => expectGone(all), { withinMs: 30_000 });
});
