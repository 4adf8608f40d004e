/** The agent's routes as functions: what is sent and what is understood is in crds/wire. */
import { z } from 'zod';
import { Then } from '../crds/wire/agent-fields.ts';
import { type HeartbeatRequest, HeartbeatResponse } from '../crds/wire/heartbeat.ts';
import { LockResponse, ReleaseResponse } from '../crds/wire/lock.ts';
import { AgentSetupResponse } from '../crds/wire/pools.ts';
import { type ReconcileRequest, ReconcileResponse } from '../crds/wire/reconcile.ts';
import {
  type AppliedRequest,
  FailedResponse,
  type InstanceDetails,
  TerminatedResponse,
} from '../crds/wire/reports.ts';
import { PendingContract, type WorkItem, WorkList } from '../crds/wire/work-list.ts';
import type { ApiClient } from './api-client.ts';

/** Which process speaks: `session` is random, `incarnation` rises with each start. */
export type Speaker = Readonly<{ session: string; incarnation: number }>;
export type Grant = Readonly<{ contractId: string; epoch: number; proof?: string | undefined }>;
type ErrorClass = 'transient' | 'permanent' | 'capacity' | 'configuration';
type Options = Readonly<{ signal?: AbortSignal | undefined; deadlineMs?: number }>;

const Reported = z.object({ then: Then });

export function facadeOf(client: ApiClient, providerPubkey: string, speaker: Speaker) {
  const base = `/api/v1/providers/${providerPubkey}`;
  const about = ({ contractId }: Pick<Grant, 'contractId'>): string => `${base}/contracts/${contractId}`;
  return {
    heartbeat: (
      body: Omit<HeartbeatRequest, 'session' | 'incarnation'>,
      options: Options = {},
    ): Promise<HeartbeatResponse> =>
      client.call(HeartbeatResponse, {
        method: 'POST',
        path: `${base}/heartbeat`,
        body: { ...body, ...speaker },
        ...options,
      }),
    /** Holds the line for up to `waitSeconds`. */
    work: (waitSeconds: number, { signal }: Options = {}): Promise<WorkItem[]> =>
      client.call(WorkList, {
        method: 'GET',
        path: `${base}/work?wait=${waitSeconds}`,
        deadlineMs: (waitSeconds + 10) * 1000,
        signal,
      }),
    pending: (options: Options = {}): Promise<PendingContract[]> =>
      client.call(z.array(PendingContract), {
        method: 'GET',
        path: `${base}/contracts/pending-provision`,
        ...options,
      }),
    claim: (
      {
        contractId,
        ...body
      }: Readonly<{ contractId: string; observedEpoch: number; heard?: string | undefined }>,
      options: Options = {},
    ): Promise<LockResponse> =>
      client.call(LockResponse, {
        method: 'POST',
        path: `${about({ contractId })}/lock`,
        body: { ...speaker, ...body },
        ...options,
      }),
    renew: (grant: Grant, options: Options = {}): Promise<LockResponse> =>
      client.call(LockResponse, {
        method: 'POST',
        path: `${about(grant)}/lock`,
        body: { ...speaker, epoch: grant.epoch, proof: grant.proof },
        ...options,
      }),
    release: (grant: Grant & Readonly<{ class?: 'capacity' | undefined }>, options: Options = {}) =>
      client.call(ReleaseResponse, {
        method: 'DELETE',
        path: `${about(grant)}/lock`,
        body: { ...speaker, epoch: grant.epoch, ...(grant.class && { class: grant.class }) },
        ...options,
      }),
    provisioned: (
      {
        contractId,
        ...body
      }: Grant & Readonly<{ instanceDetails: InstanceDetails; sshKeysSHA256?: string | undefined }>,
      options: Options = {},
    ) =>
      client.call(Reported, {
        method: 'POST',
        path: `${about({ contractId })}/provisioned`,
        body: { ...body, ...speaker },
        ...options,
      }),
    applied: (
      {
        contractId,
        ...body
      }: Pick<Grant, 'contractId'> & Omit<z.infer<typeof AppliedRequest>, 'session' | 'incarnation'>,
      options: Options = {},
    ) =>
      client.call(Reported, {
        method: 'PUT',
        path: `${about({ contractId })}/applied`,
        body: { ...body, ...speaker },
        ...options,
      }),
    failed: (grant: Grant & Readonly<{ errorMessage: string; class: ErrorClass }>, options: Options = {}) =>
      client.call(FailedResponse, {
        method: 'POST',
        path: `${about(grant)}/failed`,
        body: {
          ...speaker,
          epoch: grant.epoch,
          errorMessage: grant.errorMessage,
          class: grant.class,
          proof: grant.proof,
        },
        ...options,
      }),
    terminated: (grant: Grant, options: Options = {}) =>
      client.call(TerminatedResponse, {
        method: 'PUT',
        path: `${about(grant)}/terminated`,
        body: { ...speaker, epoch: grant.epoch },
        ...options,
      }),
    reconcile: (
      inventory: Pick<z.infer<typeof ReconcileRequest>, 'runningInstances' | 'orphans' | 'generation'>,
      options: Options = {},
    ): Promise<ReconcileResponse> =>
      client.call(ReconcileResponse, {
        method: 'POST',
        path: `${base}/reconcile`,
        body: { ...inventory, ...speaker },
        ...options,
      }),
  };
}
export type Facade = ReturnType<typeof facadeOf>;

export const setUpAgent = (
  client: ApiClient,
  body: Readonly<{ token: string; agentPubkey: string }>,
): Promise<AgentSetupResponse> =>
  client.call(AgentSetupResponse, { method: 'POST', path: '/api/v1/agents/setup', body });
