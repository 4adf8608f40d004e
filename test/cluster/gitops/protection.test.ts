/** dcmarket.io/deletion-protection, with kubectl as an administrator: of every kind that somebody would miss. */
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { ANNOTATION, GROUP, VERSION } from '../../../crds/group.ts';
import { RESOURCES } from '../../../crds/resources.ts';
import { createKubeClient, type KubeClient } from '../../../kube/client.ts';
import type { KubeObject } from '../../../kube/object.ts';
import { generateKeyPair } from '../../../lib/signature/keys.ts';
import { inNamespace } from '../../world/cluster.ts';
import { eventually } from '../../world/eventually.ts';
import { createKubectl, type Kubectl } from '../../world/kubectl.ts';
import { resourceOf } from '../../world/market.ts';
import { EXAMPLES } from '../examples.ts';

/** A setup token goes by itself; nobody misses it. */
const PROTECTED = RESOURCES.map(({ kind }) => kind).filter((kind) => kind !== 'SetupToken');

let namespace: string;
let client: KubeClient;
let kubectl: Kubectl;
let close: () => void;
beforeAll(async () => {
  namespace = await inNamespace('protection');
  client = createKubeClient({ kubeconfig: { file: inject('kubeconfig') } });
  ({ kubectl, close } = createKubectl());
});
afterAll(async () => {
  await client.close();
  close();
});

const make = (kind: string, name: string, isProtected: boolean) => {
  const own = kind === 'Provider' ? { namespace, publicKey: generateKeyPair().publicKey } : {};
  return resourceOf<KubeObject>(client, kind).create({
    ...EXAMPLES[kind],
    metadata: {
      name,
      namespace,
      ...(isProtected ? { annotations: { [ANNOTATION.deletionProtection]: 'true' } } : {}),
    },
    spec: { ...EXAMPLES[kind]?.spec, ...own },
  } as unknown as KubeObject); // the example is one, but for what the API server fills in
};
const there = async (kind: string, name: string) =>
  (await resourceOf<KubeObject>(client, kind).get({ namespace, name })) !== undefined;

describe.each(PROTECTED)('%s', (kind) => {
  test('is not deleted while it is annotated, and is told which annotation to remove', async () => {
    const name = `${namespace}-${kind.toLowerCase()}`;
    await make(kind, name, true);
    // A policy counts a moment after it was made.
    await eventually(async () => {
      const dry = await kubectl(['delete', kind, name, '-n', namespace, '--dry-run=server']);
      expect(dry.stderr).toContain('is protected from deletion');
    });
    const { code, stderr } = await kubectl(['delete', kind, name, '-n', namespace]);
    expect(code).toBe(1);
    expect(stderr).toContain(
      `${name} is protected from deletion: remove its annotation ${ANNOTATION.deletionProtection} first`,
    );
    expect(await there(kind, name)).toBe(true);
    await kubectl(['annotate', kind, name, '-n', namespace, `${ANNOTATION.deletionProtection}-`]);
    expect((await kubectl(['delete', kind, name, '-n', namespace])).code).toBe(0);
    expect(await there(kind, name)).toBe(false);
  });
});

test('a value other than true protects nothing', async () => {
  await make('Offering', 'half', false);
  await kubectl(['annotate', 'offering', 'half', '-n', namespace, `${ANNOTATION.deletionProtection}=false`]);
  expect((await kubectl(['delete', 'offering', 'half', '-n', namespace])).code).toBe(0);
});

test('who deletes a whole collection, as the end of a namespace does, is stopped by what is protected', async () => {
  await make('Offering', 'kept', true);
  await make('Offering', 'other', false);
  const path = `/apis/${GROUP}/${VERSION}/namespaces/${namespace}/offerings`;
  await expect(client.raw({ method: 'DELETE', path })).rejects.toThrow('kept is protected from deletion');
  expect(await there('Offering', 'kept')).toBe(true);
});
