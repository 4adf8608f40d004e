/** What Argo CD shows of every kind in every state: the scripts of gitops/argo-cd, run. */
import { describe, expect, test } from 'vitest';
import { type ContractPhase, PHASES } from '../../../crds/contract/phase.ts';
import { RESOURCES } from '../../../crds/resources.ts';
import { type Health, NOT_5_1, readScripts, startArgoCd } from './argo.ts';

const { healthOf } = startArgoCd();
const READY_KINDS = ['AgentPool', 'Agent', 'Offering', 'Provider'] as const;
const ready = (status: string, reason: string) => ({
  type: 'Ready',
  status,
  reason,
  message: `because ${reason}`,
});
const object = (kind: string, status: object | undefined, spec: object = {}, generation = 1) => ({
  kind,
  metadata: { name: 'x', generation },
  spec,
  ...(status ? { status } : {}),
});

test('every kind but the recipe, which has no status, has a script, in words of Lua 5.1', () => {
  const scripts = readScripts();
  expect([...scripts.keys()].sort()).toEqual(
    RESOURCES.map(({ kind }) => kind)
      .filter((kind) => kind !== 'Recipe')
      .sort(),
  );
  for (const [kind, script] of scripts) {
    const code = script.replace(/"[^"]*"/g, '""');
    expect(NOT_5_1.exec(code)?.[0], kind).toBeUndefined();
  }
});

describe('a contract', () => {
  const want: Readonly<Record<ContractPhase, Health['status']>> = {
    Requested: 'Progressing',
    Accepted: 'Progressing',
    Provisioning: 'Progressing',
    Provisioned: 'Progressing',
    Active: 'Healthy',
    Paused: 'Suspended',
    Terminating: 'Progressing',
    Rejected: 'Degraded',
    Cancelled: 'Degraded',
    Expired: 'Degraded',
    Failed: 'Degraded',
  };
  const contract = (phase: string, spec: object = {}, more: object = {}) =>
    object('Contract', { phase, message: `is ${phase}`, observedGeneration: 1, ...more }, spec);

  test.each(PHASES)('%s', async (phase) => {
    expect(await healthOf(contract(phase))).toEqual({ status: want[phase], message: `is ${phase}` });
    const behind = { ...contract(phase), metadata: { generation: 2 } };
    expect((await healthOf(behind)).status).toBe('Progressing');
    expect((await healthOf(contract(phase, {}, { message: null }))).message).toBe(phase);
  });
  test('that was cancelled in Git is as it was wished', async () => {
    const cancel = { cancel: { requested: true } };
    expect((await healthOf(contract('Cancelled', cancel))).status).toBe('Healthy');
    expect((await healthOf(contract('Failed', cancel))).status).toBe('Degraded');
    expect((await healthOf(contract('Cancelled', { cancel: { requested: false } }))).status).toBe('Degraded');
  });
  test('of a phase that the script does not know is not called healthy', async () =>
    expect((await healthOf(contract('Dreaming'))).status).toBe('Unknown'));
  test.each([undefined, {}, { observedGeneration: 1 }])('without a phase: %j', async (status) =>
    expect((await healthOf(object('Contract', status))).status).toBe('Progressing'),
  );
});

describe.each(READY_KINDS)('%s', (kind) => {
  const cases: readonly (readonly [string, object | undefined, Health['status']])[] = [
    ['no status', undefined, 'Progressing'],
    ['an empty status', {}, 'Progressing'],
    ['no conditions yet', { observedGeneration: 1 }, 'Progressing'],
    ['conditions without Ready', { conditions: [{ type: 'Online', status: 'True' }] }, 'Progressing'],
    ['Ready', { conditions: [ready('True', 'Ready')] }, 'Healthy'],
    [
      'Ready, without observedGeneration',
      { observedGeneration: null, conditions: [ready('True', 'Ready')] },
      'Healthy',
    ],
    [
      'Ready of the last generation',
      { observedGeneration: 0, conditions: [ready('True', 'Ready')] },
      'Progressing',
    ],
    ['not Ready', { conditions: [ready('False', 'NoAgentOnline')] }, 'Degraded'],
    ['unknown', { conditions: [ready('Unknown', 'Unknown')] }, 'Progressing'],
    [
      'Stalled after Ready',
      { conditions: [ready('False', 'NoPool'), { ...ready('True', 'X'), type: 'Stalled' }] },
      'Degraded',
    ],
    [
      'not Stalled any more',
      { conditions: [{ ...ready('False', 'X'), type: 'Stalled' }, ready('True', 'Ready')] },
      'Healthy',
    ],
    ['in maintenance', { conditions: [ready('False', 'Maintenance')] }, 'Suspended'],
    ...['NoAgents', 'NoPool', 'PoolNotFound', 'RecipeNotFound'].map(
      (reason) => [`waits: ${reason}`, { conditions: [ready('False', reason)] }, 'Progressing'] as const,
    ),
  ];
  test.each(cases)('%s', async (_, status, want) => {
    expect((await healthOf(object(kind, status))).status).toBe(want);
  });
  test('says the message of Ready', async () =>
    expect(await healthOf(object(kind, { conditions: [ready('False', 'Offline')] }))).toEqual({
      status: 'Degraded',
      message: 'because Offline',
    }));
  test.each(['paused', 'cordoned', 'draining', 'revoked'])('%s by its spec is Suspended', async (field) => {
    const conditions = [ready('True', 'Ready')];
    expect((await healthOf(object(kind, { conditions }, { [field]: true }))).status).toBe('Suspended');
    expect((await healthOf(object(kind, { conditions }, { [field]: false }))).status).toBe('Healthy');
    expect((await healthOf(object(kind, undefined, { [field]: true }))).status).toBe('Suspended');
  });
});

test('a setup token is healthy, used or not', async () => {
  expect(await healthOf(object('SetupToken', undefined))).toEqual({
    status: 'Healthy',
    message: 'Not used yet',
  });
  expect(await healthOf(object('SetupToken', { agentName: 'node-1' }))).toEqual({
    status: 'Healthy',
    message: 'Used by node-1',
  });
});
