/** `dcm agent label KEY name=value other-`: what offerings choose agents by. */
import type { Command } from 'commander';
import { AgentDetail } from '../../crds/wire/agents.ts';
import { examples } from '../arguments.ts';
import { Failure } from '../failure.ts';
import { listAgents, matchAgent } from '../find-agent.ts';
import type { Parent } from '../parent.ts';
import { ownKey, show } from '../session.ts';

export function addAgentLabel(agent: Command, { open }: Parent): void {
  const command = agent
    .command('label')
    .description('label it, as offerings choose agents by labels; a dash after a name takes the label away')
    .argument('<key>', 'public key of the agent, its beginning, or its name')
    .argument('<labels...>', 'as in disk=nvme, or disk-')
    .action(async (key: string, words: string[]) => {
      const session = open(command);
      const body = { labels: Object.fromEntries(words.map(labelOf)) };
      const api = await session.api('provider');
      const { agentPubkey, label, agentName } = matchAgent(await listAgents(api), key);
      const path = `/api/v1/providers/${ownKey(api)}/agents/${agentPubkey}/labels`;
      const detail = await api.call(AgentDetail, { method: 'PATCH', path, body, retry: 'Safe' });
      const labels = Object.entries(detail.labels).map(([name, value]) => `${name}=${value}`);
      show(session, detail, () =>
        session.print.line(`${label ?? agentName} has ${labels.sort().join(', ') || 'no label'}.`),
      );
    });
  examples(command, 'dcm agent label node-3 disk=nvme rack=7\ndcm agent label node-3 rack-');
}

function labelOf(word: string): readonly [name: string, value: string | null] {
  const [, name, value] = /^([^=]+)=(.*)$/.exec(word) ?? [];
  if (name !== undefined && value !== undefined) return [name, value];
  if (/^[^=]+-$/.test(word)) return [word.slice(0, -1), null];
  throw new Failure('Usage', `"${word}" is no label`, {
    next: 'Give it as name=value, or name- to take it away.',
  });
}
