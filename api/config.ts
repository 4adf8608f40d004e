/** The facade's environment, read once by `main.ts`. A mistake is named with its variable and what is allowed. */
import { z } from 'zod';
import { ORPHAN_MIN_AGE_MS } from '../crds/contract/numbers.ts';
import { HEAD_START_MS } from '../crds/placement/numbers.ts';
import { LOG_LEVELS } from '../lib/log.ts';
import { readEnvironment } from '../lib/program.ts';

const port = () => z.coerce.number().int().min(0).max(65_535);
const authority = z
  .string()
  .regex(/^[a-z0-9.-]+(:\d{1,5})?$|^\[[0-9a-f:]+\](:\d{1,5})?$/, 'must be host or host:port, lower case');

export const Environment = z.object({
  PORT: port().default(8080).describe('Where the API listens; 0 picks a free port.'),
  HOST: z.string().min(1).default('127.0.0.1').describe('Address to listen on.'),
  METRICS_PORT: port().optional().describe('Where /metrics listens; not served when absent.'),
  KUBECONFIG: z.string().min(1).optional().describe('Kubeconfig file; in-cluster credentials when absent.'),
  DATABASE_URL: z.url().optional().describe('PostgreSQL; routes that need it answer 503 when absent.'),
  PUBLIC_AUTHORITIES: z
    .string()
    .transform((list) => list.split(',').map((entry) => entry.trim().toLowerCase()))
    .pipe(z.array(authority).min(1))
    .optional()
    .describe('Comma list of host[:port] that clients sign for; loopback names when absent.'),
  PUBLIC_URL: z
    .url({ protocol: /^https?$/ })
    .transform((url) => url.replace(/\/+$/, ''))
    .optional()
    .describe('What setup commands point at; made from the first public authority when absent.'),
  PROVIDER_REGISTRATION: z
    .enum(['Open', 'Closed'])
    .default('Closed')
    .describe('Open: anybody may become a provider by one signed call.'),
  INSTALLATION_NAMESPACE: z
    .string()
    .regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/)
    .optional()
    .describe('Namespace of Secret dcmarket-installation; the namespace of the credentials when absent.'),
  WATCH_NAMESPACE: z
    .string()
    .max(63)
    .optional()
    .describe('Only the provider of this namespace is served; all when absent.'),
  AGENT_ENTRY: z.string().min(1).optional().describe('Source that is bundled for /setup; agent/main.ts.'),
  ORPHAN_MIN_AGE_SECONDS: z.coerce
    .number()
    .int()
    .min(0)
    .max(86_400)
    .default(ORPHAN_MIN_AGE_MS / 1000)
    .describe('Machines of no contract are not judged while they are younger.'),
  HEAD_START_SECONDS: z.coerce
    .number()
    .min(0)
    .max(60)
    .default(HEAD_START_MS / 1000)
    .describe('How long the first choice for a contract may claim alone, then the second, and so on.'),
  LOG_LEVEL: z.enum(LOG_LEVELS).default('info').describe('trace, debug, info, warn, error, fatal, silent.'),
});
export type Config = z.infer<typeof Environment>;

/** Throws an Error whose message has one line for each variable that is wrong. */
export const readConfig = (environment: NodeJS.ProcessEnv): Config =>
  readEnvironment(Environment, environment);

/** Every name that a loopback client may use for a port, when nobody configured public ones. */
export const loopbackAuthorities = (listening: number): string[] =>
  ['127.0.0.1', 'localhost', '[::1]'].map((host) => `${host}:${listening}`);

/** The base of public links: https unless the authority is on this machine. */
export function publicUrlOf(first: string): string {
  const isLoopback = /^(localhost|127\.|\[::1\])/.test(first);
  return `${isLoopback ? 'http' : 'https'}://${first}`;
}
