/** A kubeconfig with everything in it, readable by its owner alone. */
import { mkdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { stringify } from 'yaml';
import { writeFileAtomically } from '../files.ts';
import type { CertificateFiles } from './certificates.ts';

const NAME = 'dcmarket';

export type KubeconfigContent = Readonly<{
  server: string;
  authorityFile: string;
  user: string;
  client: CertificateFiles;
}>;

/** Writes it with mode 0600 and answers `file`. */
export function writeKubeconfig(
  file: string,
  { server, authorityFile, user, client }: KubeconfigContent,
): string {
  const base64 = (path: string): string => readFileSync(path).toString('base64');
  const content = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: NAME, cluster: { server, 'certificate-authority-data': base64(authorityFile) } }],
    users: [
      {
        name: user,
        user: {
          'client-certificate-data': base64(client.certificate),
          'client-key-data': base64(client.key),
        },
      },
    ],
    contexts: [{ name: NAME, context: { cluster: NAME, user } }],
    'current-context': NAME,
  };
  mkdirSync(dirname(file), { recursive: true });
  writeFileAtomically(file, stringify(content), 0o600);
  return file;
}
