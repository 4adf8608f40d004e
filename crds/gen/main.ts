/**
 * Writes `crds/manifests/*.yaml` from the zod schemas. `--check` writes nothing and exits 1 when a committed
 * file differs, with the command that mends it.
 */
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { RESOURCES } from '../resources.ts';
import { crdOf } from './crd.ts';

const FOLDER = join(import.meta.dirname, '..', 'manifests');
const HEADER = '# Made from the zod schemas in crds/ by `npm run gen`. Do not edit.\n';

async function main(mode: 'Write' | 'Check'): Promise<number> {
  const wanted = new Map(
    RESOURCES.map((definition) => [
      `${definition.plural}.yaml`,
      HEADER + stringify(crdOf(definition), { lineWidth: 110, aliasDuplicateObjects: false }),
    ]),
  );
  const present = (await readdir(FOLDER)).filter((file) => file.endsWith('.yaml'));
  const stale = present.filter((file) => !wanted.has(file));
  const changed: string[] = [];
  for (const [file, content] of wanted) {
    const current = present.includes(file) ? await readFile(join(FOLDER, file), 'utf8') : '';
    if (current !== content) changed.push(file);
  }
  if (mode === 'Check') {
    for (const file of [...changed, ...stale])
      console.error(`crds/manifests/${file} is out of date: run npm run gen`);
    return changed.length + stale.length === 0 ? 0 : 1;
  }
  for (const file of changed) await writeFile(join(FOLDER, file), wanted.get(file) ?? '');
  for (const file of stale) await rm(join(FOLDER, file));
  console.log(`crds/manifests: ${changed.length} written, ${stale.length} removed, ${wanted.size} in all`);
  return 0;
}

process.exitCode = await main(process.argv.includes('--check') ? 'Check' : 'Write');
