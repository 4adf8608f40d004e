/**
 * What makes this dcmarket one installation: an id, which tags every machine that its agents build, and a key
 * that signs delegations. Made once, by whichever facade creates the Secret first; everybody else reads it.
 */
import { randomBytes } from 'node:crypto';
import { isAlreadyExists, isNotFound } from '../kube/error.ts';
import { generateKeyPair, HEX_KEY, publicKeyOf } from '../lib/signature/keys.ts';
import type { Clients, Secret } from './clients.ts';

export type Installation = Readonly<{ id: string; seed: string; publicKey: string }>;

export const INSTALLATION_SECRET = 'dcmarket-installation';

type Options = Readonly<{ clients: Pick<Clients, 'secrets' | 'namespaces'>; namespace: string }>;

/** Reads or makes it, then remembers it. A failure is not remembered: the next call tries again. */
export function installationOf(options: Options): () => Promise<Installation> {
  let known: Promise<Installation> | undefined;
  return () => {
    known ??= readOrMake(options).catch((error: unknown) => {
      known = undefined;
      throw error;
    });
    return known;
  };
}

async function readOrMake(options: Options): Promise<Installation> {
  const ref = { namespace: options.namespace, name: INSTALLATION_SECRET };
  const there = await options.clients.secrets.get(ref);
  if (there) return parse(there);
  try {
    return parse(await make(options));
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
    const made = await options.clients.secrets.get(ref); // another facade was first
    if (!made) throw error;
    return parse(made);
  }
}

async function make({ clients, namespace }: Options): Promise<Secret> {
  const draft = {
    metadata: { namespace, name: INSTALLATION_SECRET, labels: { 'app.kubernetes.io/name': 'dcmarket' } },
    type: 'Opaque',
    data: { id: encode(randomBytes(8).toString('hex')), seed: encode(generateKeyPair().seed) },
  };
  try {
    return await clients.secrets.create(draft);
  } catch (error) {
    if (!isNotFound(error)) throw error;
    await clients.namespaces.create({ metadata: { name: namespace } }).catch((cause: unknown) => {
      if (!isAlreadyExists(cause)) throw cause;
    });
    return clients.secrets.create(draft);
  }
}

function parse({ metadata, data }: Secret): Installation {
  const id = decode(data?.['id']);
  const seed = decode(data?.['seed']);
  if (!/^[0-9a-z]{4,64}$/.test(id) || !HEX_KEY.test(seed))
    throw new Error(
      `Secret ${metadata.namespace ?? ''}/${metadata.name} must hold id (4-64 of 0-9 a-z) and seed (64 hex); ` +
        'restore it from a backup: machines are tagged with the id',
    );
  return { id, seed, publicKey: publicKeyOf(seed) };
}

const encode = (text: string): string => Buffer.from(text).toString('base64');
const decode = (text: string | undefined): string => Buffer.from(text ?? '', 'base64').toString();
