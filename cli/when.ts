/** An instant as people type it: `now`, `90m`, `2h`, `3d` from now, or RFC 3339. */
import { Failure } from './failure.ts';

const UNIT_MS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

type Typed = Readonly<{ option: string; now: Date }>;

/** Answers RFC 3339 in UTC. Throws Failure that names the option. */
export function whenOf(text: string, { option, now }: Typed): string {
  if (text === 'now') return now.toISOString();
  const [, amount, unit = ''] = /^(\d{1,5})([mhd])$/.exec(text) ?? [];
  if (amount !== undefined)
    return new Date(now.getTime() + Number(amount) * (UNIT_MS[unit] ?? 0)).toISOString();
  const ms = /^\d{4}-\d\d-\d\dT/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(ms))
    throw new Failure('Usage', `${option} "${text}" is no time`, {
      next: 'Give it as now, 90m, 2h, 3d, or as an instant such as 2026-01-31T22:00:00Z.',
    });
  return new Date(ms).toISOString();
}
