/** `dcm agent cordon | uncordon | drain | maintenance | revoke KEY`. */
import type { Command } from 'commander';
import { z } from 'zod';
import { AgentDetail } from '../../crds/wire/agents.ts';
import type { AgentView } from '../../crds/wire/pools.ts';
import { examples } from '../arguments.ts';
import { confirm } from '../confirm.ts';
import { Failure } from '../failure.ts';
import { listAgents, matchAgent } from '../find-agent.ts';
import type { Parent } from '../parent.ts';
import { ownKey, type Session, show } from '../session.ts';
import { whenOf } from '../when.ts';
import { printRemaining } from './agent-words.ts';
import { addWindowOptions, WindowOptions, windowsOf, windowWords } from './windows.ts';

const Options = WindowOptions.extend({
  yes: z.boolean().default(false),
  deadline: z.string().optional(),
});
type Options = z.infer<typeof Options>;

const ACTIONS = {
  cordon: { done: 'gets no new work', about: 'give it no new work; what it runs stays' },
  uncordon: { done: 'gets work again', about: 'give it work again, and end its drain' },
  drain: {
    done: 'is being emptied',
    about: 'give it no new work; with --deadline what may be built anew is moved away then',
  },
  maintenance: { done: '', about: 'say from when until when it begins nothing; --clear for never' },
  revoke: { done: 'is revoked: its key is dead', about: 'its key is dead from now on' },
} as const;
type Action = keyof typeof ACTIONS;

const EXAMPLES: Readonly<Record<Action, string>> = {
  cordon: 'dcm agent cordon node-3 --reason "disk swap"',
  uncordon: 'dcm agent uncordon node-3',
  drain: 'dcm agent drain node-3\ndcm agent drain node-3 --deadline 2h --reason "new kernel"',
  maintenance:
    'dcm agent maintenance node-3 --from 2026-01-31T22:00:00Z --until 2026-02-01T02:00:00Z --reason "new kernel"\ndcm agent maintenance node-3 --clear',
  revoke: 'dcm agent revoke node-3',
};

export function addAgentActions(agent: Command, parent: Parent): void {
  for (const action of ['cordon', 'uncordon', 'drain', 'maintenance', 'revoke'] as const) {
    const command = agent
      .command(action)
      .description(ACTIONS[action].about)
      .argument('<key>', 'public key of the agent, its beginning, or its name')
      .action(async (key: string) =>
        act(parent.open(command), { action, key, options: Options.parse(command.opts()) }),
      );
    if (action === 'maintenance') addWindowOptions(command);
    if (action === 'cordon' || action === 'drain')
      command.option('--reason <text>', 'why, for whoever looks');
    if (action === 'drain')
      command.option(
        '--deadline <when>',
        'now, 2h, 3d or an instant: from then on what can be is moved away',
      );
    if (action === 'revoke') command.option('--yes', 'do not ask');
    examples(command, EXAMPLES[action]);
  }
}

type Act = Readonly<{ action: Action; key: string; options: Options }>;

async function act(session: Session, { action, key, options }: Act): Promise<void> {
  const body = bodyOf(action, { options, now: session.context.clock.now() });
  const api = await session.api('provider');
  const agent = matchAgent(await listAgents(api), key);
  const title = agent.label ?? agent.agentName;
  if (action === 'revoke' && !options.yes)
    await confirm(session, `Revoke ${title}? Its key can never be used again.`);
  const path = `/api/v1/providers/${ownKey(api)}/agents/${agent.agentPubkey}`;
  const request = {
    method: action === 'revoke' ? 'DELETE' : action === 'maintenance' ? 'PUT' : 'POST',
    path: action === 'revoke' ? path : `${path}/${action}`,
    body,
    retry: 'Safe', // each of them is a state, not an event
  } as const;
  const answer = await api.call(z.unknown(), request).catch((error: unknown) => {
    throw withKubectlHint(error, { agent, action });
  });
  show(session, answer, () => {
    const { data } = AgentDetail.safeParse(answer); // an older server says less
    session.print.line(
      `${title} ${action === 'maintenance' ? windowWords(body?.windows) : ACTIONS[action].done}.`,
    );
    if (data?.drainBy) session.print.line(`What can be is moved away from ${data.drainBy} on.`);
    if (data?.remaining) printRemaining(session, data.remaining);
  });
}

type Body = Readonly<{ reason?: string; deadlineAt?: string; windows?: ReturnType<typeof windowsOf> }>;

function bodyOf(
  action: Action,
  { options, now }: Readonly<{ options: Options; now: Date }>,
): Body | undefined {
  if (action === 'maintenance') return { windows: windowsOf(options, now) };
  const { reason, deadline } = options;
  if (reason === undefined && deadline === undefined) return undefined;
  return {
    ...(reason === undefined ? {} : { reason }),
    ...(deadline === undefined ? {} : { deadlineAt: whenOf(deadline, { option: '--deadline', now }) }),
  };
}

/** A server without the route has the field all the same. */
function withKubectlHint(
  error: unknown,
  { agent, action }: Readonly<{ agent: AgentView; action: Action }>,
): unknown {
  const isMissing = error instanceof Failure && error.problem?.code === 'RouteNotFound';
  if (!isMissing || action === 'revoke' || action === 'maintenance') return error;
  const field = action === 'drain' ? '"draining":true' : `"cordoned":${action === 'cordon'}`;
  return new Failure('Refused', `this server has no ${action} in its API`, {
    next: `Whoever has kubectl can do it: kubectl patch agent ${agent.agentName} -n NAMESPACE --type merge -p '{"spec":{${field}}}'`,
    problem: error.problem,
    cause: error,
  });
}
