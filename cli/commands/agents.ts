/** `dcm agents` and `dcm agent cordon | uncordon | drain | revoke KEY`. */
import type { Command } from 'commander';
import { z } from 'zod';
import { AgentView } from '../../crds/wire/pools.ts';
import { examples } from '../arguments.ts';
import type { Api } from '../client/client.ts';
import { confirm } from '../confirm.ts';
import { Failure } from '../failure.ts';
import { formatTable } from '../output/table.ts';
import { whenWords } from '../output/words.ts';
import type { Parent } from '../program.ts';
import { ownKey, type Session, show } from '../session.ts';

const Options = z.object({ reason: z.string().optional(), yes: z.boolean().default(false) });

const ACTIONS = {
  cordon: { method: 'POST', done: 'gets no new work', about: 'give it no new work; what it runs stays' },
  uncordon: { method: 'POST', done: 'gets work again', about: 'give it work again' },
  drain: {
    method: 'POST',
    done: 'is being emptied',
    about: 'give it no new work and move what it runs away',
  },
  revoke: { method: 'DELETE', done: 'is revoked: its key is dead', about: 'its key is dead from now on' },
} as const;
type Action = keyof typeof ACTIONS;

export function addAgentCommands(parent: Parent): void {
  const { program, open } = parent;
  const list = program
    .command('agents')
    .description('your agents: where they are and how they do')
    .action(async () => {
      const session = open(list);
      const agents = await listAgents(await session.api('provider'));
      show(session, agents, () => printAgents(session, agents));
    });
  examples(list, 'dcm agents\ndcm agents --json');

  const agent = program.command('agent').description('cordon, drain or revoke an agent');
  for (const action of ['cordon', 'uncordon', 'drain', 'revoke'] as const)
    addAction(agent, { action, parent });
}

function addAction(agent: Command, { action, parent }: Readonly<{ action: Action; parent: Parent }>): void {
  const command = agent
    .command(action)
    .description(ACTIONS[action].about)
    .argument('<key>', 'public key of the agent, its beginning, or its name')
    .action(async (key: string) =>
      act(parent.open(command), { action, key, options: Options.parse(command.opts()) }),
    );
  if (action === 'cordon' || action === 'drain') command.option('--reason <text>', 'why, for whoever looks');
  if (action === 'revoke') command.option('--yes', 'do not ask');
  examples(command, `dcm agent ${action} node-3${action === 'cordon' ? ' --reason "disk swap"' : ''}`);
}

type Act = Readonly<{ action: Action; key: string; options: z.infer<typeof Options> }>;

async function act(session: Session, { action, key, options }: Act): Promise<void> {
  const api = await session.api('provider');
  const agent = matchAgent(await listAgents(api), key);
  const title = agent.label ?? agent.agentName;
  if (action === 'revoke' && !options.yes)
    await confirm(session, `Revoke ${title}? Its key can never be used again.`);
  const path = `/api/v1/providers/${ownKey(api)}/agents/${agent.agentPubkey}`;
  const request = {
    method: ACTIONS[action].method,
    path: action === 'revoke' ? path : `${path}/${action}`,
    body: options.reason === undefined ? undefined : { reason: options.reason },
    retry: 'Safe', // each of them is a state, not an event
  } as const;
  const answer = await api.call(z.unknown(), request).catch((error: unknown) => {
    throw withKubectlHint(error, { agent, action });
  });
  show(session, answer, () => session.print.line(`${title} ${ACTIONS[action].done}.`));
}

/** A server without the route has the field all the same. */
function withKubectlHint(
  error: unknown,
  { agent, action }: Readonly<{ agent: AgentView; action: Action }>,
): unknown {
  if (!(error instanceof Failure) || error.problem?.code !== 'RouteNotFound' || action === 'revoke')
    return error;
  const field = action === 'drain' ? '"draining":true' : `"cordoned":${action === 'cordon'}`;
  return new Failure('Refused', `this server has no ${action} in its API`, {
    next: `Whoever has kubectl can do it: kubectl patch agent ${agent.agentName} -n NAMESPACE --type merge -p '{"spec":{${field}}}'`,
    problem: error.problem,
    cause: error,
  });
}

const listAgents = (api: Api): Promise<AgentView[]> =>
  api.call(z.array(AgentView), { method: 'GET', path: `/api/v1/providers/${ownKey(api)}/agents` });

/** By exact name or label, else by the beginning of key or name. Throws Refused or Usage unless one fits. */
export function matchAgent(agents: readonly AgentView[], typed: string): AgentView {
  const exact = agents.filter(({ agentName, label }) => agentName === typed || label === typed);
  const begins = ({ agentPubkey, agentName }: AgentView): boolean =>
    agentPubkey.startsWith(typed.toLowerCase()) || agentName.startsWith(typed);
  const fitting = exact.length > 0 ? exact : agents.filter((agent) => typed !== '' && begins(agent));
  const [first, second] = fitting;
  if (first && !second) return first;
  if (!first)
    throw new Failure('Refused', `none of your agents fits "${typed}"`, {
      next: 'List them with `dcm agents`.',
    });
  throw new Failure('Usage', `${fitting.length} agents fit "${typed}"`, { next: 'Type more of the key.' });
}

function printAgents({ print, context }: Session, agents: readonly AgentView[]): void {
  if (agents.length === 0) {
    print.line('No agent yet: dcm token create POOL');
    return;
  }
  const now = context.clock.now();
  const columns = [
    { title: 'AGENT', cell: (row: AgentView) => row.label ?? row.agentName },
    { title: 'POOL', cell: (row: AgentView) => row.poolId },
    { title: 'STATE', cell: stateWords },
    { title: 'CONTRACTS', cell: (row: AgentView) => row.activeContracts },
    { title: 'VERSION', cell: (row: AgentView) => row.version },
    { title: 'SEEN', cell: (row: AgentView) => whenWords(row.lastSeenAt, now) },
    { title: 'KEY', cell: (row: AgentView) => row.agentPubkey.slice(0, 12) },
  ];
  print.line(formatTable(agents, columns, print.paint));
  for (const { agentName, label, problem } of agents)
    if (problem) print.note(`${label ?? agentName}: ${problem.message}`);
}

/** One word or two, the worst first. */
function stateWords({ revoked, problem, online, cordoned, draining }: AgentView): string {
  if (revoked) return 'revoked';
  if (problem) return problem.reason;
  const work = draining ? ', draining' : cordoned ? ', cordoned' : '';
  return `${online ? 'online' : 'offline'}${work}`;
}
