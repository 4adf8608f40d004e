/** `coordination.k8s.io/v1` Lease, as far as it is used here: the record that leader election fights for. */
import type { KubeObject } from './object.ts';
import type { ResourceType } from './resource.ts';

export type Lease = KubeObject &
  Readonly<{
    spec?:
      | Readonly<{
          /** Empty or absent: free. */
          holderIdentity?: string | undefined;
          leaseDurationSeconds?: number | undefined;
          /** MicroTime, like `renewTime`; for people, never compared with a local clock. */
          acquireTime?: string | undefined;
          renewTime?: string | undefined;
          leaseTransitions?: number | undefined;
        }>
      | undefined;
  }>;

export const LEASES: ResourceType = {
  group: 'coordination.k8s.io',
  version: 'v1',
  plural: 'leases',
  kind: 'Lease',
  namespaced: true,
};
