/**
 * What is done while something may crash. `prepare` happens before effects count, `act` while they do; a scenario
 * ends when the world has come to rest in the state that it has without faults.
 */
import { uidOfContractId } from '../../../crds/contract/contract.ts';
import { type ContractPhase, hasEnded } from '../../../crds/contract/phase.ts';
import { eventually } from '../../world/eventually.ts';
import type { Treat } from '../ledger/behaviour.ts';
import type { Agent, ProcessWorld } from '../processes/process-world.ts';
import type { Tenant } from '../processes/tenant.ts';
import type { Lane } from './lane.ts';

export const SCENARIOS = ['job', 'cancel', 'early-cancel', 'password', 'takeover'] as const;
export type ScenarioName = (typeof SCENARIOS)[number];

type About = Readonly<{ tenant: Tenant; contractId: string }>;

export type Scenario = Readonly<{
  /** Answers the contract's id. Undefined: renting it is the first thing that counts. */
  prepare?: (lane: Lane, tenant: Tenant) => Promise<string>;
  act: (lane: Lane, about: About) => Promise<void>;
  end: ContractPhase;
}>;

const PATIENCE_MS = 150_000;
/** Long enough that a killed agent's program goes on without it. */
const BUILD_MS = 300;
const SLOW_BUILD_MS = 2000;

export const QUICKLY: Treat = ({ action }) => ({ slowMs: action === 'create' ? BUILD_MS : 0 });
const SLOWLY: Treat = ({ action }) => ({ slowMs: action === 'create' ? SLOW_BUILD_MS : 0 });

export const phaseOf = ({ history }: ProcessWorld, contractId: string): ContractPhase | undefined =>
  history.of(uidOfContractId(contractId) ?? '').at(-1)?.contract.status?.phase;

/** Throws as soon as the contract has ended otherwise. */
export async function untilPhase(
  world: ProcessWorld,
  contractId: string,
  phase: ContractPhase,
): Promise<void> {
  const is = await eventually(
    async () => {
      const seen = phaseOf(world, contractId);
      if (seen !== phase && !(seen && hasEnded(seen)))
        throw new Error(`contract ${contractId} is ${seen}, not ${phase}`);
      return seen;
    },
    { withinMs: PATIENCE_MS },
  );
  if (is !== phase) throw new Error(`contract ${contractId} ended as ${is}, not ${phase}`);
}

/** Rents, and answers when some agent has half a machine of it. */
async function untilHalfBuilt({ world }: Lane, tenant: Tenant): Promise<[string, Agent]> {
  world.treat(SLOWLY);
  const contractId = await tenant.rent(world.offeringId);
  const agentUid = await eventually(
    async () => {
      const begun = world.ledger
        .records()
        .find(({ event, contractId: of }) => of === contractId && event === 'create-begun');
      if (!begun) throw new Error(`nobody has begun to build ${contractId}`);
      return begun.agentUid;
    },
    { withinMs: PATIENCE_MS },
  );
  return [contractId, world.agentOf(agentUid)];
}

async function rentActive({ world }: Lane, tenant: Tenant): Promise<string> {
  const contractId = await tenant.rent(world.offeringId);
  await untilPhase(world, contractId, 'Active');
  return contractId;
}

const cancel = (_lane: Lane, { tenant, contractId }: About): Promise<void> => tenant.cancel(contractId);

export const SCENARIO: Readonly<Record<ScenarioName, Scenario>> = {
  job: { act: async () => {}, end: 'Active' },
  cancel: { prepare: rentActive, act: cancel, end: 'Cancelled' },
  'early-cancel': {
    prepare: async (lane, tenant) => (await untilHalfBuilt(lane, tenant))[0],
    act: cancel,
    end: 'Cancelled',
  },
  password: {
    prepare: rentActive,
    act: (_lane, { tenant, contractId }) => tenant.resetPassword(contractId),
    end: 'Active',
  },
  takeover: {
    // Killed with half a machine: its program goes on and finishes it, which nobody hears of. The other one
    // builds; only then the first comes back, and must remove what it has.
    prepare: async (lane, tenant) => {
      const [contractId, victim] = await untilHalfBuilt(lane, tenant);
      victim.program.kill();
      lane.world.treat(QUICKLY);
      return contractId;
    },
    act: async ({ world }, { contractId }) => {
      await untilPhase(world, contractId, 'Active');
      await Promise.all(world.agents.map(({ program }) => program.start()));
    },
    end: 'Active',
  },
};
