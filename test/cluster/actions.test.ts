/** What people may ask of a contract: the API server refuses through YAML what the rules refuse, in the same words. */
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { type Action, act } from '../../crds/contract/act.ts';
import { ACTION_NAMES, type ActionName, mayAct, refusalOf } from '../../crds/contract/actions.ts';
import { refusalOfAgreedPrice } from '../../crds/contract/agreed-price.ts';
import { someTerms } from '../../crds/contract/builders.ts';
import type { Contract } from '../../crds/contract/contract.ts';
import { PHASES } from '../../crds/contract/phase.ts';
import type { ContractSpec } from '../../crds/contract/spec.ts';
import { GROUP, VERSION } from '../../crds/group.ts';
import type { PriceValue } from '../../crds/price.ts';
import { createKubeClient, type KubeClient } from '../../kube/client.ts';
import { KubeError } from '../../kube/error.ts';
import { inNamespace } from '../world/cluster.ts';
import { resourceOf } from '../world/market.ts';
import { newContract, walkTo, wayTo } from './phases.ts';

let client: KubeClient;
let namespace: string;
beforeAll(async () => {
  client = createKubeClient({ kubeconfig: { file: inject('kubeconfig') } });
  namespace = await inNamespace('actions');
});
afterAll(() => client.close());

const TERMS = { durationHours: 24, termsSnapshot: someTerms({ maxHours: 30 }) };
const ACTIONS: Record<
  ActionName,
  { action: Action; change: Partial<ContractSpec>; before?: Partial<ContractSpec> }
> = {
  cancel: {
    action: { type: 'cancel', by: 'Tenant' },
    change: { cancel: { requested: true, by: 'Tenant' } },
  },
  decide: { action: { type: 'decide', verdict: 'Accept' }, change: { decision: { verdict: 'Accept' } } },
  extend: { action: { type: 'extend', hours: 2 }, change: { durationHours: 26 } },
  renew: {
    action: { type: 'renew', autoRenew: { hours: 2, maxHours: 28 } },
    change: { autoRenew: { hours: 2, maxHours: 28 } },
  },
  changeKeys: {
    action: { type: 'changeKeys', sshPublicKeys: ['ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB other'] },
    change: { sshPublicKeys: ['ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB other'] },
  },
  power: { action: { type: 'power', powerState: 'Stopped' }, change: { powerState: 'Stopped' } },
  restart: { action: { type: 'restart' }, change: { restart: 1 } },
  reinstall: { action: { type: 'reinstall' }, change: { reinstall: 1 } },
  resetPassword: { action: { type: 'resetPassword' }, change: { passwordReset: 1 } },
  retry: { action: { type: 'retry' }, change: { retry: 1 } },
  pause: { action: { type: 'pause' }, change: { pause: { requested: true } } },
  resume: {
    action: { type: 'resume' },
    change: { pause: { requested: false } },
    before: { pause: { requested: true } },
  },
};

const tryUpdate = (contract: Contract): Promise<string> =>
  client
    .raw({
      method: 'PUT',
      path: `/apis/${GROUP}/${VERSION}/namespaces/${namespace}/contracts/${contract.metadata.name}`,
      query: { dryRun: 'All' },
      body: contract,
    })
    .then(
      () => 'taken',
      (error: unknown) => (error instanceof KubeError ? error.message : String(error)),
    );

test('YAML and API agree about every action in every phase', async () => {
  const contracts = resourceOf<Contract>(client, 'Contract');
  const disagreements: string[] = [];
  for (const phase of PHASES)
    for (const before of [{}, { pause: { requested: true } }]) {
      const name = `in-${phase.toLowerCase()}${'pause' in before ? '-paused' : ''}`;
      const made = await newContract(contracts, { name, namespace }, { ...TERMS, ...before });
      const contract = await walkTo(contracts, made, wayTo(phase));
      for (const action of ACTION_NAMES) {
        const given = ACTIONS[action];
        if ((given.before === undefined) === 'pause' in before) continue;
        const said = await tryUpdate({ ...contract, spec: { ...contract.spec, ...given.change } });
        const verdict = act(contract, given.action);
        const agrees = verdict.outcome === 'Refused' ? said.includes(verdict.message) : said === 'taken';
        if (!agrees) disagreements.push(`${action} in ${phase}: ${JSON.stringify(verdict)} but ${said}`);
      }
    }
  expect(disagreements).toEqual([]);
});

test('an extension beyond the terms, renewals included, is refused in the words of the rule', async () => {
  const contracts = resourceOf<Contract>(client, 'Contract');
  const made = await newContract(contracts, { name: 'too-long', namespace }, TERMS);
  let contract = await walkTo(contracts, made, wayTo('Active'));
  for (const { renewedHours, most } of [
    { renewedHours: 0, most: 6 },
    { renewedHours: 4, most: 2 },
  ]) {
    contract = await contracts.updateStatus({
      ...contract,
      status: { phase: 'Active', epoch: 0, ...contract.status, renewedHours },
    });
    const said = (hours: number) =>
      tryUpdate({ ...contract, spec: { ...contract.spec, durationHours: 24 + hours } });
    expect(act(contract, { type: 'extend', hours: most }).outcome).toBe('Write');
    expect(await said(most)).toBe('taken');
    const verdict = act(contract, { type: 'extend', hours: most + 1 });
    if (verdict.outcome !== 'Refused') throw new Error('it is too long');
    expect(await said(most + 1)).toContain(verdict.message);
  }
});

test('a renewal that terms or cap can never allow is refused in the words of the rule', async () => {
  const contracts = resourceOf<Contract>(client, 'Contract');
  const made = await newContract(contracts, { name: 'renews', namespace }, TERMS);
  let contract = await walkTo(contracts, made, wayTo('Active'));
  const said = (autoRenew: ContractSpec['autoRenew']) =>
    tryUpdate({ ...contract, spec: { ...contract.spec, autoRenew } });
  for (const autoRenew of [
    { hours: 7, maxHours: 100 },
    { hours: 2, maxHours: 25 },
  ]) {
    const verdict = act(contract, { type: 'renew', autoRenew });
    if (verdict.outcome !== 'Refused') throw new Error('it never renews');
    expect(await said(autoRenew)).toContain(verdict.message);
  }
  const autoRenew = { hours: 3, maxHours: 30 };
  contract = await contracts.update({ ...contract, spec: { ...contract.spec, autoRenew } });
  const status = { phase: 'Active', epoch: 0, ...contract.status, renewedHours: 6 } as const;
  contract = await contracts.updateStatus({ ...contract, status });
  // Used up: it stays, and other wishes are heard.
  expect(await tryUpdate({ ...contract, spec: { ...contract.spec, restart: 1 } })).toBe('taken');
});

test('a price that the terms never ask is refused in the words of the rule, in every currency', async () => {
  const contracts = resourceOf<Contract>(client, 'Contract');
  const price = (amountMinor: number, currency: string, per: PriceValue['per']): PriceValue => ({
    ...{ amountMinor, currency, per },
  });
  const disagreements: string[] = [];
  for (const [index, asked] of [
    price(500, 'EUR', 'Day'),
    price(0, 'EUR', 'Month'),
    price(700, 'JPY', 'Hour'),
    price(12_005, 'KWD', 'Month'),
    price(1_000_000_000, 'CLF', 'Hour'),
  ].entries())
    for (const pricing of ['Same', 'Current'] as const) {
      const termsSnapshot = someTerms({ price: asked, extension: { price: pricing }, maxHours: 720 });
      const name = `asks-${index}-${pricing.toLowerCase()}`;
      const made = await newContract(contracts, { name, namespace }, { durationHours: 24, termsSnapshot });
      const contract = await walkTo(contracts, made, wayTo('Active'));
      const others = [price(1, 'EUR', 'Day'), price(9, asked.currency, asked.per), price(2, 'USD', 'Hour')];
      for (const agreedPrice of [asked, ...others]) {
        const maxPrice = agreedPrice;
        const autoRenew = { hours: 25, maxHours: 100, maxPrice };
        const renewed = act(contract, { type: 'renew', autoRenew });
        const refused = refusalOfAgreedPrice({ agreedPrice, termsSnapshot });
        for (const [change, want] of [
          [{ agreedPrice }, refused],
          [{ agreedPrice, durationHours: 30 }, refused],
          [{ autoRenew }, renewed.outcome === 'Refused' ? renewed.message : undefined],
        ] as const) {
          const said = await tryUpdate({ ...contract, spec: { ...contract.spec, ...change } });
          if (want === undefined ? said !== 'taken' : !said.includes(`: ${want}`))
            disagreements.push(`${JSON.stringify(change)} of ${name}: ${want ?? 'taken'}, but ${said}`);
        }
      }
    }
  expect(disagreements).toEqual([]);
});

test('a price is agreed to while hours can be added, and no longer', async () => {
  const contracts = resourceOf<Contract>(client, 'Contract');
  const disagreements: string[] = [];
  const { price: agreedPrice } = TERMS.termsSnapshot;
  for (const phase of PHASES) {
    const made = await newContract(contracts, { name: `priced-${phase.toLowerCase()}`, namespace }, TERMS);
    const contract = await walkTo(contracts, made, wayTo(phase));
    const said = await tryUpdate({ ...contract, spec: { ...contract.spec, agreedPrice } });
    const agrees = mayAct('extend', phase) ? said === 'taken' : said.includes(refusalOf('extend', phase));
    if (!agrees) disagreements.push(`${phase}: ${said}`);
  }
  expect(disagreements).toEqual([]);
});
