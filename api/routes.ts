/** Every route of the facade, and where it is mounted. */
import type { FastifyInstance } from 'fastify';
import { Problem } from '../crds/problem.ts';
import { heartbeatRoute } from './agents/heartbeat.ts';
import { agentLabelRoute } from './agents/label-route.ts';
import { agentRoutes } from './agents/routes.ts';
import { setupRoute } from './agents/setup.ts';
import { actionRoutes } from './contracts/action-routes.ts';
import { credentialsRoute } from './contracts/credentials-route.ts';
import { contractRoutes } from './contracts/routes.ts';
import type { Deps } from './deps.ts';
import { decisionRoutes } from './desk/decision-routes.ts';
import { deskRoutes } from './desk/routes.ts';
import { settingsRoutes } from './desk/settings-routes.ts';
import { offeringRoutes } from './market/offering-routes.ts';
import { providerRoutes } from './market/provider-routes.ts';
import { poolRoutes } from './pools/routes.ts';
import { poolSettingsRoutes } from './pools/settings-routes.ts';
import { tokenRoutes } from './pools/token-routes.ts';
import { docsRoutes } from './system/docs.ts';
import { healthRoutes } from './system/health.ts';
import { installerRoutes } from './system/installer-routes.ts';
import { appliedRoute } from './work/applied-route.ts';
import { lockRoutes } from './work/lock-routes.ts';
import { pollRoutes } from './work/poll-routes.ts';
import { reconcileRoute } from './work/reconcile-route.ts';
import { reportRoutes } from './work/report-routes.ts';

export const API_PREFIX = '/api/v1';

const UNDER_API = [
  poolRoutes,
  poolSettingsRoutes,
  tokenRoutes,
  setupRoute,
  agentRoutes,
  agentLabelRoute,
  heartbeatRoute,
  pollRoutes,
  lockRoutes,
  reportRoutes,
  appliedRoute,
  reconcileRoute,
  offeringRoutes,
  providerRoutes,
  contractRoutes,
  actionRoutes,
  credentialsRoute,
  deskRoutes,
  decisionRoutes,
  settingsRoutes,
] as const;

export async function registerRoutes(app: FastifyInstance, deps: Deps): Promise<void> {
  await app.register(
    async (scope) => {
      scope.addHook('onRequest', async () => requireCaches(deps));
      for (const routes of UNDER_API) await scope.register(routes, { deps });
    },
    { prefix: API_PREFIX },
  );
  for (const routes of [healthRoutes, docsRoutes, installerRoutes]) await app.register(routes, { deps });
}

/** Before they were filled once, what is in the cluster is not found here: no answer is better than a wrong 404. */
function requireCaches({ caches }: Deps): void {
  if (caches.isSynced()) return;
  throw new Problem('NotReady', 'This server is starting: its caches are not filled yet.', {
    next: 'Try again in a second.',
    retryAfterSeconds: 1,
  });
}
