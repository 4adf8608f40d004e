/** Starts the reference design behind a signature and claims at it, as an agent claims at the facade. */
import { freePort } from '../../dev/processes/ports.ts';
import { eventually } from '../../test/world/eventually.ts';
import type { Caller } from '../../test/world/facades.ts';
import type { House } from '../house.ts';

export type SignedPostgres = Readonly<{
  /** True for the one that was granted. Throws on any answer but 200 and 409. */
  claim: (caller: Caller, id: string) => Promise<boolean>;
  stop: () => Promise<void>;
}>;

export async function startSignedPostgres(house: House, name: string): Promise<SignedPostgres> {
  const port = await freePort();
  const process = await house.startNode(name, 'bench/baselines/signed-postgres/main.ts', {
    PORT: String(port),
  });
  const server = { url: `http://127.0.0.1:${port}`, process, logFile: process.logFile };
  await eventually(() => fetch(server.url));
  return {
    claim: async (caller, id) => {
      const { status, body } = await caller.call(server, { method: 'POST', path: '/lock', body: { id } });
      if (status !== 200 && status !== 409) throw new Error(`baseline: ${status} ${JSON.stringify(body)}`);
      return status === 200;
    },
    stop: process.stop,
  };
}
