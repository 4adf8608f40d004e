/**
 * `kubectl apply --server-side` by another manager, again and again, and never with --force-conflicts: the operator
 * writes beside it what is its own, takes no field over, and the object comes to rest.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { z } from 'zod';
import type { Contract } from '../../../crds/contract/contract.ts';
import { FINALIZER, IN_USE_FINALIZER } from '../../../crds/group.ts';
import { systemClock } from '../../../lib/clock.ts';
import { generateKeyPair } from '../../../lib/signature/keys.ts';
import { eventually } from '../../world/eventually.ts';
import { EXAMPLES } from '../examples.ts';
import { openStage, type Stage } from './stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await openStage('apply');
});
afterAll(() => stage.close());

const Live = z.object({
  metadata: z.object({
    generation: z.number(),
    resourceVersion: z.string(),
    finalizers: z.array(z.string()).optional(),
    managedFields: z
      .array(
        z.object({
          manager: z.string(),
          operation: z.string(),
          subresource: z.string().optional(),
          fieldsV1: z.unknown(),
        }),
      )
      .optional(),
  }),
  spec: z.record(z.string(), z.unknown()),
  status: z.record(z.string(), z.unknown()).optional(),
});
type Manifest = Readonly<{ kind: string; metadata: object; spec: object }>;

const manifest = (kind: string, name: string, spec: object = {}): Manifest => {
  const { apiVersion, spec: base = {} } = EXAMPLES[kind] ?? {};
  const metadata = kind === 'Provider' ? { name } : { name, namespace: stage.namespace };
  return { ...{ apiVersion }, kind, metadata, spec: { ...base, ...spec } };
};

/** As a GitOps tool does; a conflict is an error here. */
async function apply(object: Manifest, manager = 'kustomize-controller'): Promise<void> {
  const args = ['apply', '--server-side', `--field-manager=${manager}`, '-f', '-'];
  const { code, stderr } = await stage.kubectl(args, { input: stringify(object) });
  if (code !== 0) throw new Error(stderr);
}

async function read(kind: string, name: string): Promise<z.infer<typeof Live>> {
  const args = ['get', kind, name, '-n', stage.namespace, '-o', 'yaml', '--show-managed-fields'];
  return Live.parse(parse((await stage.kubectl(args)).stdout));
}

/** Until nothing was written for a while. */
async function settled(kind: string, name: string): Promise<z.infer<typeof Live>> {
  for (;;) {
    const before = await read(kind, name);
    await systemClock.sleep(500);
    const after = await read(kind, name);
    if (after.status && before.metadata.resourceVersion === after.metadata.resourceVersion) return after;
  }
}

describe('applied five times over', () => {
  const cases: readonly (readonly [string, string, string | undefined])[] = [
    ['Provider', IN_USE_FINALIZER, undefined],
    ['AgentPool', IN_USE_FINALIZER, undefined],
    ['Offering', IN_USE_FINALIZER, undefined],
    ['Agent', '', undefined],
    ['Contract', FINALIZER, 'Accepted'],
  ];
  test.each(cases)('%s: no conflict, no new generation, nothing written', async (kind, finalizer, phase) => {
    const name = kind === 'Provider' ? stage.namespace : `${kind.toLowerCase()}-1`;
    const spec = {
      Provider: { publicKey: generateKeyPair().publicKey, namespace: stage.namespace },
      Agent: { poolName: 'agentpool-1' },
      Contract: { offering: { name: 'offering-1' }, durationHours: 48, powerState: 'Running' },
    }[kind];
    const wanted = manifest(kind, name, spec);
    await apply(wanted);
    const before = await settled(kind, name);
    expect(before.metadata.finalizers ?? []).toEqual(finalizer ? [finalizer] : []);
    if (phase) expect(before.status).toMatchObject({ phase });
    for (let n = 0; n < 5; n++) await apply(wanted);
    const after = await settled(kind, name);
    expect(after.metadata.generation).toBe(before.metadata.generation);
    expect(after.metadata.finalizers).toEqual(before.metadata.finalizers);
    expect(after.status).toEqual(before.status);
    expect(after.spec).toMatchObject(wanted.spec);
    const owner = after.metadata.managedFields?.find(({ operation }) => operation === 'Apply');
    expect(owner?.manager).toBe('kustomize-controller');
    // Nobody but who applied it owns a field that was applied.
    const others = after.metadata.managedFields?.filter(
      ({ operation, subresource }) => operation !== 'Apply' && !subresource,
    );
    for (const field of Object.keys(wanted.spec)) expect(JSON.stringify(others)).not.toContain(`f:${field}"`);
  });
});

test('a contract: what is changed in Git is changed, what is taken out goes, and the operator keeps its own', async () => {
  const spec = { offering: { name: 'offering-1' }, durationHours: 24, powerState: 'Stopped' };
  const autoRenew = { hours: 24, maxHours: 96 };
  await apply(manifest('Contract', 'changed', { ...spec, autoRenew }));
  const accepted = await settled('Contract', 'changed');
  expect(accepted.status).toMatchObject({ phase: 'Accepted' });
  await apply(
    manifest('Contract', 'changed', { ...spec, durationHours: 48, powerState: 'Running', autoRenew }),
  );
  await apply(manifest('Contract', 'changed', { ...spec, durationHours: 48, powerState: 'Running' }));
  const after = await settled('Contract', 'changed');
  expect(after.spec).toMatchObject({ durationHours: 48, powerState: 'Running' });
  expect(after.spec).not.toHaveProperty('autoRenew');
  expect(after.spec).toHaveProperty('termsSnapshot.region', 'europe');
  expect(after.metadata.finalizers).toEqual([FINALIZER]);
  expect(after.status).toMatchObject({ observedGeneration: after.metadata.generation });
});

test('a contract that does not say how long keeps what the offering said', async () => {
  await apply(manifest('Contract', 'unsaid', { offering: { name: 'offering-1' } }));
  const accepted = await settled('Contract', 'unsaid');
  expect(accepted.spec).toMatchObject({ durationHours: 720 });
  await apply(manifest('Contract', 'unsaid', { offering: { name: 'offering-1' } }));
  expect((await settled('Contract', 'unsaid')).metadata.generation).toBe(accepted.metadata.generation);
});

test('who changes by hand what Git says is told of the conflict by the API server, in either direction', async () => {
  const spec = { offering: { name: 'offering-1' }, durationHours: 24 };
  await apply(manifest('Contract', 'contested', spec));
  await settled('Contract', 'contested');
  await stage.kubectl([
    'patch',
    'contract',
    'contested',
    '-n',
    stage.namespace,
    '--type=merge',
    '-p',
    '{"spec":{"durationHours":30}}',
  ]);
  await expect(apply(manifest('Contract', 'contested', spec))).rejects.toThrow(
    /conflict with "kubectl-patch".*durationHours/s,
  );
  await apply(manifest('Contract', 'contested', { ...spec, durationHours: 30 }));
});

test('status is written while Git applies: every apply is taken', async () => {
  await apply(manifest('Contract', 'busy', { offering: { name: 'offering-1' } }));
  const contracts = stage.clients.contracts;
  const ref = { namespace: stage.namespace, name: 'busy' };
  await eventually(async () =>
    expect((await contracts.get(ref))?.status).toMatchObject({ phase: 'Accepted' }),
  );
  for (let n = 0; n < 20; n++) {
    const live = (await contracts.get(ref)) as Contract;
    await Promise.all([
      contracts
        .updateStatus({ ...live, status: { ...live.status, message: `figure ${n}` } } as Contract)
        .catch(() => undefined),
      apply(
        manifest('Contract', 'busy', {
          offering: { name: 'offering-1' },
          autoRenew: { hours: n + 1, maxHours: 960 },
        }),
      ),
    ]);
  }
  expect((await settled('Contract', 'busy')).spec).toMatchObject({ autoRenew: { hours: 20 } });
});
