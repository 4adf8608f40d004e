/** `dcm agents`, `dcm agent show KEY`; what is done with one is in `agent-actions.ts`. */
import { capacityText } from '../../crds/placement/figures.ts';
import { AgentDetail } from '../../crds/wire/agents.ts';
import type { AgentView } from '../../crds/wire/pools.ts';
import { examples } from '../arguments.ts';
import { listAgents, matchAgent } from '../find-agent.ts';
import { formatTable } from '../output/table.ts';
import { whenWords } from '../output/words.ts';
import type { Parent } from '../parent.ts';
import { ownKey, type Session, show } from '../session.ts';
import { addAgentActions } from './agent-actions.ts';
import { addAgentLabel } from './agent-label.ts';
import { printAgent } from './agent-words.ts';

export function addAgentCommands(parent: Parent): void {
  const { program, open } = parent;
  const list = program
    .command('agents')
    .description('your agents: where they are, how they do, what is free')
    .action(async () => {
      const session = open(list);
      const agents = await listAgents(await session.api('provider'));
      show(session, agents, () => printAgents(session, agents));
    });
  examples(list, 'dcm agents\ndcm agents --json');

  const agent = program.command('agent').description('look at an agent, cordon, drain or revoke it');
  const look = agent
    .command('show')
    .description('what it has, what is planned for it, what remains on it')
    .argument('<key>', 'public key of the agent, its beginning, or its name')
    .action(async (key: string) => {
      const session = open(look);
      const api = await session.api('provider');
      const { agentPubkey } = matchAgent(await listAgents(api), key);
      const path = `/api/v1/providers/${ownKey(api)}/agents/${agentPubkey}`;
      const detail = await api.call(AgentDetail, { method: 'GET', path });
      show(session, detail, () => printAgent(session, detail));
    });
  examples(look, 'dcm agent show node-3');
  addAgentActions(agent, parent);
  addAgentLabel(agent, parent);
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
    { title: 'FREE CPU', cell: (row: AgentView) => capacityText(row.free).cpu },
    { title: 'FREE MEM', cell: (row: AgentView) => capacityText(row.free).memory },
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
