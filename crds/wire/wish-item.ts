/** A wish as an agent reads it in its work list. */
import { assertNever } from '../../lib/assert.ts';
import { contractIdOf, type LiveContract } from '../contract/contract.ts';
import type { Wish } from '../contract/upkeep.ts';
import type { PendingContract, WorkItem } from './work-list.ts';

/** `pending` is what to build, for a re-installation. */
export function wishItem(
  { metadata, spec, status }: LiveContract,
  { wish, pending }: Readonly<{ wish: Wish; pending: PendingContract | undefined }>,
): WorkItem {
  const { instance } = status;
  const about = {
    contractId: contractIdOf(metadata.uid ?? ''),
    epoch: instance?.epoch ?? 0,
    ...(instance ? { externalId: instance.externalId } : {}),
  };
  switch (wish.wish) {
    case 'Power':
      return { ...about, action: wish.powerState === 'Running' ? 'Start' : 'Stop' };
    case 'Restart':
      return { ...about, action: 'Restart', count: wish.count };
    case 'Password':
      return { ...about, action: 'ResetPassword', count: wish.count, tenantPublicKey: spec.tenant.publicKey };
    case 'SshKeys': {
      const { sshKeysSHA256, sshPublicKeys } = wish;
      return { ...about, action: 'SetSshKeys', sshKeysSHA256, sshPublicKeys: [...sshPublicKeys] };
    }
    case 'Reinstall':
      return { ...about, action: 'Reinstall', count: wish.count, ...(pending ? { contract: pending } : {}) };
    default:
      return assertNever(wish);
  }
}
