/** What a tenant asks of its contract: more time, power, other keys, a fresh system, another name, the end. */
import type { FastifyRequest } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import type { z } from 'zod';
import type { Action } from '../../crds/contract/act.ts';
import type { Contract } from '../../crds/contract/contract.ts';
import {
  AutoRenewRequest,
  DescribeRequest,
  ExtendRequest,
  ExtendResponse,
  PowerRequest,
  ReinstallRequest,
  SshKeysRequest,
} from '../../crds/wire/actions.ts';
import { CancelRequest, ContractView } from '../../crds/wire/market.ts';
import { keyCaller, TENANT } from '../auth/caller.ts';
import type { Deps } from '../deps.ts';
import { answers, ok } from '../http/envelope.ts';
import { IfMatchHeaders } from '../http/etag.ts';
import { ContractPath } from '../http/params.ts';
import { actAnywhere, actOn, edit } from './act.ts';
import { described } from './describe.ts';
import { extend } from './extend.ts';
import { findAnywhere, findLive } from './find.ts';
import { IdempotencyHeaders, type Use } from './once.ts';
import { presentContract } from './present.ts';

const POWER = {
  Start: { type: 'power', powerState: 'Running' },
  Stop: { type: 'power', powerState: 'Stopped' },
  Restart: { type: 'restart' },
} as const satisfies Record<z.infer<typeof PowerRequest>['action'], Action>;

type Asking = FastifyRequest &
  Readonly<{ params: { id: string }; headers: { 'if-match'?: string | undefined } }>;

type AskingOnce = Asking & Readonly<{ headers: { 'idempotency-key'?: string | undefined } }>;

/** A retry of what adds something adds nothing: the route is part of what is asked. */
const useOf = (request: AskingOnce): Use => ({
  key: request.headers['idempotency-key'] ?? `nonce:${keyCaller(request).nonce}`,
  body: [request.routeOptions.url, request.body ?? null],
});

export const actionRoutes: FastifyPluginAsyncZod<{ deps: Deps }> = async (app, { deps }) => {
  const named = (request: Asking) => ({ id: request.params.id, tenant: keyCaller(request).publicKey });
  const asked = async (request: Asking) => ({
    contract: await findLive(deps, named(request)),
    ifMatch: request.headers['if-match'],
  });
  const present = (contract: Contract) => ok(presentContract(deps, contract, { archived: false }));
  const perform = async (request: Asking, action: Action) => {
    const found = await findAnywhere(deps, named(request));
    const done = await actAnywhere(deps, { found, ifMatch: request.headers['if-match'], action });
    return ok(presentContract(deps, done.contract, { archived: done.archived }));
  };
  const performOnce = async (request: AskingOnce, action: Action) =>
    present(await actOn(deps, { ...(await asked(request)), use: useOf(request), action }));
  const route = { tags: ['contracts'], params: ContractPath, headers: IfMatchHeaders };
  const headers = IfMatchHeaders.extend(IdempotencyHeaders.shape);
  const one = { ...route, response: answers(ContractView) };
  const cancelling = { ...one, summary: 'Cancel a contract; there is no way back', body: CancelRequest };
  const renewing = { ...one, summary: 'Renew it at its end, up to a cap', body: AutoRenewRequest };
  const keys = { ...one, summary: 'Change who can log in', body: SshKeysRequest };
  const power = { ...one, headers, summary: 'Start, stop or restart the machine', body: PowerRequest };
  const reinstalling = {
    ...one,
    headers,
    summary: 'Install the system anew; all data on it is lost',
    body: ReinstallRequest,
  };
  const resetting = {
    ...one,
    headers,
    summary: 'Set a new password; GET …/credentials has it, sealed for your key',
  };
  const describing = { ...one, summary: 'Name, describe and label it', body: DescribeRequest };
  const extending = {
    ...route,
    headers,
    summary: 'Rent it for longer; dryRun only says what it would be',
    body: ExtendRequest,
    response: answers(ExtendResponse),
  };

  app.put('/contracts/:id/cancel', { config: TENANT, schema: cancelling }, (request) => {
    const note = request.body?.note ?? request.body?.memo ?? undefined;
    return perform(request, { type: 'cancel', by: 'Tenant', note });
  });
  app.put('/contracts/:id/auto-renew', { config: TENANT, schema: renewing }, (request) =>
    perform(request, { type: 'renew', autoRenew: request.body ?? undefined }),
  );
  app.put('/contracts/:id/ssh-keys', { config: TENANT, schema: keys }, (request) =>
    perform(request, { type: 'changeKeys', sshPublicKeys: request.body.sshPublicKeys }),
  );
  app.post('/contracts/:id/power', { config: TENANT, schema: power }, (request) =>
    performOnce(request, POWER[request.body.action]),
  );
  app.post('/contracts/:id/reinstall', { config: TENANT, schema: reinstalling }, (request) =>
    performOnce(request, { type: 'reinstall', ...request.body }),
  );
  app.post('/contracts/:id/reset-password', { config: TENANT, schema: resetting }, (request) =>
    performOnce(request, { type: 'resetPassword' }),
  );
  app.patch('/contracts/:id', { config: TENANT, schema: describing }, async (request) =>
    present(await edit(deps, await asked(request), (contract) => described(contract, request.body))),
  );
  app.post('/contracts/:id/extend', { config: TENANT, schema: extending }, async (request) =>
    ok(await extend(deps, { ...(await asked(request)), use: useOf(request), ...request.body })),
  );
};
