/** The commands that only run one program with the terminal: `gen`, `format`, `bench`. */
import type { Dev } from './dev.ts';
import { runNode, TOOLS } from './tool.ts';

export async function runGen(dev: Dev, { check = false }: { check?: boolean }): Promise<number> {
  const { code } = await runNode(dev, 'crds/gen/main.ts', check ? ['--check'] : [], { output: 'inherit' });
  return code;
}

export async function runFormat(dev: Dev): Promise<number> {
  const { code } = await runNode(dev, TOOLS.biome, ['check', '--write'], { output: 'inherit' });
  return code;
}

export async function runBench(dev: Dev, names: readonly string[]): Promise<number> {
  const { code } = await runNode(dev, 'bench/main.ts', names, { output: 'inherit' });
  return code;
}
