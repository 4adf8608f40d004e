/** A fresh world for each test of the whole agent, closed after it, and what such tests wait for and look at. */
import { afterEach, beforeEach, expect, vi } from 'vitest';
import { type AgentWorld, agentWorld } from './agent-world.ts';

/** Of an offering. */
export const UID = '0b7c9d6e-1111-4222-8333-944445555666';

/** Of the test that runs. */
export let world: AgentWorld;

/** Call it once at the top of a file. A request that breaks the protocol fails its test. */
export function useAgentWorld(): void {
  beforeEach(async () => {
    world = await agentWorld();
  });
  afterEach(async () => {
    const wrong = world.facade.calls.filter((call) => call.includes(' wrong: '));
    await world.close();
    expect(wrong).toEqual([]);
  });
}

/** Waits for the world, not for a time. */
export const until = (what: () => void): Promise<void> => vi.waitFor(what, { timeout: 6000, interval: 10 });
export const untilPhase = (id: string, phase: string): Promise<void> =>
  until(() => expect(world.facade.statusOf(id).phase).toBe(phase));
export const untilFree = (id: string): Promise<void> =>
  until(() => expect(world.facade.statusOf(id).holders ?? []).toEqual([]));
/** What the hypervisor did, in order. */
export const made = (): string[] => world.hypervisor.ledger;
export const terminated = (): string[] =>
  world.facade.calls.filter((call) => call.startsWith('PUT terminated'));
