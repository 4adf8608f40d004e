/** Seeing that SSH answers, and reporting the machine until there is an answer. Neither needs a lock. */
import type { InstanceDetails } from '../../crds/wire/work.ts';
import { messageOf } from '../failure.ts';
import { SshProbeError } from '../ssh-probe.ts';
import { beginReport, type Grant, settle } from '../state/record.ts';
import { judgeReport } from './decide-answer.ts';
import { outcomeOf } from './lock-keeper.ts';
import type { Performing } from './perform.ts';
import { giveUp } from './removal.ts';

const PROBE_EVERY_MS = 500;
const PROBE_MS = 5000;

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
  const startedMs = context.clock.monotonicMs();
  const deadlineMs = startedMs + context.limits.sshTimeoutMs;
  for (;;) {
    const seen = await probe(job, { ...created, host: created.host });
    signal.throwIfAborted();
    if ('hostKeyFingerprint' in seen) {
      const strange = created.hostKeyFingerprint && created.hostKeyFingerprint !== seen.hostKeyFingerprint;
      if (!strange) {
        memory.verified = { at: at(), hostKeyFingerprint: seen.hostKeyFingerprint };
        return;
  context.store.change(contractId, (record) => beginReport(record, instanceDetails));
      }
      const message = `${created.host}:${created.port} shows host key ${seen.hostKeyFingerprint}, the provisioner named ${created.hostKeyFingerprint}`;
      return giveUp(job, { epoch: grant.epoch, class: 'transient', message });
    }
    if (seen.isFinal || context.clock.monotonicMs() >= deadlineMs) {
      const waited = Math.round((context.clock.monotonicMs() - startedMs) / 1000);
      const message = `no SSH server at ${created.host}:${created.port} after ${waited} s: ${seen.why}`;
      return giveUp(job, { epoch: grant.epoch, class: 'transient', message });
    }
    await context.clock.sleep(PROBE_EVERY_MS, { signal });
  }
}

async function probe(
  { context, signal }: Performing,
  { host, port }: Readonly<{ host: string; port: number }>,
): Promise<Readonly<{ hostKeyFingerprint: string } | { why: string; isFinal: boolean }>> {
  try {
    return await context.probeSsh({ host, port, timeoutMs: PROBE_MS, signal });
  } catch (error) {
    return { why: messageOf(error), isFinal: error instanceof SshProbeError && !error.isRetryable };
  }
}

/** On disk first that it may have arrived: from then on the machine of this epoch is never adopted. */
export async function report(job: Performing, grant: Grant): Promise<void> {
  const { context, memory, signal } = job;
  const { contractId } = memory;
  const { created, epoch } = grant;
  if (!created) return;
  const instanceDetails = detailsOf(created, memory.verified ?? {});
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

function detailsOf(
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
