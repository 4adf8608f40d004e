/**
 * The kinds of field that resources and HTTP bodies share. Every one has a bound, because an unbounded string
 * or list makes CEL rules too expensive for the API server and lets one caller fill etcd.
 */
import { z } from 'zod';

/** A DNS-1123 label: what an object's `metadata.name` may be here. */
export const NAME_PATTERN = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

export const name = () => z.string().min(1).max(63).regex(NAME_PATTERN);

export const text = (max: number) => z.string().max(max);

/** An Ed25519 public key: 64 lower-case hex characters. */
export const publicKey = () =>
  z
    .string()
    .length(64)
    .regex(/^[0-9a-f]{64}$/);

export const sha256Hex = publicKey;

/** A Kubernetes UID. Not format `uuid`, which would also take one without dashes. */
export const uid = () =>
  z
    .string()
    .length(36)
    .regex(/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/);

/** RFC 3339 in UTC. The pattern is there because the format alone takes offsets and a comma. */
export const instant = () =>
  z
    .string()
    .max(40)
    .regex(/^[0-9-]{10}T[0-9:.]+Z$/)
    .meta({ format: 'date-time' });

/** A Kubernetes quantity such as `2`, `500m`, `4Gi`. */
export const quantity = () =>
  z
    .string()
    .min(1)
    .max(24)
    .regex(/^[0-9]+(\.[0-9]{1,3})?(m|k|M|G|T|P|Ki|Mi|Gi|Ti|Pi)?$/);

/** A version as semver has it, without build metadata. */
export const version = () =>
  z
    .string()
    .max(64)
    .regex(/^[0-9]{1,9}\.[0-9]{1,9}\.[0-9]{1,9}(-[0-9A-Za-z.-]+)?$/);

/** A word such as a named feature, a storage class or a group: no blanks, safe to print. */
export const word = () =>
  z
    .string()
    .min(1)
    .max(63)
    .regex(/^[A-Za-z0-9]([A-Za-z0-9._:/-]*[A-Za-z0-9])?$/);

export const count = (max = 1_000_000_000) => z.int().min(0).max(max);

/** One line in authorized_keys form. As lenient as the reference server, so that its clients' keys pass. */
export const sshPublicKey = () =>
  z
    .string()
    .min(12)
    .max(8192)
    .regex(
      /^(ssh-(rsa|ed25519|ecdsa|dss)|ecdsa-sha2-nistp(256|384|521)|sk-ssh-ed25519@openssh\.com|sk-ecdsa-sha2-nistp256@openssh\.com) [A-Za-z0-9+/]+={0,2}( [^\r\n]{0,255})?$/,
    );

/** The API server says it too, by a rule of `spec`. */
export const NO_KEY = 'at least one key, or nobody can log in';

export const sshPublicKeys = () => z.array(sshPublicKey()).min(1, NO_KEY).max(16);

export const PROVISIONER_TYPES = [
  'proxmox',
  'script',
  'manual',
  'docker',
  'digitalocean',
  'hetzner',
] as const;
export const provisionerType = () => z.enum(PROVISIONER_TYPES);

/** Any JSON object: the API server stores it as it is. */
export const freeForm = () => z.record(z.string(), z.json());
