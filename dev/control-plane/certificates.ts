/**
 * Certificates of the local control plane. Two authorities: one for clients and server of the API server, one
 * for etcd, so that no kubeconfig, however few its rights, opens etcd. Files that exist and are still good are
 * kept, so that a restart changes nothing for those who hold a kubeconfig.
 */
import 'reflect-metadata'; // @peculiar/x509 needs it loaded first
import { generateKeyPairSync, X509Certificate as NodeCertificate, randomBytes, webcrypto } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as x509 from '@peculiar/x509';
import { writeFileAtomically } from '../files.ts';

export type CertificateFiles = Readonly<{ certificate: string; key: string }>;

const DAY_MS = 86_400_000;
const AUTHORITY_DAYS = 3650;
const LEAF_DAYS = 397;
/** A leaf with less than this left is issued anew at the next start. */
const RENEW_BEFORE_MS = 30 * DAY_MS;
const SKEW_MS = 5 * 60_000;
const CURVE = { name: 'ECDSA', namedCurve: 'P-256' } as const;
const SIGNING = { name: 'ECDSA', hash: 'SHA-256' } as const;

export type Authority = CertificateFiles &
  Readonly<{ signer: webcrypto.CryptoKey; parsed: x509.X509Certificate }>;

/** Reads the authority `name` in `folder`, or makes it. */
export async function ensureAuthority(folder: string, name: string, now: Date): Promise<Authority> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const files = filesOf(folder, name);
  if (!hasBoth(files)) {
    const keys = await webcrypto.subtle.generateKey(CURVE, true, ['sign', 'verify']);
    const certificate = await x509.X509CertificateGenerator.createSelfSigned({
      serialNumber: serialNumber(),
      name: `CN=dcmarket ${name}`,
      ...validity(now, AUTHORITY_DAYS),
      signingAlgorithm: SIGNING,
      keys,
      extensions: [
        new x509.BasicConstraintsExtension(true, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      ],
    });
    await write(files, certificate, keys.privateKey);
  }
  const [pem] = x509.PemConverter.decode(readFileSync(files.key, 'utf8'));
  if (!pem) throw new Error(`no key in ${files.key}`);
  const signer = await webcrypto.subtle.importKey('pkcs8', pem, CURVE, false, ['sign']);
  return { ...files, signer, parsed: new x509.X509Certificate(readFileSync(files.certificate, 'utf8')) };
}

export type Leaf = Readonly<{
  /** Name of the files. */
  file: string;
  commonName: string;
  /** Kubernetes reads them as groups. */
  organizations?: readonly string[];
  usage: 'server' | 'client';
  /** DNS names and IP addresses of a server. */
  names?: readonly string[];
}>;

/** A certificate signed by `authority`: the one on disk while it is good, else a new one. */
export async function ensureLeaf(
  folder: string,
  authority: Authority,
  leaf: Leaf,
  now: Date,
): Promise<CertificateFiles> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const files = filesOf(folder, leaf.file);
  if (hasBoth(files) && isGood(files, authority, now)) return files;
  const keys = await webcrypto.subtle.generateKey(CURVE, true, ['sign', 'verify']);
  const usage =
    leaf.usage === 'server'
      ? [x509.ExtendedKeyUsage.serverAuth, x509.ExtendedKeyUsage.clientAuth]
      : [x509.ExtendedKeyUsage.clientAuth];
  const organizations = leaf.organizations ?? [];
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    subject: new x509.Name([
      ...(organizations.length > 0 ? [{ O: [...organizations] }] : []),
      { CN: [leaf.commonName] },
    ]),
    issuer: authority.parsed.subject,
    ...validity(now, LEAF_DAYS),
    signingAlgorithm: SIGNING,
    publicKey: keys.publicKey,
    signingKey: authority.signer,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension(usage, false),
      await x509.AuthorityKeyIdentifierExtension.create(authority.parsed),
      ...(leaf.names ? [new x509.SubjectAlternativeNameExtension(leaf.names.map(generalName), false)] : []),
    ],
  });
  await write(files, certificate, keys.privateKey);
  return files;
}

/** The key pair that signs service-account tokens: the one on disk, or a new one. */
export function ensureServiceAccountKey(folder: string): { publicKey: string; privateKey: string } {
  const files = { publicKey: join(folder, 'sa.pub'), privateKey: join(folder, 'sa.key') };
  if (existsSync(files.publicKey) && existsSync(files.privateKey)) return files;
  const pair = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  writeFileAtomically(files.privateKey, pair.privateKey, 0o600);
  writeFileAtomically(files.publicKey, pair.publicKey);
  return files;
}

function isGood(files: CertificateFiles, authority: Authority, now: Date): boolean {
  try {
    const certificate = new NodeCertificate(readFileSync(files.certificate));
    const issuer = new NodeCertificate(readFileSync(authority.certificate));
    const leftMs = Date.parse(certificate.validTo) - now.getTime();
    return leftMs > RENEW_BEFORE_MS && certificate.verify(issuer.publicKey);
  } catch {
    return false;
  }
}

async function write(
  files: CertificateFiles,
  certificate: x509.X509Certificate,
  key: webcrypto.CryptoKey,
): Promise<void> {
  const pkcs8 = await webcrypto.subtle.exportKey('pkcs8', key);
  // The key first: a certificate without its key is never taken for a pair.
  writeFileAtomically(files.key, x509.PemConverter.encode(pkcs8, 'PRIVATE KEY'), 0o600);
  writeFileAtomically(files.certificate, certificate.toString('pem'));
}

function filesOf(folder: string, name: string): CertificateFiles {
  return { certificate: join(folder, `${name}.crt`), key: join(folder, `${name}.key`) };
}

function hasBoth({ certificate, key }: CertificateFiles): boolean {
  return existsSync(certificate) && existsSync(key);
}

function generalName(name: string): x509.GeneralName {
  return new x509.GeneralName(/^[\d.]+$|:/.test(name) ? 'ip' : 'dns', name);
}

function validity(now: Date, days: number): { notBefore: Date; notAfter: Date } {
  return {
    notBefore: new Date(now.getTime() - SKEW_MS),
    notAfter: new Date(now.getTime() + days * DAY_MS),
  };
}

/** Positive, as X.509 wants it. */
function serialNumber(): string {
  const bytes = randomBytes(16);
  bytes[0] = (bytes[0] ?? 0) & 0x7f;
  return bytes.toString('hex');
}
