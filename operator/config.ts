/** The operator's environment, read once by `main.ts`. A mistake is named with its variable. */
import { z } from 'zod';
import { RETRY_JITTER } from '../kube/leader-election.ts';
import { LOG_LEVELS } from '../lib/log.ts';
import { readEnvironment } from '../lib/program.ts';

const seconds = () => z.coerce.number().min(0.1).max(300);

export const Environment = z
  .object({
    KUBECONFIG: z.string().min(1).optional().describe('Kubeconfig file; in-cluster credentials when absent.'),
    DATABASE_URL: z.url().describe('PostgreSQL: the archive and the record of machines.'),
    METRICS_PORT: z.coerce
      .number()
      .int()
      .min(0)
      .max(65_535)
      .default(8081)
      .describe('Where /metrics, /healthz and /readyz listen; 0 picks a free port.'),
    METRICS_HOST: z.string().min(1).default('127.0.0.1').describe('Address to listen on.'),
    LEASE_NAMESPACE: z
      .string()
      .max(63)
      .optional()
      .describe('Namespace of the leader Lease; default: of the credentials.'),
    INSTALLATION_NAMESPACE: z
      .string()
      .max(63)
      .optional()
      .describe(
        'Namespace of ConfigMap dcmarket-world, as the facades have it; default: of the leader Lease.',
      ),
    RESTORE_SETTLE_SECONDS: z.coerce
      .number()
      .min(0)
      .max(3600)
      .optional()
      .describe('After a restore of etcd: so long every agent gets to be heard once; default 45.'),
    RESTORE_HEARD_SECONDS: z.coerce
      .number()
      .min(0)
      .max(86_400)
      .optional()
      .describe(
        'After a restore of etcd: an agent that is merely heard, and has no known machine, is waited for so long; default 300.',
      ),
    LEASE_DURATION_SECONDS: z.coerce
      .number()
      .int()
      .min(1)
      .max(300)
      .default(15)
      .describe(
        'A leader that died is followed after this: how long a killed operator delays the next start.',
      ),
    LEASE_RENEW_DEADLINE_SECONDS: seconds()
      .default(10)
      .describe('A leader that could not renew stops after this; less than the duration.'),
    LEASE_RETRY_SECONDS: seconds()
      .default(2)
      .describe('Pause between two renewals or tries, up to a fifth longer; less than the renew deadline.'),
    FAILED_GRACE_SECONDS: z.coerce
      .number()
      .min(0)
      .max(30 * 86_400)
      .optional()
      .describe('So long a provider may retry what failed, before it is archived; default 24 hours.'),
    RETENTION_SECONDS: z.coerce
      .number()
      .min(0)
      .max(3650 * 86_400)
      .optional()
      .describe('So long what has ended stays in the cluster after it was archived; default 30 days.'),
    WATCH_NAMESPACE: z
      .string()
      .max(63)
      .optional()
      .describe('Only the provider of this namespace is seen to; all when absent. One operator for each.'),
    LOG_LEVEL: z.enum(LOG_LEVELS).default('info').describe('trace, debug, info, warn, error, fatal, silent.'),
  })
  .superRefine(checkLease);
export type OperatorConfig = z.infer<typeof Environment>;

/** Throws an Error whose message has one line for each variable that is wrong. */
export const readConfig = (environment: NodeJS.ProcessEnv): OperatorConfig =>
  readEnvironment(Environment, environment);

type LeaseTimes = Readonly<
  Record<'LEASE_DURATION_SECONDS' | 'LEASE_RENEW_DEADLINE_SECONDS' | 'LEASE_RETRY_SECONDS', number>
>;

/** A leader must have stopped before another may begin, and have had time for a second try before it stops. */
function checkLease(times: LeaseTimes, context: z.RefinementCtx): void {
  const duration = times.LEASE_DURATION_SECONDS;
  const deadline = times.LEASE_RENEW_DEADLINE_SECONDS;
  const pauseMax = times.LEASE_RETRY_SECONDS * (1 + RETRY_JITTER);
  const refuse = (variable: keyof LeaseTimes, message: string): void =>
    context.addIssue({ code: 'custom', path: [variable], message });
  if (deadline >= duration)
    refuse(
      'LEASE_RENEW_DEADLINE_SECONDS',
      `is ${deadline}, but must be less than LEASE_DURATION_SECONDS (${duration}): two would lead at once`,
    );
  if (pauseMax >= deadline)
    refuse(
      'LEASE_RETRY_SECONDS',
      `is ${times.LEASE_RETRY_SECONDS}, up to ${pauseMax} with jitter, but must be less than LEASE_RENEW_DEADLINE_SECONDS (${deadline})`,
    );
}
