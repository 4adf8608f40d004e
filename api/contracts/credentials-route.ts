/** The password of a machine, for its tenant: sealed for its key, so that nothing between agent and tenant knows it. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import type { Contract } from '../../crds/contract/contract.ts';
import { hasMachine } from '../../crds/contract/upkeep.ts';
import { CredentialsView } from '../../crds/wire/actions.ts';
import { keyCaller, TENANT } from '../auth/caller.ts';
import type { Deps } from '../deps.ts';
import { answers, ok } from '../http/envelope.ts';
import { ContractPath } from '../http/params.ts';
import { findLive } from './find.ts';

export const credentialsRoute: FastifyPluginAsyncZod<{ deps: Deps }> = async (app, { deps }) => {
  app.route({
    method: 'GET',
    url: '/contracts/:id/credentials',
    config: TENANT,
    schema: {
      summary: 'The password that was set last, sealed for your key; and how far the one you asked for is',
      tags: ['contracts'],
      params: ContractPath,
      response: answers(CredentialsView),
    },
    handler: async (request, reply) => {
      const tenant = keyCaller(request).publicKey;
      const contract = await findLive(deps, { id: request.params.id, tenant });
      reply.header('cache-control', 'no-store');
      return ok(presentCredentials(contract));
    },
  });
};

function presentCredentials({ spec, status }: Contract): CredentialsView {
  const { credentials, applied } = status ?? {};
  const failed = applied?.failed?.find(
    ({ wish, mark }) => wish === 'Password' && mark === String(spec.passwordReset),
  );
  const isThere = status !== undefined && hasMachine(status);
  return {
    asked: spec.passwordReset,
    done: applied?.passwordReset ?? 0,
    problem: failed ? (failed.isFinal ? 'CannotBeSet' : 'TriedAgain') : null,
    credentials: isThere && credentials ? { ...credentials, user: status.access?.user ?? null } : null,
  };
}
