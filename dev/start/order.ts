/** The order in which what runs is stopped: clients before the API server, the API server before its etcd. */
export const SERVERS_LAST: readonly string[] = ['kube-apiserver', 'etcd', 'postgres'];
