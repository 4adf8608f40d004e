/**
 * Writes `crds/manifests/*.yaml` from the zod schemas, and `crds/manifests/policies/*.yaml` from `crds/policies.ts`.
 * `--check` writes nothing and exits 1 when a committed file differs, with the command that mends it.
 */
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { manifestsOf, POLICIES } from '../policies.ts';
import { RESOURCES } from '../resources.ts';
import { crdOf } from './crd.ts';

const FOLDER = join(import.meta.dirname, '..', 'manifests');
/** Apart: kubectl waits for everything in the folder above to be served, and a policy is not served. */
const POLICY_FOLDER = join(FOLDER, 'policies');

const yaml = (object: unknown): string => stringify(object, { lineWidth: 110, aliasDuplicateObjects: false });

const CRDS = new Map(
  RESOURCES.map((definition) => [
    `${definition.plural}.yaml`,
    `# Made from the zod schemas in crds/ by \`npm run gen\`. Do not edit.\n${yaml(crdOf(definition))}`,
  ]),
);
const POLICY_FILES = new Map(
  POLICIES.map((policy) => [
    `${policy.name}.yaml`,
    `# Made from crds/policies.ts by \`npm run gen\`. Do not edit.\n${manifestsOf(policy).map(yaml).join('---\n')}`,
  ]),
);

type Wanted = ReadonlyMap<string, string>;
type Difference = Readonly<{ changed: readonly string[]; stale: readonly string[] }>;

async function compare(folder: string, wanted: Wanted): Promise<Difference> {
  const present = (await readdir(folder).catch(() => [])).filter((file) => file.endsWith('.yaml'));
  const changed: string[] = [];
  for (const [file, content] of wanted) {
    const current = present.includes(file) ? await readFile(join(folder, file), 'utf8') : '';
    if (current !== content) changed.push(file);
  }
  return { changed, stale: present.filter((file) => !wanted.has(file)) };
}

async function bring(folder: string, wanted: Wanted, mode: 'Write' | 'Check'): Promise<Difference> {
  const difference = await compare(folder, wanted);
  if (mode === 'Check') return difference;
  await mkdir(folder, { recursive: true });
  for (const file of difference.changed) await writeFile(join(folder, file), wanted.get(file) ?? '');
  for (const file of difference.stale) await rm(join(folder, file));
  return difference;
}

async function main(mode: 'Write' | 'Check'): Promise<number> {
  const parts = [
    { name: 'crds/manifests', wanted: CRDS, ...(await bring(FOLDER, CRDS, mode)) },
    {
      name: 'crds/manifests/policies',
      wanted: POLICY_FILES,
      ...(await bring(POLICY_FOLDER, POLICY_FILES, mode)),
    },
  ];
  let differences = 0;
  for (const { name, wanted, changed, stale } of parts) {
    differences += changed.length + stale.length;
    if (mode === 'Check')
      for (const file of [...changed, ...stale])
        console.error(`${name}/${file} is out of date: run npm run gen`);
    else console.log(`${name}: ${changed.length} written, ${stale.length} removed, ${wanted.size} in all`);
  }
  return mode === 'Check' && differences > 0 ? 1 : 0;
}

process.exitCode = await main(process.argv.includes('--check') ? 'Check' : 'Write');
