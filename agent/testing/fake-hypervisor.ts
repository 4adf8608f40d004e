/** A hypervisor that keeps a ledger of what was done to it. Held to the same promises as the real ones. */
import type { Clock } from '../../lib/clock.ts';
import type {
  CreatedInstance,
  CreateRequest,
  InstanceRef,
  ListedInstance,
  Provisioner,
} from '../provisioner/provisioner.ts';
import { ProvisionerError, refuseForeign } from '../provisioner/provisioner-error.ts';

export type FakeHypervisor = Omit<Provisioner, 'setPassword'> & {
  setPassword?: NonNullable<Provisioner['setPassword']>;
  machines: Map<string, ListedInstance>;
  /** `create 1`, `adopt 1→2`, `destroy 1`, … in the order in which they were finished or broken off. */
  ledger: string[];
  createMs: number;
  stopMs: number;
  reinstallMs: number;
  /** The last that was set. */
  password: string | undefined;
  /** Thrown by the next calls of these; undefined ones pass. */
  failures: { create: ProvisionerError[]; list: number };
  /** Most machines that were being created at one time. */
  createdAtOnceMax: number;
};

export function fakeHypervisor(clock: Clock, installation: string): FakeHypervisor {
  const machines = new Map<string, ListedInstance>();
  const ledger: string[] = [];
  let creating = 0;
  const find = (ref: InstanceRef): ListedInstance => {
    const found = machines.get(ref.externalId);
    if (!found)
      throw new ProvisionerError('ProgramRefused', `${ref.externalId} is not here`, { remedy: 'none' });
    refuseForeign(ref, found);
    return found;
  };
  const fake: FakeHypervisor = {
    type: 'script',
    machines,
    ledger,
    createMs: 0,
    stopMs: 0,
    reinstallMs: 0,
    password: undefined,
    failures: { create: [], list: 0 },
    createdAtOnceMax: 0,
    create: async (request: CreateRequest, { signal }): Promise<CreatedInstance> => {
      const externalId = `dc-${request.contractId}`;
      const there = machines.get(externalId);
      if (there && there.epoch !== request.epoch)
        throw new Error(`create ${request.epoch} beside ${there.epoch}`);
      creating++;
      fake.createdAtOnceMax = Math.max(fake.createdAtOnceMax, creating);
      const { contractId, epoch, agentUid } = request;
      const tags = { externalId, contractId, epoch, agentUid, installation };
      try {
        const failure = fake.failures.create.shift();
        if (failure?.class === 'capacity') throw failure;
        machines.set(externalId, { ...tags, state: 'Unknown', createdAt: clock.now().toISOString() });
        if (fake.createMs > 0) await clock.sleep(fake.createMs, { signal });
        if (failure) throw failure;
      } catch (error) {
        ledger.push(`create ${epoch} broken off`);
        throw error;
      } finally {
        creating--;
      }
      machines.set(externalId, { ...tags, state: 'Running', createdAt: clock.now().toISOString() });
      ledger.push(`create ${epoch}`);
      return created(externalId);
    },
    adopt: async (ref, tags) => {
      const found = find(ref);
      machines.set(ref.externalId, { ...found, ...tags });
      ledger.push(`adopt ${ref.epoch}→${tags.epoch}`);
      return created(ref.externalId);
    },
    destroy: async (ref) => {
      const found = machines.get(ref.externalId);
      if (found) {
        refuseForeign(ref, found);
        machines.delete(ref.externalId);
        ledger.push(`destroy ${ref.epoch}`);
      }
      return 'Absent';
    },
    start: async (ref) => void setState(find(ref), 'Running'),
    stop: async (ref) => {
      setState(find(ref), 'Stopped');
      if (fake.stopMs > 0) await clock.sleep(fake.stopMs);
    },
    reinstall: async (ref) => {
      const found = setState(find(ref), 'Stopped');
      ledger.push(`reinstall ${found.epoch}`);
      if (fake.reinstallMs > 0) await clock.sleep(fake.reinstallMs);
      setState(found, 'Running');
      return created(ref.externalId);
    },
    setSshKeys: async (ref, keys) => {
      find(ref);
      ledger.push(`keys ${keys.join(' | ')}`);
    },
    setPassword: async (ref, password) => {
      find(ref);
      ledger.push('password');
      fake.password = password;
      return { user: 'root' };
    },
    observe: async () => ({ status: 'Unknown' }),
    list: async () => {
      if (fake.failures.list > 0) {
        fake.failures.list--;
        throw new ProvisionerError('ProgramFailed', 'the listing failed', { remedy: 'none' });
      }
      return [...machines.values()];
    },
  };
  const setState = (machine: ListedInstance, state: 'Running' | 'Stopped'): ListedInstance => {
    machines.set(machine.externalId, { ...machine, state });
    ledger.push(`${state === 'Running' ? 'start' : 'stop'} ${machine.epoch}`);
    return machine;
  };
  return fake;
}

export const FINGERPRINT = `SHA256:${'A'.repeat(43)}`;

const created = (externalId: string): CreatedInstance => ({
  externalId,
  host: '127.0.0.1',
  port: 2222,
  user: 'tenant',
  addresses: ['127.0.0.1'],
  isConfirmed: false,
  details: {},
});
