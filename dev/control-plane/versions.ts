/** Which control plane we run, and how this machine is called in the names of archives and folders. */

/** Also in `go/kubernetes/go.mod` (all of it: the replaced modules are v0.36.3). A test compares. */
export const KUBERNETES_VERSION = '1.36.3';
/** Also in `go/etcd/go.mod`. */
export const ETCD_VERSION = '3.6.16';

export const BINARIES = ['kube-apiserver', 'etcd', 'kubectl'] as const;
export type Binary = (typeof BINARIES)[number];

/** Names of operating systems and processors as Go has them: `linux-amd64`. */
export function platformName(platform: string = process.platform, arch: string = process.arch): string {
  const goArch = ({ x64: 'amd64', ia32: '386', ppc64: 'ppc64le' } as Record<string, string>)[arch] ?? arch;
  return `${platform}-${goArch}`;
}
