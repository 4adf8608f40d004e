/** The configuration file that setup writes: what is known is filled in, what a person must know is a comment. */

export type ScriptPrograms = Readonly<{
  provision: string;
  terminate?: string | undefined;
  health_check?: string | undefined;
  start?: string | undefined;
  stop?: string | undefined;
  list?: string | undefined;
}>;

export type NewConfig = Readonly<{
  apiUrl: string;
  providerPubkey: string;
  poolId: string;
  label: string | undefined;
  stateDir: string;
  keyPath: string;
  provisionerType: string;
  script: ScriptPrograms;
  /** False: machines take nothing for themselves alone, so this host is not measured. */
  detectsResources: boolean;
}>;

export function configText(config: NewConfig): string {
  return `# Written by dc-agent setup. "dc-agent doctor" checks it.

[agent]
api_url = ${text(config.apiUrl)}
provider_pubkey = ${text(config.providerPubkey)}
pool_id = ${text(config.poolId)}
${config.label === undefined ? '' : `label = ${text(config.label)}\n`}# Longest wait of one poll for work, and how long a lock is trusted that was not renewed.
poll_interval_seconds = 30
lock_timeout_seconds = 300
# What a crash must not lose. Keep it: it says which machines must not be built again.
state_dir = ${text(config.stateDir)}
# Contracts that are built at the same time; max_instances limits how many this host takes in all.
max_concurrent = 4
# max_instances = 20

[keys]
private_key_path = ${text(config.keyPath)}

[provisioner]
type = ${text(config.provisionerType)}
${provisionerTable(config)}${resourcesTable(config)}`;
}

function provisionerTable({ provisionerType, script }: NewConfig): string {
  switch (provisionerType) {
    case 'script': {
      const programs = Object.entries(script).filter(
        (entry): entry is [string, string] => entry[1] !== undefined,
      );
      const lines = programs.map(([name, path]) => `${name} = ${text(path)}`);
      return `
[provisioner.script]
# "provision" answers every action that has no program of its own:
# terminate, health_check, start, stop, list, retag, get_instance.
${lines.join('\n')}
timeout_seconds = 300
`;
    }
    case 'proxmox':
      return `
[provisioner.proxmox]
# api_url = "https://proxmox.local:8006"
# api_token_id = "dc-agent@pam!provisioning"
# api_token_secret = "your-secret-here"
# node = "pve1"
# template_vmid = 100
# storage = "local-lvm"
# bridge = "vmbr0"
# pool = "dc-vms"
`;
    default:
      return '';
  }
}

const resourcesTable = ({ detectsResources }: NewConfig): string => `
[resources]
# What machines may use of this host. True: what is not given is measured; false: it is not limited.
detect = ${detectsResources}
# cpu = 16
# memory_gb = 64
# disk_gb = 1000
# gpus = 1
# What offerings may ask for by name.
# storage_classes = ["nvme"]
# capabilities = ["kvm"]
`;

/** A TOML basic string: JSON's escapes are all valid there. */
const text = (value: string): string => JSON.stringify(value);
