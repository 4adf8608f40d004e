/** Whether somebody wants a contract to end, and who: `spec.cancel`, or `kubectl delete`, which means the same. */
import type { Contract } from './contract.ts';

export type EndWish = Readonly<{
  reason: 'CancelledByTenant' | 'CancelledByProvider' | 'Deleted';
  message: string;
}>;

export function endWish({ metadata, spec }: Contract): EndWish | undefined {
  if (spec.cancel?.requested) {
    const note = spec.cancel.note ? `: ${spec.cancel.note}` : '';
    return spec.cancel.by === 'Provider'
      ? { reason: 'CancelledByProvider', message: `Cancelled by the provider${note}` }
      : { reason: 'CancelledByTenant', message: `Cancelled by the tenant${note}` };
  }
  if (metadata.deletionTimestamp)
    return { reason: 'Deleted', message: 'The contract was deleted from the cluster' };
  return undefined;
}
