/**
 * The runbook's command: begins a restore by hand, before etcd is put back. Raises the generation in PostgreSQL; the
 * operator that starts on the older etcd finds the ConfigMap behind it. `DATABASE_URL=… node operator/restore/main.ts`
 */
import { z } from 'zod';
import { systemClock } from '../../lib/clock.ts';
import { createLogger } from '../../lib/log.ts';
import { createStore } from '../../store/store.ts';

const Environment = z.object({ DATABASE_URL: z.url().describe('PostgreSQL of the installation.') });
const { DATABASE_URL: databaseUrl } = Environment.parse(process.env);
const log = createLogger({ name: 'restore', level: 'warn' });
const store = createStore({ databaseUrl, clock: systemClock, log });
try {
  const { generation } = await store.restore.raiseByOne();
  process.stdout.write(
    `The generation is ${generation}. Now put etcd back and start the API server, then the facades and the operator.\n`,
  );
} finally {
  await store.close();
}
