/** Waits for a condition with a deadline; what it fails with in the end is the last thing that was seen. */
import { systemClock } from '../../lib/clock.ts';

export async function eventually<T>(
  look: () => Promise<T>,
  { withinMs = 15_000, everyMs = 50 } = {},
): Promise<T> {
  const untilMs = systemClock.monotonicMs() + withinMs;
  for (;;) {
    try {
      return await look();
    } catch (error) {
      if (systemClock.monotonicMs() >= untilMs) throw error;
    }
    await systemClock.sleep(everyMs);
  }
}
