/** kubectl as a person has it, for what a test says of commands: what it printed, what it complained about. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inject, onTestFinished } from 'vitest';

export type Kubectl = (
  args: readonly string[],
  options?: Readonly<{ input?: string }>,
) => Promise<Readonly<{ code: number; stdout: string; stderr: string }>>;

/** For one test file or one test; `close` removes what it cached. */
export function createKubectl(kubeconfig: string = inject('kubeconfig')): {
  kubectl: Kubectl;
  close: () => void;
} {
  const cache = mkdtempSync(join(tmpdir(), 'dcmarket-kubectl-'));
  const program = join(inject('controlPlaneFolder'), 'kubectl');
  const kubectl: Kubectl = (args, { input } = {}) =>
    new Promise((resolve) => {
      const child = execFile(
        program,
        [`--kubeconfig=${kubeconfig}`, `--cache-dir=${cache}`, ...args],
        { maxBuffer: 16 * 1024 * 1024 },
        (error, stdout, stderr) =>
          resolve({ code: error ? (typeof error.code === 'number' ? error.code : 1) : 0, stdout, stderr }),
      );
      child.stdin?.end(input ?? '');
    });
  return { kubectl, close: () => rmSync(cache, { recursive: true, force: true }) };
}

/** Lives as long as the test. */
export function kubectlOfTest(kubeconfig?: string): Kubectl {
  const { kubectl, close } = createKubectl(kubeconfig);
  onTestFinished(close);
  return kubectl;
}
