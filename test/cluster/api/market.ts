/** What a test has: a facade, a provider of its own, and the API server behind them. */
import type { Clients } from '../../../api/clients.ts';
import type { Facade } from '../../../api/facade.ts';
import type { KubeClient } from '../../../kube/client.ts';
import type { KeyPair } from '../../../lib/signature/keys.ts';
import type { Call } from './calls.ts';

export type Market = Readonly<{
  facade: Facade;
  kube: KubeClient;
  clients: Clients;
  namespace: string;
  provider: KeyPair;
  databaseUrl: string | undefined;
  call: Call;
  close: () => Promise<void>;
}>;

export const providerPath = ({ provider }: Pick<Market, 'provider'>): string =>
  `/api/v1/providers/${provider.publicKey}`;
