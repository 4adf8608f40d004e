/**
 * The JSON documents of the script protocol: the reference agent's actions and fields (snake_case), with
 * `start`, `stop`, `list`, `retag`, `reinstall`, `set_ssh_keys` and `set_password` beside them and the tags in every
 * request. Unknown fields of an answer are ignored, `root_password` among them: a password only ever goes in.
 */
import { isIPv6 } from 'node:net';
import { z } from 'zod';
import type { CreatedInstance, CreateRequest, Health, InstanceRef, ListedInstance } from './provisioner.ts';
import { ERROR_CLASSES } from './provisioner-error.ts';

export const ACTIONS = [
  'provision',
  'get_instance',
  'terminate',
  'health_check',
  'start',
  'stop',
  'list',
  'retag',
  'reinstall',
  'set_ssh_keys',
  'set_password',
] as const;
export type Action = (typeof ACTIONS)[number];

const text = z.string().min(1).max(4096);
const port = z.int().min(1).max(65_535);

const Instance = z.object({
  external_id: z.string().min(1).max(253),
  ssh_port: port,
  ssh_user: z.string().min(1).max(64).nullish(),
  ip_address: text.nullish(),
  ipv6_address: text.nullish(),
  public_ip: text.nullish(),
  host_key_fingerprint: z
    .string()
    .regex(/^SHA256:[A-Za-z0-9+/]{43}$/, 'SHA256: and 43 base64 characters')
    .nullish(),
  additional_details: text.nullish(),
  gateway_slug: text.nullish(),
  gateway_subdomain: text.nullish(),
  gateway_ssh_port: port.nullish(),
  gateway_port_range_start: port.nullish(),
  gateway_port_range_end: port.nullish(),
});
type Instance = z.infer<typeof Instance>;

const HealthAnswer = z.discriminatedUnion('status', [
  z.object({ status: z.literal('healthy'), uptime_seconds: z.number().min(0).nullish() }),
  z.object({ status: z.literal('unhealthy'), reason: z.string().max(4096) }),
  z.object({ status: z.literal('unknown') }),
]);

/** `Running` is as good as `running`. */
const lowerCase = (value: unknown): unknown => (typeof value === 'string' ? value.toLowerCase() : value);

const Listed = z.object({
  external_id: z.string().min(1).max(253),
  contract_id: z.string().regex(/^[0-9a-f]{32}$/, '32 hexadecimal digits'),
  epoch: z.int().min(0),
  installation: z.string().min(1).max(253),
  agent_uid: z.string().min(1).max(253).nullish(),
  state: z.preprocess(lowerCase, z.enum(['running', 'stopped', 'unknown'])),
  created_at: z.iso.datetime({ offset: true }),
  cpu_cores: z.number().min(0).nullish(),
  memory_mb: z.number().min(0).nullish(),
  storage_gb: z.number().min(0).nullish(),
});

const MIB = 2 ** 20;
const GIB = 2 ** 30;

const succeeded = z.literal(true);
export const Answer = {
  provision: z.object({ success: succeeded, instance: Instance }),
  retag: z.object({ success: succeeded, instance: Instance }),
  reinstall: z.object({ success: succeeded, instance: Instance }),
  set_ssh_keys: z.object({ success: succeeded }),
  set_password: z.object({ success: succeeded, user: z.string().min(1).max(64).nullish() }),
  get_instance: z.object({ success: succeeded, instance: Instance.nullish() }),
  terminate: z.object({ success: succeeded }),
  start: z.object({ success: succeeded }),
  stop: z.object({ success: succeeded }),
  health_check: z.object({ success: succeeded, health: HealthAnswer }),
  list: z.object({ success: succeeded, instances: z.array(Listed).max(10_000) }),
} as const satisfies Record<Action, z.ZodType>;
export type AnswerOf<A extends Action> = z.infer<(typeof Answer)[A]>;

export const Refusal = z.object({
  success: z.literal(false),
  error: z.string().nullish(),
  class: z.enum(ERROR_CLASSES).nullish().catch(undefined), // a word that we do not know is no reason to lose the error
  retry_possible: z.boolean().nullish().catch(undefined),
});

/** The tags of a machine, and its name, in a request. */
export function tagFields(ref: InstanceRef) {
  return {
    external_id: ref.externalId,
    contract_id: ref.contractId,
    epoch: ref.epoch,
    installation: ref.installation,
    agent_uid: ref.agentUid,
  };
}

export function provisionFields(request: CreateRequest) {
  return {
    external_id: null,
    contract_id: request.contractId,
    epoch: request.epoch,
    installation: request.installation,
    agent_uid: request.agentUid,
    offering_id: request.offeringId,
    cpu_cores: request.cpuCores ?? null,
    memory_mb: request.memoryMb ?? null,
    storage_gb: request.storageGb ?? null,
    requester_ssh_pubkey: request.sshPublicKeys[0] ?? null,
    ssh_public_keys: request.sshPublicKeys, // all of them, for scripts that know this agent
    instance_config: request.instanceConfig,
    post_provision_script: request.postProvisionScript ?? null,
  };
}

export function toCreated(instance: Instance): CreatedInstance {
  const addresses = [instance.public_ip, instance.ip_address, instance.ipv6_address].filter(
    (it) => it != null,
  );
  const { additional_details, gateway_slug, gateway_subdomain } = instance;
  const { gateway_ssh_port, gateway_port_range_start, gateway_port_range_end } = instance;
  const optional = {
    additional_details,
    gateway_slug,
    gateway_subdomain,
    gateway_ssh_port,
    gateway_port_range_start,
    gateway_port_range_end,
  };
  return {
    externalId: instance.external_id,
    host: addresses.find((address) => !isIPv6(address)) ?? addresses[0],
    port: instance.ssh_port,
    user: instance.ssh_user ?? undefined,
    addresses: [...new Set(addresses)],
    hostKeyFingerprint: instance.host_key_fingerprint ?? undefined,
    isConfirmed: false,
    details: Object.fromEntries(
      Object.entries(optional).flatMap(([name, value]) => (value == null ? [] : [[name, value]])),
    ),
  };
}

const STATES = { running: 'Running', stopped: 'Stopped', unknown: 'Unknown' } as const;

export function toListed(listed: z.infer<typeof Listed>): ListedInstance {
  return {
    externalId: listed.external_id,
    contractId: listed.contract_id,
    epoch: listed.epoch,
    installation: listed.installation,
    agentUid: listed.agent_uid ?? undefined,
    state: STATES[listed.state],
    createdAt: listed.created_at,
    ...sizeIn(listed),
  };
}

/** What it does not say takes nothing that is known. */
function sizeIn({ cpu_cores, memory_mb, storage_gb }: z.infer<typeof Listed>): Pick<ListedInstance, 'size'> {
  if (cpu_cores == null && memory_mb == null && storage_gb == null) return {};
  return {
    size: {
      cpuMilli: (cpu_cores ?? 0) * 1000,
      memoryBytes: (memory_mb ?? 0) * MIB,
      storageBytes: (storage_gb ?? 0) * GIB,
    },
  };
}

export function toHealth(health: z.infer<typeof HealthAnswer>): Health {
  switch (health.status) {
    case 'healthy':
      return { status: 'Healthy', uptimeSeconds: health.uptime_seconds ?? undefined };
    case 'unhealthy':
      return { status: 'Unhealthy', reason: health.reason };
    case 'unknown':
      return { status: 'Unknown' };
  }
}
