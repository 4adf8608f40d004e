/**
 * A hypervisor that does what it is told and writes it into the ledger. As dumb as a real one: it refuses what is
 * tagged for another grant, since its interface says so, but it knows no contract, no lock and no time limit, and
 * what it is told to do to a stranger's machine by name it does.
 */
import type {
  Cancellable,
  CreatedInstance,
  CreateRequest,
  InstanceRef,
  ListedInstance,
  Provisioner,
  Tags,
} from '../../../agent/provisioner/provisioner.ts';
import { ProvisionerError, refuseForeign } from '../../../agent/provisioner/provisioner-error.ts';
import { aborted } from '../../../lib/abort.ts';
import type { Clock } from '../../../lib/clock.ts';
import type { HypervisorCall, Treat, Treatment } from './behaviour.ts';
import type { Ledger, LedgerEvent, Machine } from './ledger.ts';

/** Where a machine answers SSH. */
export type Door = Readonly<{ host: string; port: number; hostKeyFingerprint?: string | undefined }>;

export type HypervisorOptions = Readonly<{
  ledger: Ledger;
  clock: Clock;
  /** One hypervisor, one agent: what it lists is what stands here. */
  host: string;
  installation: string;
  treat?: Treat | undefined;
  door?: ((machine: Machine) => Promise<Door>) | undefined;
}>;

/** The program behind the call ended without an answer. */
export class ProgramDied extends ProvisionerError {
  constructor(when: string) {
    super('ProgramFailed', `the program died: ${when}`, { remedy: 'A test wanted it so.' });
  }
}

const NO_DOOR: Door = { host: '127.0.0.1', port: 2222 };

export function createHypervisor(options: HypervisorOptions): Provisioner {
  const { ledger, clock, host, installation, treat = () => undefined, door = async () => NO_DOOR } = options;
  const created = async (machine: Machine): Promise<CreatedInstance> => {
    const { host: address, port, hostKeyFingerprint } = await door(machine);
    const where = { host: address, port, addresses: [address], user: 'tenant', hostKeyFingerprint };
    return { externalId: machine.externalId, ...where, isConfirmed: false, details: {} };
  };
  const change = (event: LedgerEvent, by: string, before: Machine, after: Machine | undefined): void =>
    ledger.note({ event, by, before, after });
  /** Until the treatment is over; throws what it should fail with. */
  const suffer = async (treatment: Treatment, { signal }: Cancellable): Promise<void> => {
    if (treatment.slowMs) await clock.sleep(treatment.slowMs, { signal });
    if (treatment.hang) {
      await aborted(signal);
      throw signal.reason;
    }
    if (treatment.die === 'HalfWay') throw new ProgramDied('half-way');
    if (treatment.fail) throw refusal(treatment.fail);
  };
  const treatmentOf = (action: HypervisorCall['action'], about?: Tags): Treatment => {
    const { agentUid, contractId, epoch } = about ?? {};
    return treat({ action, host, agentUid, contractId, epoch }) ?? {};
  };
  const done = ({ die }: Treatment): void => {
    if (die === 'Done') throw new ProgramDied('when all was done');
  };
  const find = (ref: InstanceRef): Machine => {
    const machine = ledger.find(host, ref.externalId);
    if (!machine)
      throw new ProvisionerError('ProgramRefused', `${ref.externalId} is not here`, { remedy: 'List.' });
    if (machine.installation !== undefined) refuseForeign(ref, { ...machine, installation });
    return machine;
  };
  const create = async (request: CreateRequest, options: Cancellable): Promise<CreatedInstance> => {
    const treatment = treatmentOf('create', request);
    const { contractId, epoch, agentUid } = request;
    const externalId = `dc-${contractId}`;
    const there = ledger.find(host, externalId);
    if (there) refuseForeign({ ...request, externalId }, { ...there, installation });
    if (there?.state === 'Running') return created(there);
    const fresh: Machine = { host, externalId, contractId, epoch, installation, agentUid, ...begun(clock) };
    const half = there ?? fresh;
    if (!there && treatment.fail?.leaves !== 'Nothing') change('create-begun', agentUid, half, half);
    try {
      await suffer(treatment, options);
    } catch (error) {
      if (treatment.fail && error instanceof ProvisionerError) {
        const left = treatment.fail.leaves === 'Half' ? ledger.find(host, externalId) : undefined;
        change('failed', agentUid, half, left);
      }
      throw error;
    }
    // Somebody may have removed or re-tagged the half machine meanwhile: then there is nothing to finish.
    const now = ledger.find(host, externalId);
    if (!now || now.epoch !== epoch) throw new ProgramDied('what it built on was taken away');
    const whole: Machine = { ...now, state: 'Running' };
    change('created', agentUid, half, whole);
    done(treatment);
    return created(whole);
  };
  const setState = async (ref: InstanceRef, state: 'Running' | 'Stopped', options: Cancellable) => {
    const treatment = treatmentOf(state === 'Running' ? 'start' : 'stop', ref);
    await suffer(treatment, options);
    const machine = find(ref);
    const event = state === 'Running' ? 'started' : 'stopped';
    if (machine.state !== state) change(event, ref.agentUid, machine, { ...machine, state });
    done(treatment);
  };
  return {
    type: 'script',
    create,
    adopt: async (ref, tags, options) => {
      const treatment = treatmentOf('adopt', ref);
      await suffer(treatment, options);
      const there = ledger.find(host, ref.externalId);
      const isDone = there?.epoch === tags.epoch && there.agentUid === tags.agentUid;
      const machine = isDone ? there : find(ref);
      const after = { ...machine, ...tags };
      if (!isDone) change('adopted', tags.agentUid, machine, after);
      done(treatment);
      return created(after);
    },
    destroy: async (ref, options) => {
      const treatment = treatmentOf('destroy', ref);
      await suffer(treatment, options);
      if (ledger.find(host, ref.externalId)) change('destroyed', ref.agentUid, find(ref), undefined);
      done(treatment);
      return 'Absent';
    },
    start: (ref, options) => setState(ref, 'Running', options),
    stop: (ref, options) => setState(ref, 'Stopped', options),
    // What it is nobody has to know: the ledger has only that it was set, and for which grant.
    setPassword: async (ref, _password, options) => {
      const treatment = treatmentOf('setPassword', ref);
      await suffer(treatment, options);
      const machine = find(ref);
      change('password-set', ref.agentUid, machine, machine);
      done(treatment);
      return { user: 'tenant' };
    },
    observe: async (ref) => {
      const machine = ledger.find(host, ref.externalId);
      if (machine?.state === 'Running') return { status: 'Healthy', uptimeSeconds: undefined };
      return { status: 'Unhealthy', reason: machine ? `it is ${machine.state}` : 'it is not here' };
    },
    list: async (options) => {
      const treatment = treatmentOf('list');
      await suffer(treatment, options);
      done(treatment);
      const truth = listed(ledger, { host, installation });
      return treatment.lie ? treatment.lie(truth) : truth;
    },
  };
}

const begun = (clock: Clock) => ({ state: 'Creating' as const, createdAt: clock.now().toISOString() });

const refusal = ({ class: class_, message = 'a test wanted it so' }: NonNullable<Treatment['fail']>) =>
  new ProvisionerError('ProgramRefused', message, { remedy: 'Try again.', class: class_ });

const STATES = { Creating: 'Unknown', Running: 'Running', Stopped: 'Stopped' } as const;

/** What a truthful list says: all that carry this installation's tag, other agents' too. */
function listed(
  ledger: Ledger,
  { host, installation }: Readonly<{ host: string; installation: string }>,
): readonly ListedInstance[] {
  return ledger
    .machines()
    .filter((machine) => machine.host === host && machine.installation === installation)
    .map(({ externalId, contractId, epoch, agentUid, state, createdAt }) => ({
      ...{ externalId, contractId, epoch, agentUid, installation, createdAt },
      state: STATES[state],
    }));
}
