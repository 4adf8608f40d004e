/** What the API server itself refuses: bad fields in words a person understands, and illegal moves. */
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import type { z } from 'zod';
import { aContract, aHolder, aLock } from '../../crds/contract/builders.ts';
import type { Contract } from '../../crds/contract/contract.ts';
import { type ContractPhase, FIRST_PHASES, isLegalMove, PHASES } from '../../crds/contract/phase.ts';
import { structuralSchema } from '../../crds/gen/schema.ts';
import { GROUP, VERSION } from '../../crds/group.ts';
import { RESOURCES } from '../../crds/resources.ts';
import { createKubeClient, type KubeClient } from '../../kube/client.ts';
import { KubeError } from '../../kube/error.ts';
import type { KubeObject } from '../../kube/object.ts';
import type { ResourceClient } from '../../kube/resource.ts';
import { mutationsOf } from '../schema/mutations.ts';
import { inNamespace } from '../world/cluster.ts';
import { EXAMPLES, type Example } from './examples.ts';
import { newContract, statusIn, walkTo, wayTo } from './phases.ts';

let client: KubeClient;
let namespace: string;
beforeAll(async () => {
  client = createKubeClient({ kubeconfig: { file: inject('kubeconfig') } });
  namespace = await inNamespace('crds');
});
afterAll(() => client.close());

const resource = <T extends KubeObject>(kind: string): ResourceClient<T> => {
  const definition = RESOURCES.find((entry) => entry.kind === kind);
  if (!definition) throw new Error(`no resource ${kind}`);
  return client.resource<T>({
    group: GROUP,
    version: VERSION,
    plural: definition.plural,
    kind,
    namespaced: definition.scope === 'Namespaced',
  });
};
const refusal = async (work: Promise<unknown>): Promise<KubeError> => {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof KubeError)) throw new Error(`expected a refusal, got ${String(error)}`);
  return error;
};
/** A dry run with strict validation, as kubectl asks for it: nothing is stored. */
const tryCreate = (object: Example) => {
  const definition = RESOURCES.find((entry) => entry.kind === object.kind);
  const scope = definition?.scope === 'Namespaced' ? `/namespaces/${namespace}` : '';
  return client.raw({
    method: 'POST',
    path: `/apis/${GROUP}/${VERSION}${scope}/${definition?.plural}`,
    query: { dryRun: 'All', fieldValidation: 'Strict' },
    body: object,
  });
};

describe.each(RESOURCES.map((definition) => definition.kind))('%s', (kind) => {
  const definition = RESOURCES.find((entry) => entry.kind === kind);
  const base = EXAMPLES[kind];
  if (!definition || !base) throw new Error(`no example of ${kind}`);

  test('the example is taken', async () => expect((await tryCreate(base)).status).toBe(201));

  test('every leaf of spec that is broken is refused by name', async () => {
    const spec: z.ZodType = definition.spec;
    const mutations = mutationsOf(structuralSchema(spec), base.spec);
    const failures: string[] = [];
    for (const { name, path, value } of mutations) {
      const error = await tryCreate({ ...base, spec: value as Example['spec'] }).then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      if (!(error instanceof KubeError)) failures.push(`${name}: was taken`);
      else if (error.status !== 422 && error.status !== 400)
        failures.push(`${name}: ${error.status} ${error.message}`);
      else {
        const leaf =
          path
            .split('.')
            .filter((part) => part !== '0')
            .at(-1) ?? '';
        const named = name.includes('unknown') ? 'notAField' : leaf;
        if (!error.message.includes(named))
          failures.push(`${name}: does not name ${named}: ${error.message}`);
      }
    }
    expect(mutations.length).toBeGreaterThan(5);
    expect(failures).toEqual([]);
  });
});

describe('messages a person understands', () => {
  const offering = EXAMPLES['Offering'];
  const cases: [string, Example, string][] = [
    [
      'UK is not a country code',
      { ...offering, spec: { ...offering?.spec, country: 'UK' } } as Example,
      'use an ISO 3166-1 alpha-2 code, e.g. GB for the United Kingdom',
    ],
    [
      'a price is no fraction',
      {
        ...offering,
        spec: { ...offering?.spec, price: { amountMinor: 4.99, currency: 'EUR', per: 'Month' } },
      } as Example,
      'amountMinor',
    ],
    [
      'a selector without values',
      {
        ...offering,
        spec: { ...offering?.spec, requirements: { selector: [{ key: 'disk', operator: 'In' }] } },
      } as Example,
      'values are given exactly when operator is In or NotIn',
    ],
    [
      'min above max',
      {
        ...offering,
        spec: { ...offering?.spec, duration: { minHours: 9, defaultHours: 5, maxHours: 7 } },
      } as Example,
      'minHours <= defaultHours <= maxHours',
    ],
  ];
  test.each(cases)('%s', async (_name, object, message) =>
    expect((await refusal(tryCreate(object))).message).toContain(message),
  );
});

describe('the moves of a contract', () => {
  const contracts = () => resource<Contract>('Contract');
  const fresh = (name: string) => newContract(contracts(), { name, namespace });
  const walk = (contract: Contract, way: readonly ContractPhase[]) => walkTo(contracts(), contract, way);

  test('the table and the API server agree about all pairs', async () => {
    const disagreements: string[] = [];
    for (const from of PHASES) {
      const start = await walk(await fresh(`from-${from.toLowerCase()}`), wayTo(from));
      for (const to of PHASES) {
        const verdict = await client
          .raw({
            method: 'PUT',
            path: `/apis/${GROUP}/${VERSION}/namespaces/${namespace}/contracts/${start.metadata.name}/status`,
            query: { dryRun: 'All' },
            body: { ...start, status: statusIn(to) },
          })
          .then(
            () => 'taken',
            (error: unknown) => (error instanceof KubeError ? error.message : String(error)),
          );
        const expected = isLegalMove(from, to) ? 'taken' : `a contract cannot go from ${from} to ${to}`;
        if (expected === 'taken' ? verdict !== 'taken' : !verdict.includes(expected))
          disagreements.push(`${from} > ${to}: ${verdict}`);
      }
    }
    expect(disagreements).toEqual([]);
  });

  test('a first status is Requested or Accepted, and nothing else', async () => {
    const start = await fresh('first');
    for (const phase of PHASES) {
      const attempt = client.raw({
        method: 'PUT',
        path: `/apis/${GROUP}/${VERSION}/namespaces/${namespace}/contracts/first/status`,
        query: { dryRun: 'All' },
        body: { ...start, status: statusIn(phase) },
      });
      if (FIRST_PHASES.includes(phase)) await attempt;
      else expect((await refusal(attempt)).message).toContain('a contract begins as Requested or Accepted');
    }
  });

  test('the epoch only rises, and a status stays', async () => {
    const contract = await walk(await fresh('epoch'), ['Accepted']);
    const lower = contracts().updateStatus({ ...contract, status: { ...statusIn('Accepted'), epoch: 0 } });
    expect((await refusal(lower)).message).toContain('the epoch only rises: it is 1, not 0');
    const { status: _gone, ...without } = contract;
    expect((await refusal(contracts().updateStatus(without))).message).toContain('status cannot be removed');
  });

  test('an end with a holder is refused: somebody may still have a machine', async () => {
    const contract = await walk(await fresh('holder'), ['Accepted']);
    const status = { ...statusIn('Cancelled'), holders: [aHolder(1, 1)] };
    expect((await refusal(contracts().updateStatus({ ...contract, status }))).message).toContain(
      'nobody may still have a machine',
    );
  });

  test('a lock outside Provisioning, and Provisioning without one, are refused', async () => {
    const contract = await walk(await fresh('lock'), ['Accepted']);
    for (const status of [
      { ...statusIn('Accepted'), lock: aLock(1) },
      { ...aContract('Provisioning', { epoch: 2 }).status },
    ])
      expect((await refusal(contracts().updateStatus({ ...contract, status }))).message).toContain(
        'a lock exactly while it is Provisioning',
      );
  });

  const wishes: [string, Record<string, unknown>, Record<string, unknown>, string][] = [
    ['tenant', {}, { tenant: { publicKey: 'b'.repeat(64) } }, 'a contract keeps its tenant'],
    ['offering', {}, { offering: { name: 'other' } }, 'a contract keeps its offering'],
    ['duration', { durationHours: 5 }, { durationHours: 4 }, 'durationHours only rises: it is 5, not 4'],
    ['restart', { restart: 2 }, { restart: 1 }, 'restart only rises'],
    [
      'cancel',
      { cancel: { requested: true } },
      { cancel: { requested: false } },
      'a cancellation cannot be taken back',
    ],
    [
      'cancel-gone',
      { cancel: { requested: true } },
      { cancel: undefined },
      'a cancellation cannot be taken back',
    ],
    [
      'decision',
      { decision: { verdict: 'Accept' } },
      { decision: { verdict: 'Reject' } },
      'a decision cannot be changed',
    ],
  ];
  test.each(wishes)('one-way: %s', async (name, first, change, message) => {
    const base = EXAMPLES['Contract'];
    const made = await contracts().create({
      ...base,
      metadata: { name: `wish-${name}`, namespace },
      spec: { ...base?.spec, ...first },
    } as unknown as Contract);
    const changed = { ...made, spec: { ...made.spec, ...change } } as Contract;
    expect((await refusal(contracts().update(changed))).message).toContain(message);
  });
});
