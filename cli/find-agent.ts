/** Which of a provider's agents is meant. */
import { z } from 'zod';
import { AgentView } from '../crds/wire/pools.ts';
import type { Api } from './client/client.ts';
import { Failure } from './failure.ts';
import { ownKey } from './session.ts';

export const listAgents = (api: Api): Promise<AgentView[]> =>
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
