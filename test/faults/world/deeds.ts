/** What happens to a whole program, to all watches or to PostgreSQL at a moment of a plan. */
import { assertNever } from '../../../lib/assert.ts';
import type { Deed } from './plan.ts';
import type { Stage } from './stage.ts';

/** As in operator/run.ts. */
const OPERATOR_LEASE = 'dcmarket-operator';

type Doing = Readonly<{ cancel: () => Promise<void>; killHolder: () => void }>;

export async function perform(stage: Stage, deed: Deed, { cancel, killHolder }: Doing): Promise<void> {
  switch (deed.type) {
    case 'Cancel':
      return cancel();
    case 'Do':
      return deed.run();
    case 'KillHolder':
      return killHolder();
    case 'KillOperator':
      return stage.replace('operator', 'Kill');
    case 'RestartOperator':
      return stage.replace('operator', 'Stop');
    case 'KillFacade':
      return stage.replace('facade', 'Kill');
    case 'RestartFacade':
      return stage.replace('facade', 'Stop');
    case 'BreakWatches':
      for (const { api } of [...stage.operators, ...stage.facades]) api.breakWatches(deed.how, deed.resource);
      return;
    case 'StallLeader': {
      const lease = await stage.clients.leases.get({ namespace: stage.namespace, name: OPERATOR_LEASE });
      const leader = stage.operators.find(({ identity }) => identity === lease?.spec.holderIdentity);
      return leader?.stall(deed.ms);
    }
    case 'Postgres':
      await stage.postgres.fail(deed.how);
      await stage.clock.sleep(deed.ms);
      return stage.postgres.heal();
    default:
      return assertNever(deed);
  }
}
