/**
 * What those say that wait for room: all of them, to their tenant by one list of each facade, to whoever reads YAML by
 * the condition and `scheduling` that the operator stores, and to the provider with the machines by name.
 */
import { expect } from 'vitest';
import type { Contract } from '../../../crds/contract/contract.ts';
import type { Caller, Facade } from '../../world/facades.ts';
import { idOf, type Stage } from '../../world/market.ts';
import type { Knows } from './host.ts';

export type Asking = Readonly<{
  stage: Stage;
  /** Tenant and provider have one key here. */
  caller: Caller;
  facades: readonly Facade[];
  waiting: readonly Contract[];
  knows: Knows;
}>;

const NO_ROOM = 'No machine with 1 CPU, 1Gi memory, 1Gi disk is free in Europe right now.';
/** Facades that hear no size see an agent that could take it, and the contract in line for it. */
const IN_LINE = 'On its way to an agent in Europe.';

/** Throws until each of them says why. */
export async function expectAllSayWhy(asking: Asking): Promise<void> {
  await Promise.all([expectStored(asking), ...asking.facades.map((facade) => expectListed(facade, asking))]);
}

async function expectListed(facade: Facade, { caller, waiting, knows }: Asking): Promise<void> {
  const { body } = await caller.call(facade, {
    method: 'GET',
    path: '/api/v1/contracts?limit=200&phase=Accepted',
  });
  const { data } = body as { data: { contractId: string; waitingOn: string; message: string }[] };
  const words = knows === 'Sums' ? IN_LINE : NO_ROOM;
  expect(data.map(({ contractId }) => contractId).sort()).toEqual(waiting.map(idOf).sort());
  for (const { waitingOn, message } of data) {
    expect(waitingOn).toBe('Agent');
    expect(message).toContain(words);
  }
}

async function expectStored({ stage, waiting, knows }: Asking): Promise<void> {
  const { items } = await stage.contracts.list({ namespace: stage.namespace });
  const byUid = new Map(items.map((contract) => [contract.metadata.uid, contract]));
  for (const { metadata } of waiting) {
    const status = byUid.get(metadata.uid)?.status;
    const condition = status?.conditions?.find(({ type }) => type === 'Schedulable');
    if (knows === 'Sums') {
      expect(status).toMatchObject({ phase: 'Accepted', reason: 'AwaitingAgent', message: IN_LINE });
      expect(condition?.status).not.toBe('False');
      continue;
    }
    expect(status).toMatchObject({ phase: 'Accepted', reason: 'NoCapacity', message: expect.any(String) });
    expect(status?.message).toContain(NO_ROOM);
    expect(status?.scheduling).toMatchObject({ reason: 'NoCapacity' });
    expect(condition).toMatchObject({ status: 'False', reason: 'NoCapacity' });
    expect(condition?.message).toMatch(/^0 of 1 agent can take 1 CPU, /);
  }
}

/** The provider reads which machine is full, and of what. */
export async function expectNamesMachine(room: number, { caller, facades, waiting }: Asking): Promise<void> {
  const [contract] = waiting;
  if (!contract) throw new Error('nobody waits');
  for (const facade of facades) {
    const path = `/api/v1/contracts/${idOf(contract)}`;
    const { body } = await caller.call(facade, { method: 'GET', path });
    const passedOver = [{ reason: 'InsufficientCPU', message: `full: 0 CPU free of ${room} CPU` }];
    expect(body).toMatchObject({
      data: { waiting: { reason: 'NoCapacity' }, detail: { placement: { passedOver } } },
    });
  }
}
