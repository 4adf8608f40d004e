/** What can be changed of a pool: all of its spec but where it is and what it builds with. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import type { AgentPool } from '../../crds/agent-pool.ts';
import { MaintenanceRequest } from '../../crds/wire/agents.ts';
import { UpdatePoolRequest } from '../../crds/wire/pool-settings.ts';
import { PoolView } from '../../crds/wire/pools.ts';
import { isConflict } from '../../kube/error.ts';
import { PROVIDER, providerCaller } from '../auth/caller.ts';
import type { Ref } from '../caches.ts';
import type { Deps } from '../deps.ts';
import { answers, ok } from '../http/envelope.ts';
import { checkIfMatch, etagOf, IfMatchHeaders } from '../http/etag.ts';
import { PoolPath } from '../http/params.ts';
import { busy } from '../http/refusals.ts';
import { presentPool } from './present.ts';
import { readPool } from './routes.ts';
import { withSettings } from './settings.ts';

const WRITES_MAX = 5;
const PATH = '/providers/:pk/pools/:poolId';
const shared = { tags: ['pools'], params: PoolPath, headers: IfMatchHeaders, response: answers(PoolView) };

export const poolSettingsRoutes: FastifyPluginAsyncZod<{ deps: Deps }> = async (app, { deps }) => {
  app.route({
    method: 'PUT',
    url: PATH,
    config: PROVIDER,
    schema: {
      summary: 'Change a pool; its location and provisionerType are for life',
      ...shared,
      body: UpdatePoolRequest,
    },
    handler: async (request, reply) => {
      const { provider, publicKey } = providerCaller(request);
      const ref = { namespace: provider.spec.namespace, name: request.params.poolId };
      const ifMatch = request.headers['if-match'];
      const pool = await changePool(deps, {
        ref,
        ifMatch,
        change: (spec) => withSettings(spec, request.body),
      });
      reply.header('etag', etagOf(pool));
      return ok(presentPool(deps, { pool, providerKey: publicKey }));
    },
  });
  app.route({
    method: 'PUT',
    url: `${PATH}/maintenance`,
    config: PROVIDER,
    schema: {
      summary: 'Set the maintenance windows of a pool: nothing is begun in it that could run into one',
      ...shared,
      body: MaintenanceRequest,
    },
    handler: async (request, reply) => {
      const { provider, publicKey } = providerCaller(request);
      const ref = { namespace: provider.spec.namespace, name: request.params.poolId };
      const ifMatch = request.headers['if-match'];
      const maintenance = [...request.body.windows];
      const pool = await changePool(deps, { ref, ifMatch, change: (spec) => ({ ...spec, maintenance }) });
      reply.header('etag', etagOf(pool));
      return ok(presentPool(deps, { pool, providerKey: publicKey }));
    },
  });
};

type Spec = AgentPool['spec'];
type Changing = Readonly<{ ref: Ref; change: (spec: Spec) => Spec; ifMatch: string | undefined }>;

async function changePool(deps: Deps, { ref, change, ifMatch }: Changing): Promise<AgentPool> {
  for (let tries = 0; tries < WRITES_MAX; tries++) {
    const pool = await readPool(deps, ref);
    checkIfMatch(pool, ifMatch);
    try {
      return await deps.clients.pools.update({ ...pool, spec: change(pool.spec) });
    } catch (error) {
      if (!isConflict(error)) throw error;
    }
  }
  throw busy();
}
