/** The flags that etcd and kube-apiserver are started with, and why each that is not obvious. */
import type { CertificateFiles } from './certificates.ts';

export function etcdFlags(options: {
  dataFolder: string;
  url: string;
  peerUrl: string;
  serving: CertificateFiles;
  authority: CertificateFiles;
  fsync: boolean;
}): string[] {
  const { dataFolder, url, peerUrl, serving, authority, fsync } = options;
  return [
    '--name=dcmarket',
    `--data-dir=${dataFolder}`,
    `--listen-client-urls=${url}`,
    `--advertise-client-urls=${url}`,
    `--listen-peer-urls=${peerUrl}`,
    // Both sides of TLS: any process on this machine, an instance of a tenant too, can reach the port.
    `--cert-file=${serving.certificate}`,
    `--key-file=${serving.key}`,
    `--trusted-ca-file=${authority.certificate}`,
    '--client-cert-auth=true',
    `--peer-cert-file=${serving.certificate}`,
    `--peer-key-file=${serving.key}`,
    `--peer-trusted-ca-file=${authority.certificate}`,
    '--peer-client-cert-auth=true',
    '--log-level=warn',
    `--unsafe-no-fsync=${!fsync}`,
  ];
}

export function apiserverFlags(options: {
  port: number;
  etcd: { url: string; authority: string; client: CertificateFiles };
  serving: CertificateFiles;
  clientAuthority: string;
  serviceAccount: { publicKey: string; privateKey: string };
  certificateFolder: string;
}): string[] {
  const { port, etcd, serving, clientAuthority, serviceAccount, certificateFolder } = options;
  return [
    '--bind-address=127.0.0.1',
    '--advertise-address=127.0.0.1',
    `--secure-port=${port}`,
    `--etcd-servers=${etcd.url}`,
    `--etcd-cafile=${etcd.authority}`,
    `--etcd-certfile=${etcd.client.certificate}`,
    `--etcd-keyfile=${etcd.client.key}`,
    `--cert-dir=${certificateFolder}`,
    `--tls-cert-file=${serving.certificate}`,
    `--tls-private-key-file=${serving.key}`,
    `--client-ca-file=${clientAuthority}`,
    // Does not name the port, so that tokens outlive a change of it.
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-key-file=${serviceAccount.publicKey}`,
    `--service-account-signing-key-file=${serviceAccount.privateKey}`,
    '--authorization-mode=RBAC',
    '--service-cluster-ip-range=10.96.0.0/16',
    '--allow-privileged=true',
    // Nobody here makes the default ServiceAccount that this plugin insists on.
    '--disable-admission-plugins=ServiceAccount',
    // A watch that is open at SIGTERM is told to end instead of holding the server up.
    '--shutdown-watch-termination-grace-period=1s',
    '--v=1',
  ];
}
