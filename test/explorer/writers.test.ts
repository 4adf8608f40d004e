/** What the explorer drives is all there is: nobody else writes a contract's status. */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const PARTS = ['api', 'operator', 'agent', 'cli', 'kube', 'store', 'crds', 'dev'];
const sources = PARTS.flatMap((part) =>
  readdirSync(part, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.includes('node_modules'))
    .map((name) => `${part}/${name}`),
)
  .filter((path) => !path.endsWith('.test.ts') && !path.includes('/testing/'))
  .map((path) => ({ path, text: readFileSync(path, 'utf8') }));

test('the status of a contract is written by settling a rule, and by applying a decision; else after a restore', () => {
  const writers = sources.flatMap(({ path, text }) =>
    [...text.matchAll(/(\w+)\s*\??\.updateStatus\(/g)].map(([, receiver]) => ({ path, receiver })),
  );
  const others = ['offerings', 'providers', 'agents', 'pools', 'tokens'];
  const ofContracts = writers.filter(({ receiver = '' }) => !others.includes(receiver));
  expect(ofContracts).toEqual([
    { path: 'api/settle.ts', receiver: 'contracts' },
    { path: 'operator/contract/apply.ts', receiver: 'contracts' },
    // After a restore of an older etcd everything else stands still. docs/contract.md, 12.
    { path: 'operator/restore/resolve.ts', receiver: 'contracts' },
    // What updateStatus itself is made of: it knows no kinds.
    { path: 'kube/write.ts', receiver: 'resource' },
  ]);
});

test('a move of a contract is made by the rules alone', () => {
  const movers = sources.filter(
    ({ path, text }) =>
      !path.startsWith('crds/contract/') &&
      /import \{[^}]*\b(move|withHistory|withAttempt|withoutHolder)\b[^}]*\} from '[^']*crds\/contract\/move\.ts'/.test(
        text,
      ),
  );
  expect(movers.map(({ path }) => path)).toEqual([]);
});
