/**
 * The configuration file as the specification's "Config File Structure" has it, plus our own keys. Strict: a
 * key that is not known is an error, because a misspelt limit that is silently ignored is worse than none.
 */
import { z } from 'zod';
import { name, provisionerType, publicKey, word } from '../../crds/fields.ts';
import { ScriptConfig } from '../provisioner/script.ts';

const seconds = (min: number, max: number) => z.int().min(min).max(max);

const Agent = z.strictObject({
  api_url: z.url({ protocol: /^https?$/ }).describe('Address of the facade, e.g. https://api.example.com.'),
  provider_pubkey: publicKey().describe('Public key of the provider, 64 hex digits.'),
  pool_id: name().describe('Pool that was joined.'),
  poll_interval_seconds: seconds(1, 300).default(30).describe('Longest wait of one poll for work. Seconds.'),
  lock_timeout_seconds: seconds(1, 3600)
    .default(300)
    .describe(
      'A lock that was not renewed is trusted no longer than this, whatever the server says. Seconds.',
    ),
  label: z.string().min(1).max(100).optional().describe('Name for people.'),
  state_dir: z.string().min(1).optional().describe('Folder of what a crash must not lose.'),
  max_concurrent: z
    .int()
    .min(1)
    .max(64)
    .optional()
    .describe('Contracts that are built at the same time: 4, or 64 when a person builds.'),
  max_instances: z.int().min(1).max(4096).optional().describe('Instances that this host has room for.'),
  reconcile_interval_seconds: seconds(1, 86_400)
    .default(60)
    .describe('How often machines are compared. Seconds.'),
  quarantine_hours: z
    .number()
    .min(0)
    .max(8760)
    .default(24)
    .describe('A machine of no contract is destroyed when it was stopped for so long.'),
  ssh_timeout_seconds: seconds(1, 3600)
    .default(120)
    .describe('How long a new machine has until SSH answers.'),
  stop_timeout_seconds: seconds(0, 600)
    .default(10)
    .describe('At a stop, running steps get this long. Seconds.'),
  log_level: z
    .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'])
    .default('info')
    .describe('Log level.'),
});

const Reconcile = z
  .strictObject({
    min_orphan_age_minutes: z
      .number()
      .min(0)
      .max(1440)
      .default(15)
      .describe('A machine of no contract is left alone while it is younger.'),
    max_orphans_destroyed_per_hour: z
      .int()
      .min(0)
      .max(1000)
      .default(5)
      .describe('The others wait for their turn; 0: none is ever destroyed.'),
  })
  .prefault({});

const Resources = z
  .strictObject({
    detect: z
      .boolean()
      .optional()
      .describe(
        'Measure this host for what is not given here; otherwise that is not limited. On for scripts, whose machines run here.',
      ),
    cpu: z.int().min(1).max(100_000).optional().describe('Logical CPUs for machines.'),
    memory_gb: z.number().min(0.1).max(1_000_000).optional().describe('Memory for machines. GiB.'),
    disk_gb: z.number().min(0.1).max(1_000_000_000).optional().describe('Disk for machines. GiB.'),
    gpus: z.int().min(0).max(64).optional().describe('Whole GPUs for machines.'),
    storage_classes: z
      .array(word())
      .max(16)
      .optional()
      .describe('Kinds of disk that an offering may ask for.'),
    capabilities: z
      .array(word())
      .max(64)
      .default([])
      .describe('Named features that an offering may ask for, e.g. kvm.'),
  })
  .prefault({});

const Keys = z.strictObject({
  private_key_path: z.string().min(1).describe('File with the Ed25519 seed, mode 0600.'),
});

const Proxmox = z.strictObject({
  api_url: z.url().describe('Address of the Proxmox API.'),
  api_token_id: z.string().min(1).describe('user@realm!token.'),
  api_token_secret: z.string().min(1).describe('Secret of the token.'),
  node: z.string().min(1).describe('Node of the cluster.'),
  template_vmid: z.int().min(100).describe('Template that is cloned.'),
  storage: z.string().min(1).default('local-lvm').describe('Storage of the disks.'),
  bridge: z.string().min(1).optional().describe('Network bridge.'),
  pool: z.string().min(1).optional().describe('Resource pool.'),
});

const Manual = z.strictObject({}).describe('A person builds; nothing to configure.');

const Provisioner = z
  .strictObject({
    type: provisionerType().describe('What instances are built with.'),
    proxmox: Proxmox.optional(),
    script: ScriptConfig.optional(),
    manual: Manual.optional(),
  })
  .superRefine((value, context) => {
    if (value.type === 'script' && !value.script)
      context.addIssue({
        code: 'custom',
        path: [],
        message: 'type is "script", so the table [provisioner.script] is needed',
      });
    if (value.type === 'proxmox' && !value.proxmox)
      context.addIssue({
        code: 'custom',
        path: [],
        message: 'type is "proxmox", so the table [provisioner.proxmox] is needed',
      });
  });

export const ConfigFile = z.strictObject({
  agent: Agent,
  keys: Keys,
  provisioner: Provisioner,
  reconcile: Reconcile,
  resources: Resources,
});
export type ConfigFile = z.infer<typeof ConfigFile>;
