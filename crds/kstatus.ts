/**
 * What GitOps tools make of an object, for tests: the generic rules of sigs.k8s.io/cli-utils, pkg/kstatus/status,
 * on which Flux, kpt and others build. Deletion, then generation, Reconciling, Stalled, Ready; what has none of
 * them is called current.
 */
import type { Condition } from './condition.ts';

export type KStatus = 'Current' | 'InProgress' | 'Failed' | 'Terminating';

export type Judged = Readonly<{
  metadata: Readonly<{ generation?: number | undefined; deletionTimestamp?: string | undefined }>;
  status?:
    | Readonly<{
        observedGeneration?: number | undefined;
        conditions?: readonly Pick<Condition, 'type' | 'status'>[] | undefined;
      }>
    | undefined;
}>;

export function kstatusOf({ metadata, status }: Judged): KStatus {
  if (metadata.deletionTimestamp) return 'Terminating';
  const { generation } = metadata;
  const seen = status?.observedGeneration;
  if (generation !== undefined && seen !== undefined && seen !== generation) return 'InProgress';
  for (const { type, status: is } of status?.conditions ?? []) {
    if (type === 'Reconciling' && is === 'True') return 'InProgress';
    if (type === 'Stalled' && is === 'True') return 'Failed';
  }
  const ready = status?.conditions?.find(({ type }) => type === 'Ready');
  return ready && ready.status !== 'True' ? 'InProgress' : 'Current';
}
