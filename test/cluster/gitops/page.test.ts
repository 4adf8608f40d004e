/** Every command of docs/gitops.md, as it stands there, and every refusal in the words that the page gives. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { parse } from 'yaml';
import type { Agent } from '../../../crds/agent.ts';
import type { AgentPool } from '../../../crds/agent-pool.ts';
import type { Offering } from '../../../crds/offering.ts';
import type { Provider } from '../../../crds/provider.ts';
import { RESOURCES } from '../../../crds/resources.ts';
import { eventually } from '../../world/eventually.ts';
import { becomeActive, openStage, type Stage } from './stage.ts';

const ROOT = join(import.meta.dirname, '../../..');
const PAGE = readFileSync(join(ROOT, 'docs/gitops.md'), 'utf8');

let stage: Stage;
let folder: string;
beforeAll(async () => {
  stage = await openStage('page');
  folder = mkdtempSync(join(tmpdir(), 'dcmarket-page-'));
  const script = (name: string, command: string) =>
    writeFileSync(join(folder, name), `#!/bin/sh\nexec ${command} "$@"\n`, { mode: 0o755 });
  const cache = `--cache-dir='${folder}/cache'`;
  script(
    'kubectl',
    `'${inject('controlPlaneFolder')}/kubectl' --kubeconfig='${inject('kubeconfig')}' ${cache}`,
  );
  script('dcm', `'${process.execPath}' '${join(ROOT, 'cli/bin/dcm.mjs')}'`);
  writeFileSync(join(folder, 'contract.yaml'), here(block('Renting', 'yaml')));
  await stage.make<Provider>('Provider', stage.namespace);
  await stage.make<AgentPool>('AgentPool', 'europe-script');
  await stage.make<Agent>('Agent', 'node-1');
});
afterAll(async () => {
  await stage.close();
  rmSync(folder, { recursive: true, force: true });
});

const section = (heading: string): string => {
  const text = PAGE.split(/^## /m).find((part) => part.startsWith(`${heading}\n`));
  if (text === undefined) throw new Error(`the page has no section ${heading}`);
  return text;
};
function block(heading: string, language: 'sh' | 'yaml'): string {
  const found = new RegExp(`\`\`\`${language}\n(.*?)\`\`\``, 's').exec(section(heading))?.[1];
  if (found === undefined) throw new Error(`${heading} has no ${language}`);
  return found;
}
/** The page's namespace is acme. */
const here = (text: string): string => text.replaceAll(/\bacme\b/g, stage.namespace);

/** Line after line, as somebody would paste it; the first that fails ends it. */
const run = (heading: string) =>
  new Promise<{ code: number; out: string }>((resolve) => {
    execFile(
      'bash',
      ['-euc', here(block(heading, 'sh'))],
      { cwd: folder, env: { ...process.env, PATH: `${folder}:${process.env['PATH'] ?? ''}` } },
      (error, stdout, stderr) => resolve({ code: error ? 1 : 0, out: stdout + stderr }),
    );
  });
const ran = async (heading: string): Promise<string> => {
  const { code, out } = await run(heading);
  expect(code, out).toBe(0);
  return out;
};
const contract = () => stage.clients.contracts.get({ namespace: stage.namespace, name: 'web-1' });

test('every sh of the page is run here', () => {
  const withCommands = PAGE.split(/^## /m).filter((part) => part.includes('```sh'));
  expect(withCommands.map((part) => part.split('\n')[0])).toEqual([
    'Who rents',
    'Renting',
    'Changing it',
    'Ending it',
    'Selling',
  ]);
  expect(PAGE.split('```sh').length - 1).toBe(withCommands.length);
});

test('who rents', async () => {
  expect(await ran('Who rents')).toMatch(/^[0-9a-f]{64}$/m);
});

test('renting: applied before its offering it waits, then it is built, and its address is there', async () => {
  const renting = run('Renting');
  await eventually(async () => expect((await contract())?.status?.reason).toBe('OfferingNotFound'));
  await stage.make<Offering>('Offering', 'vps-small');
  await eventually(async () => expect((await contract())?.status?.phase).toBe('Accepted'));
  await becomeActive(stage, 'web-1');
  const { code, out } = await renting;
  expect(code, out).toBe(0);
  expect(out).toMatch(/condition met\n192\.0\.2\.10:22\nSHA256:A+\n/);
  expect(out).toMatch(/Phase:\s+Active/);
});

test('changing it', async () => {
  await ran('Changing it');
  expect((await contract())?.spec.powerState).toBe('Stopped');
});

describe('refused', () => {
  const rows = [...section('What is refused').matchAll(/^\| `(\{.*\})` \| (.*) \|$/gm)];
  test('there is a table', () => expect(rows.length).toBeGreaterThan(5));
  test.each(rows.map(([, patch = '', answer = '']) => [patch, answer]))('%s', async (patch, answer) => {
    const args = ['patch', 'contract', 'web-1', '-n', stage.namespace, '--type=merge', '-p', patch];
    const { code, stderr } = await stage.kubectl(args);
    expect(code).toBe(1);
    expect(stderr).toContain(answer);
  });
});

test('selling: the pool waits and says for what', async () => {
  expect(await ran('Selling')).toMatch(/is used by 1 agent \(node-1\)/);
});

test('ending it: refused while protected, then Terminating until the agent confirms', async () => {
  expect(await ran('Ending it')).toContain('web-1 is protected from deletion');
  await eventually(async () => expect((await contract())?.status?.phase).toBe('Terminating'));
});

test('the health table names every kind that has a Ready, and Flux is given fields that there are', () => {
  const kinds = [...section('Health').matchAll(/^\| ([A-Z]\w+) \| /gm)].map(([, kind]) => kind);
  const without = ['Recipe', 'SetupToken'];
  expect([...kinds, ...without].sort()).toEqual(RESOURCES.map(({ kind }) => kind).sort());
  const { healthCheckExprs } = parse(block('Health', 'yaml'));
  expect(Object.keys(healthCheckExprs[0]).sort()).toEqual(['apiVersion', 'current', 'failed', 'kind']);
});
