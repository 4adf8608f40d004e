/** The facade as a process, with one more route that authenticates an agent as the poll does, and does nothing else. */

import { agentWith } from '../../api/auth/caller.ts';
import { readConfig } from '../../api/config.ts';
import { startFacade } from '../../api/facade.ts';
import { ok } from '../../api/http/envelope.ts';
import { ProviderPath } from '../../api/http/params.ts';
import { systemClock } from '../../lib/clock.ts';
import { createLogger } from '../../lib/log.ts';

const config = readConfig(process.env);
const facade = await startFacade({
  config,
  kubeconfig: { file: config.KUBECONFIG ?? '' },
  clock: systemClock,
  log: createLogger({ name: 'facade', level: config.LOG_LEVEL }),
  signal: new AbortController().signal,
  extend: (app) => {
    const options = { config: agentWith('fetch_contracts'), schema: { hide: true, params: ProviderPath } };
    app.get('/api/v1/providers/:pk/only-authenticates', options, async () => ok([]));
  },
});
process.once('SIGTERM', () => void facade.stop());
