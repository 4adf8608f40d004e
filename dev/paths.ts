/** Where things are in a checkout. Everything that a run writes is under `.dcmarket/`. */
import { join } from 'node:path';
import type { ProcessFolders } from './processes/managed-process.ts';

export type Paths = Readonly<{
  root: string;
  /** `.dcmarket/` */
  state: string;
  /** Run files and logs of the processes of `npm start`. */
  folders: ProcessFolders;
  /** Held while `npm start` runs. */
  startLock: string;
  controlPlane: string;
  kubeconfig: string;
  postgres: string;
  ports: string;
  manifests: string;
}>;

export function pathsOf(root: string): Paths {
  const state = join(root, '.dcmarket');
  return {
    root,
    state,
    folders: { run: join(state, 'run'), logs: join(state, 'logs') },
    startLock: join(state, 'start.lock'),
    controlPlane: join(state, 'control-plane'),
    kubeconfig: join(state, 'kubeconfig'),
    postgres: join(state, 'postgres'),
    ports: join(state, 'ports.json'),
    manifests: join(root, 'crds', 'manifests'),
  };
}
