/**
 * The ledger for agents that are processes: `program.mjs` brings each request of the script protocol here. What
 * the hypervisor does is done here, so a program whose agent was killed goes on to its end, as it would.
 */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { z } from 'zod';
import type { CreatedInstance, InstanceRef, Provisioner } from '../../../agent/provisioner/provisioner.ts';
import { ProvisionerError } from '../../../agent/provisioner/provisioner-error.ts';
import { ACTIONS, type Action } from '../../../agent/provisioner/script-protocol.ts';
import type { Clock } from '../../../lib/clock.ts';
import type { Treat } from './behaviour.ts';
import { createHypervisor, ProgramDied } from './hypervisor.ts';
import type { Ledger } from './ledger.ts';
import type { SshDoors } from './ssh-doors.ts';

/** For `[provisioner.script] provision`. */
export const PROGRAM = join(import.meta.dirname, 'program.mjs');

export type LedgerServer = Readonly<{
  /** What an agent's environment needs so that `program.mjs` finds its hypervisor. */
  environment: (host: string) => Readonly<Record<string, string>>;
  close: () => Promise<void>;
}>;

const Request = z.object({
  action: z.enum(ACTIONS),
  external_id: z.string().nullish(),
  contract_id: z.string().default(''),
  epoch: z.int().default(0),
  installation: z.string(),
  agent_uid: z.string().default(''),
  new_epoch: z.int().optional(),
  new_agent_uid: z.string().optional(),
  password: z.string().optional(),
});
type Request = z.infer<typeof Request>;

type Options = Readonly<{ ledger: Ledger; doors: SshDoors; clock: Clock; treat?: Treat }>;

export async function startLedgerServer({ ledger, doors, clock, treat }: Options): Promise<LedgerServer> {
  const sockets = new Set<Socket>();
  const answer = async (socket: Socket): Promise<void> => {
    const gone = new AbortController();
    const said = await text(socket);
    socket.once('close', () => gone.abort(new Error('the program was killed')));
    const end = said.indexOf('\n');
    const host = said.slice(0, end);
    const request = Request.parse(JSON.parse(said.slice(end + 1)));
    const { installation } = request;
    const hypervisor = createHypervisor({ ledger, clock, host, installation, treat, door: doors.door });
    const document = await perform(hypervisor, request, gone.signal);
    if (document === undefined) socket.destroy();
    else socket.end(JSON.stringify(document));
  };
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => sockets.delete(socket));
    answer(socket).catch(() => socket.destroy()); // a program that was killed half-way through its request
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo; // listening on TCP, so neither a path nor null
  return {
    environment: (host) => ({ DC_LEDGER: `${port}/${host}` }),
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** The answer as the protocol has it; undefined when the program died. */
async function perform(
  hypervisor: Provisioner,
  request: Request,
  signal: AbortSignal,
): Promise<object | undefined> {
  try {
    return { success: true, ...(await ACT[request.action](hypervisor, request, signal)) };
  } catch (error) {
    if (error instanceof ProgramDied) return undefined;
    if (!(error instanceof ProvisionerError)) throw error;
    return { success: false, error: error.message, class: error.class, retry_possible: error.isRetryable };
  }
}

type Act = (hypervisor: Provisioner, request: Request, signal: AbortSignal) => Promise<object>;

const refOf = (request: Request): InstanceRef => ({
  externalId: request.external_id ?? '',
  contractId: request.contract_id,
  epoch: request.epoch,
  installation: request.installation,
  agentUid: request.agent_uid,
});

const ACT: Readonly<Record<Action, Act>> = {
  provision: async (hypervisor, request, signal) => {
    const tags = refOf(request);
    const wanted = { ...tags, offeringId: '', sshPublicKeys: [], instanceConfig: {} };
    return { instance: instanceOf(await hypervisor.create(wanted, { signal })) };
  },
  retag: async (hypervisor, request, signal) => {
    const { new_epoch: epoch = 0, new_agent_uid: agentUid = request.agent_uid } = request;
    return { instance: instanceOf(await hypervisor.adopt(refOf(request), { epoch, agentUid }, { signal })) };
  },
  terminate: async (hypervisor, request, signal) => {
    await hypervisor.destroy(refOf(request), { signal });
    return {};
  },
  start: async (hypervisor, request, signal) => {
    await hypervisor.start(refOf(request), { signal });
    return {};
  },
  stop: async (hypervisor, request, signal) => {
    await hypervisor.stop(refOf(request), { signal });
    return {};
  },
  get_instance: async () => ({}), // the agent never asks
  reinstall: async () => refuse('re-installs nothing'),
  set_ssh_keys: async () => refuse('changes no keys'),
  set_password: async (hypervisor, request, signal) => {
    if (!hypervisor.setPassword) return refuse('sets no passwords');
    return hypervisor.setPassword(refOf(request), request.password ?? '', { signal });
  },
  health_check: async (hypervisor, request, signal) => {
    const health = await hypervisor.observe(refOf(request), { signal });
    return { health: { ...health, status: health.status.toLowerCase() } };
  },
  list: async (hypervisor, _request, signal) => ({
    instances: (await hypervisor.list({ signal })).map((it) => ({
      external_id: it.externalId,
      contract_id: it.contractId,
      epoch: it.epoch,
      installation: it.installation,
      agent_uid: it.agentUid,
      state: it.state.toLowerCase(),
      created_at: it.createdAt,
    })),
  }),
};

function refuse(what: string): never {
  throw new ProvisionerError('ProgramRefused', `this hypervisor ${what}`, {
    remedy: 'Teach it, when a test needs it.',
    class: 'permanent',
  });
}

const instanceOf = ({ externalId, host, port, user, hostKeyFingerprint }: CreatedInstance) => ({
  external_id: externalId,
  ip_address: host,
  ssh_port: port,
  ssh_user: user,
  host_key_fingerprint: hostKeyFingerprint,
});
