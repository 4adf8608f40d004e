/**
 * For tests, called at the top of a file: a person's home, and command lines against facades. Each command line finds
 * a facade of its own; the one before it is closed then, the last one after the test.
 */
import { afterAll, afterEach, beforeAll } from 'vitest';
import type { Clock } from '../lib/clock.ts';
import {
  type Answer,
  dcm,
  type Facade,
  type Home,
  makeHome,
  openFacade,
  type Ran,
  type Seen,
} from './test-facade.ts';

export type Terminal = Readonly<{
  home: () => Home;
  open: (answer: (seen: Seen) => Answer | 'HangUp', clock?: Clock) => Promise<Facade>;
  /** One command line against a facade that answers so. */
  run: (answer: (seen: Seen) => Answer | 'HangUp', ...argv: string[]) => Promise<Ran>;
  /** As when the facade goes down. */
  close: () => Promise<void>;
  /** What the facade of the last command line was asked. */
  seen: () => readonly Seen[];
}>;

type Options = Readonly<{ clock?: Clock; prepare?: (home: Home) => Promise<void> }>;

export function useTerminal({ clock, prepare }: Options = {}): Terminal {
  let home: Home;
  let facade: Facade | undefined;
  const close = async (): Promise<void> => {
    await facade?.close();
    facade = undefined;
  };
  const open: Terminal['open'] = async (answer, ownClock = clock) => {
    await close();
    facade = await openFacade(answer, ownClock);
    return facade;
  };
  beforeAll(async () => {
    home = await makeHome();
    await prepare?.(home);
  });
  afterEach(close);
  afterAll(() => home.remove());
  return {
    home: () => home,
    open,
    close,
    run: async (answer, ...argv) => {
      const { url } = await open(answer);
      return dcm(home, [...argv, '--api-url', url], clock ? { clock } : {});
    },
    seen: () => facade?.seen ?? [],
  };
}
