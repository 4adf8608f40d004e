/** What the API answered when the agent joined: who it is, whose it is, and what it may do. */
import { z } from 'zod';
import { AgentSetupResponse } from '../../crds/wire/pools.ts';
import { EXIT, Failure } from '../failure.ts';
import { readIfThere, writeDurably } from '../files.ts';

/** A host that was configured by hand knows only the two tags, from its first heartbeat. */
export const Delegation = AgentSetupResponse.partial().extend({
  installation: z.string().min(1),
  agentUid: z.string().min(1),
});
export type Delegation = z.infer<typeof Delegation>;

export const saveDelegation = (path: string, delegation: Delegation): void =>
  writeDurably(path, `${JSON.stringify(delegation, undefined, 2)}\n`);

export function readDelegation(path: string): Delegation | undefined {
  const text = readIfThere(path);
  if (text === undefined) return undefined;
  try {
    return Delegation.parse(JSON.parse(text));
  } catch {
    throw new Failure(`${path} is damaged`, {
      next: 'Remove it: the agent hears from the server again who it is.',
      exitCode: EXIT.Misused,
    });
  }
}
