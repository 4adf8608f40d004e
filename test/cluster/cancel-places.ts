/** The places of a contract's life at which it is caught, and what holds it there: one host of its own for each. */
import { SshProbeError } from '../../agent/ssh-probe.ts';
import { type FakeHypervisor, fakeHypervisor } from '../../agent/testing/fake-hypervisor.ts';
import type { ContractPhase } from '../../crds/contract/phase.ts';
import { systemClock } from '../../lib/clock.ts';
import { generateKeyPair } from '../../lib/signature/keys.ts';
import { type DaemonOptions, startDaemon, stateFolder } from '../world/daemons.ts';
import {
  eventually,
  type Market,
  makeOffering,
  makePool,
  makeToken,
  mustLive,
  type Rented,
  readContract,
} from './api/harness.ts';

const HOUR_MS = 3_600_000;

export type Kept = Readonly<{ stop: () => Promise<unknown>; remove: () => void }>;
/** Where it is played; what is to be stopped afterwards is given to `keep`. */
export type Stage = Readonly<{ market: Market; keep: (kept: Kept) => void }>;

export type Host = Readonly<{
  offering: string;
  hypervisor: FakeHypervisor;
  /** Once it is cancelled: whatever kept it there does so no more. */
  letGo?: (id: string) => void;
}>;

/** A pool of its own with an agent that runs. */
async function aHost(
  { market, keep }: Stage,
  prepare: (hypervisor: FakeHypervisor) => void = () => {},
  { limits, ...more }: Partial<DaemonOptions> = {},
  terms: Parameters<typeof makeOffering>[1] = {},
): Promise<Host> {
  const pool = await makePool(market);
  const keys = generateKeyPair();
  const token = await makeToken(market, pool);
  const setup = { key: keys, body: { token, agentPubkey: keys.publicKey } };
  const { data } = await market.call('POST', '/api/v1/agents/setup', setup);
  const hypervisor = fakeHypervisor(systemClock, data.installation);
  prepare(hypervisor);
  const state = stateFolder();
  const daemon = startDaemon({
    facade: market.facade,
    providerKey: market.provider.publicKey,
    agent: { keys, uid: data.agentUid },
    installation: data.installation,
    hypervisor,
    stateDir: state.path,
    limits: { maxConcurrent: 8, ...limits }, // all of them are caught at one step
    ...more,
  });
  keep({ stop: daemon.stop, remove: state.remove });
  return { offering: await makeOffering(market, { poolName: pool, ...terms }), hypervisor };
}

/** A pool without an agent. */
const nobody = async ({ market }: Stage): Promise<Host> => ({
  offering: await makeOffering(market, { poolName: await makePool(market) }),
  hypervisor: fakeHypervisor(systemClock, 'none'),
});

const never = (signal: AbortSignal | undefined): Promise<never> =>
  new Promise((_resolve, reject) =>
    signal?.addEventListener('abort', () => reject(signal.reason), { once: true }),
  );

/** Where the contract is caught, and how one gets it there. */
export const PLACES: readonly Readonly<{
  name: string;
  phase: ContractPhase;
  host: (stage: Stage) => Promise<Host>;
  /** Once it is in its phase: is it also at the step? */
  isThere?: (host: Host, id: string) => boolean;
  more?: (stage: Stage, rented: Rented) => Promise<unknown>;
}>[] = [
  {
    name: 'Requested: the provider has not decided',
    phase: 'Requested',
    host: nobody,
  },
  {
    name: 'Accepted: nobody builds it',
    phase: 'Accepted',
    host: nobody,
  },
  {
    name: 'Provisioning: claimed, before anything is created',
    phase: 'Provisioning',
    host: (stage) =>
      aHost(stage, (hypervisor) => {
        const { create } = hypervisor;
        Object.assign(hypervisor, {
          create: async (...[request, options]: Parameters<typeof create>) => {
            await never(options.signal);
            return create(request, options);
          },
        });
      }),
    isThere: ({ hypervisor }) => hypervisor.machines.size === 0,
  },
  {
    name: 'Provisioning: a machine is half made',
    phase: 'Provisioning',
    host: (stage) =>
      aHost(stage, (hypervisor) => {
        hypervisor.createMs = 600_000;
      }),
    isThere: ({ hypervisor }, id) => hypervisor.machines.has(`dc-${id}`),
  },
  {
    name: 'Provisioning: the machine is made and does not answer yet',
    phase: 'Provisioning',
    host: (stage) =>
      aHost(stage, undefined, {
        probeSsh: async () => {
          throw new SshProbeError('Refused', 'not yet');
        },
        limits: { sshTimeoutMs: 600_000 },
      }),
    isThere: ({ hypervisor }, id) => hypervisor.machines.get(`dc-${id}`)?.state === 'Running',
  },
  {
    name: 'Provisioned: nobody has seen it yet',
    phase: 'Provisioned',
    host: (stage) =>
      aHost(stage, (hypervisor) => {
        const { create } = hypervisor;
        Object.assign(hypervisor, {
          create: async (...args: Parameters<typeof create>) => ({
            ...(await create(...args)),
            host: undefined,
          }),
        });
      }),
  },
  { name: 'Active', phase: 'Active', host: (stage) => aHost(stage) },
  {
    name: 'Paused by the provider',
    phase: 'Paused',
    host: (stage) => aHost(stage),
    more: async ({ market }, { id }) => {
      await untilPhase(market, { id, phase: 'Active' });
      await market.call('PUT', `/api/v1/provider/contracts/${id}/pause`, { key: market.provider });
    },
  },
  {
    name: 'Paused after its end, in the grace in which it could be extended',
    phase: 'Paused',
    host: (stage) =>
      aHost(stage, undefined, {}, { expiry: { action: 'Pause', graceHours: 24, warnHours: [] } }),
    more: endNow,
  },
  {
    name: 'Terminating: it ended, and its machine is being destroyed',
    phase: 'Terminating',
    host: async (stage) => {
      const wanted = new Map<string, PromiseWithResolvers<void>>();
      const gate = (id: string) => {
        const known = wanted.get(id) ?? Promise.withResolvers<void>();
        wanted.set(id, known);
        return known;
      };
      const host = await aHost(stage, (hypervisor) => {
        const { destroy } = hypervisor;
        Object.assign(hypervisor, {
          destroy: async (...[ref, options]: Parameters<typeof destroy>) => {
            await gate(ref.contractId).promise;
            return destroy(ref, options);
          },
        });
      });
      return { ...host, letGo: (id) => gate(id).resolve() };
    },
    more: endNow,
  },
];

export const untilPhase = (
  market: Market,
  { id, phase }: Readonly<{ id: string; phase: ContractPhase }>,
): Promise<void> => eventually(async () => (await readContract(market, id)).status?.phase === phase);

/** As if it had been rented so long ago that its time is over. */
async function endNow({ market }: Stage, { id }: Rented): Promise<void> {
  await untilPhase(market, { id, phase: 'Active' });
  await eventually(async () => {
    const contract = mustLive(await readContract(market, id));
    const { startsAt = '', endsAt = '' } = contract.status;
    const lateMs = Date.now() - Date.parse(endsAt) - HOUR_MS; // not the grace
    const moved = (at: string): string => new Date(Date.parse(at) + lateMs).toISOString();
    const status = { ...contract.status, startsAt: moved(startsAt), endsAt: moved(endsAt) };
    return market.clients.contracts.updateStatus({ ...contract, status }).then(
      () => true,
      () => false, // the operator wrote in between
    );
  });
}
