/** What the tests of a restored contract share: machines as agents list them, and what PostgreSQL has of them. */
import { aHolder, at, uidOf } from './builders.ts';
import type { RestoredFacts, RestoredMachine } from './restore-facts.ts';
import type { ContractStatus } from './status.ts';

export const aMachine = (
  n: number,
  epoch: number,
  change: Partial<RestoredMachine> = {},
): RestoredMachine => ({
  agent: `agent-${n}`,
  agentUID: uidOf(n),
  epoch,
  externalId: `dc-${n}`,
  createdAt: at(epoch).toISOString(),
  isProven: true,
  ...change,
});
export const details = {
  externalId: 'dc',
  sshPort: 22,
  ipAddress: '198.51.100.7',
  verifiedAt: at(9).toISOString(),
};
export const finished = (n: number, epoch: number): RestoredMachine =>
  aMachine(n, epoch, { details: { ...details, externalId: `dc-${n}` } });
export const stored = (n: number, epoch: number, activeAt: string | undefined = at(20).toISOString()) => ({
  epoch,
  agentUID: uidOf(n),
  externalId: `dc-${n}`,
  activeAt,
});
export const instance = (n: number, epoch: number) => ({ agentUID: uidOf(n), epoch, externalId: `dc-${n}` });
export const running = (n: number, epoch: number) => ({
  epoch,
  instance: instance(n, epoch),
  holders: [aHolder(n, epoch)],
});

export const someFacts = (change: Partial<RestoredFacts> = {}): RestoredFacts => ({
  listed: [],
  closed: [],
  hasListed: () => true,
  agentOf: (uid) => ({ name: `agent-${Number(uid.slice(-12))}`, poolName: 'europe-script' }),
  generation: 1,
  now: at(100),
  ...change,
});

export const gist = ({ phase, epoch, instance: machine, holders }: ContractStatus) => ({
  phase,
  epoch,
  machine: machine && `${machine.externalId}@${machine.epoch}`,
  holders: (holders ?? []).map((it) => `${it.agent}@${it.epoch}`),
});
