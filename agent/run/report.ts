/** Seeing that SSH answers, and reporting the machine until there is an answer. Neither needs a lock. */
import { sshKeysSHA256 } from '../../crds/contract/ssh-keys.ts';
import type { InstanceDetails } from '../../crds/wire/reports.ts';
import { beginReport, type Grant, settle } from '../state/record.ts';
import { awaitSsh } from './await-ssh.ts';
import { judgeReport } from './decide-answer.ts';
import { outcomeOf } from './lock-keeper.ts';
import type { Performing } from './performing.ts';
import { giveUp } from './removal.ts';

type Created = NonNullable<Grant['created']>;

/** Reads banner and host key, again and again until they come or the time is over: then the attempt failed. */
export async function verify(job: Performing, grant: Grant): Promise<void> {
  const { context, memory, signal } = job;
  const { created } = grant;
  if (!created) return;
  const at = (): string => context.clock.now().toISOString();
  if (created.isConfirmed) {
    memory.verified = { at: at(), hostKeyFingerprint: created.hostKeyFingerprint };
    return;
  }
  if (created.host === undefined) {
    // Nobody said where it is: the facade is told so, and nobody vouches for it.
    memory.verified = { hostKeyFingerprint: created.hostKeyFingerprint };
    return;
  }
  const { host } = created;
  const seen = await awaitSsh(context, { ...created, host }, signal);
  if ('why' in seen) return giveUp(job, { epoch: grant.epoch, class: 'transient', message: seen.why });
  memory.verified = { at: at(), hostKeyFingerprint: seen.hostKeyFingerprint };
}

/** On disk first that it may have arrived: from then on the machine of this epoch is never adopted. */
export async function report(job: Performing, grant: Grant): Promise<void> {
  const { context, memory, signal } = job;
  const { contractId } = memory;
  const { created, epoch } = grant;
  if (!created) return;
  const instanceDetails = detailsOf(created, memory.verified ?? {});
  context.store.change(contractId, (record) => beginReport(record, instanceDetails));
  const outcome = await outcomeOf(
    context.facade.provisioned(
      { contractId, epoch, proof: grant.proof, instanceDetails, sshKeysSHA256: keysOf(grant) },
      { signal },
    ),
  );
  signal.throwIfAborted();
  switch (judgeReport(outcome)) {
    case 'Retry':
      if ('error' in outcome) throw outcome.error;
      return;
    case 'Destroy':
      return job.orderEpoch(epoch);
    case 'Ignore':
      context.log.error(
        { contract: contractId, epoch, ...outcome },
        'the report was refused; left to reconcile',
      );
      break;
    case 'Settled':
      context.log.info({ contract: contractId, epoch, externalId: created.externalId }, 'machine reported');
      break;
  }
  context.store.change(contractId, settle);
  memory.lock?.end();
  memory.lock = undefined;
}

/** What can log in, for the facade to compare with what the tenant wishes. */
const keysOf = ({ contract }: Grant): string => sshKeysSHA256(contract.requesterSshPubkey.split('\n'));

export function detailsOf(
  created: Created,
  verified: NonNullable<Performing['memory']['verified']>,
): InstanceDetails {
  const { host, user, addresses, details } = created;
  const ipv6 = addresses.find((address) => address.includes(':'));
  const hasDetails = Object.keys(details).length > 0;
  return {
    externalId: created.externalId,
    sshPort: created.port,
    ...(host === undefined ? {} : { ipAddress: host }),
    ...(ipv6 === undefined || ipv6 === host ? {} : { ipv6Address: ipv6 }),
    ...(user === undefined ? {} : { sshUser: user }),
    ...(verified.hostKeyFingerprint === undefined ? {} : { hostKeyFingerprint: verified.hostKeyFingerprint }),
    ...(verified.at === undefined ? {} : { verifiedAt: verified.at }),
    ...(hasDetails ? { additionalDetails: { ...details } } : {}),
  };
}
