/** The operator's environment, read once by `main.ts`. A mistake is named with its variable. */
import { z } from 'zod';
import { LOG_LEVELS } from '../lib/log.ts';

const Environment = z.object({
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
  WATCH_NAMESPACE: z
    .string()
    .max(63)
    .optional()
    .describe('Only the provider of this namespace is seen to; all when absent. One operator for each.'),
  LOG_LEVEL: z.enum(LOG_LEVELS).default('info').describe('trace, debug, info, warn, error, fatal, silent.'),
});
export type OperatorConfig = z.infer<typeof Environment>;

/** Throws an Error whose message has one line for each variable that is wrong. */
export function readConfig(environment: NodeJS.ProcessEnv): OperatorConfig {
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  const parsed = Environment.safeParse(given);
  if (parsed.success) return parsed.data;
  const lines = parsed.error.issues.map((issue) => `  ${issue.path.join('.')}: ${issue.message}`);
  throw new Error(`The environment is not valid:\n${lines.join('\n')}`);
}
