/** `npm run control-plane`: a real build into a fresh folder, and a server from it that answers. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureControlPlane } from '../control-plane/ensure.ts';
import { runKubectl } from '../control-plane/manifests.ts';
import { startControlPlane } from '../control-plane/run.ts';
import { KUBERNETES_VERSION } from '../control-plane/versions.ts';
import { Failure } from '../failure.ts';
import type { Dev } from './dev.ts';

export async function runControlPlane(dev: Dev, { cold = false }: { cold?: boolean }): Promise<number> {
  const { progress } = dev;
  const folder = mkdtempSync(join(tmpdir(), 'dcmarket-build-'));
  const env = cold ? { ...dev.env, GOCACHE: join(folder, 'go-build') } : dev.env;
  try {
    const binaries = await progress.step('built', (step) =>
      ensureControlPlane({
        ...dev,
        env,
        report: step.report,
        sources: ['build'],
        cacheRoot: join(folder, 'cache'),
      }),
    );
    await progress.step('answers /version', async (step) => {
      const context = { ...dev, report: step.report };
      const folders = { run: join(folder, 'run'), logs: join(folder, 'logs') };
      const server = await startControlPlane(context, {
        binaries,
        folder: join(folder, 'data'),
        folders,
        fsync: false,
      });
      try {
        const kubectl = {
          kubectl: binaries.kubectl,
          kubeconfig: server.kubeconfig,
          cacheFolder: join(folder, 'kubectl'),
        };
        const answer = await runKubectl(context, kubectl, ['get', '--raw', '/version']);
        if (!answer.includes(`"v${KUBERNETES_VERSION}"`))
          throw new Failure(
            'BuildFailed',
            `the server calls itself ${answer.trim()}, not v${KUBERNETES_VERSION}`,
          );
        step.detail(`v${KUBERNETES_VERSION}`);
      } finally {
        await server.stop();
      }
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return 0;
}
