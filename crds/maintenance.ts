/**
 * Maintenance windows of an agent or of a whole pool. Nothing new is begun in one, nor so shortly before that the
 * building could still be running when it starts; what runs there stays. One may come again every day or week, always
 * so many hours later: in UTC, which knows no summer time. Pure: instants in, the window out.
 */
import { z } from 'zod';
import type { ConditionInput } from './condition.ts';
import { count, instant, text } from './fields.ts';

const QUIET_MINUTES_DEFAULT = 15;
export const WINDOWS_MAX = 16;

export const MaintenanceWindow = z
  .object({
    startsAt: instant().describe('When it begins.'),
    endsAt: instant().describe('When work is taken again.'),
    quietMinutes: count(1440)
      .default(QUIET_MINUTES_DEFAULT)
      .describe('Nothing is begun so shortly before: it could run into the window. Minutes.'),
    every: z
      .enum(['Day', 'Week'])
      .optional()
      .describe('It comes again so often, at the same time of the day in UTC; once when left out.'),
    reason: text(200).optional().describe('What is done, for whoever looks.'),
  })
  .describe('From when until when no new work is wanted.');
export type MaintenanceWindow = z.infer<typeof MaintenanceWindow>;

const HOUR_MS = 3_600_000;
const EVERY_HOURS = { Day: 24, Week: 168 } as const;
const ENDS_FIRST = 'a maintenance window ends after it starts';
const TOO_LONG = 'a maintenance window that comes again ends before it does';

/** What is wrong with a window, in the words of the API server; undefined: nothing. */
export function faultOfWindow({ startsAt, endsAt, every }: MaintenanceWindow): string | undefined {
  const lengthMs = Date.parse(endsAt) - Date.parse(startsAt);
  if (!(lengthMs > 0)) return ENDS_FIRST;
  return every && lengthMs >= EVERY_HOURS[every] * HOUR_MS ? TOO_LONG : undefined;
}

export const maintenanceWindows = () =>
  z
    .array(
      MaintenanceWindow.meta({
        'x-kubernetes-validations': [
          { rule: 'self.startsAt < self.endsAt', message: ENDS_FIRST },
          {
            rule: `!has(self.every) || self.endsAt - self.startsAt < duration(self.every == 'Day' ? '${EVERY_HOURS.Day}h' : '${EVERY_HOURS.Week}h')`,
            message: TOO_LONG,
          },
        ],
      }),
    )
    .max(WINDOWS_MAX)
    .optional()
    .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['startsAt'] })
    .describe('When nothing new is built; windows that are over may stay.');

/** A window with its instants as numbers; `closedMs` is when new work is refused first. Milliseconds since 1970. */
export type Window = Readonly<{
  closedMs: number;
  startsMs: number;
  endsMs: number;
  reason: string | undefined;
  /** Until it comes again; absent: once. */
  everyMs?: number | undefined;
}>;

export const windowsOf = (listed: readonly MaintenanceWindow[] = []): readonly Window[] =>
  listed.map(({ startsAt, endsAt, quietMinutes = QUIET_MINUTES_DEFAULT, reason, every }) => {
    const startsMs = Date.parse(startsAt);
    const everyMs = every && EVERY_HOURS[every] * HOUR_MS;
    return {
      closedMs: startsMs - quietMinutes * 60_000,
      startsMs,
      endsMs: Date.parse(endsAt),
      reason,
      everyMs,
    };
  });

/** Those that may count now or next: of one that comes again the last two that began to close, and the one after. */
const around = (windows: readonly Window[], nowMs: number): readonly Window[] =>
  windows.flatMap((window) => {
    const { everyMs, closedMs, startsMs, endsMs, reason } = window;
    if (everyMs === undefined) return [window];
    const last = Math.max(0, Math.floor((nowMs - closedMs) / everyMs));
    return [last - 1, last, last + 1]
      .filter((nth) => nth >= 0)
      .map((nth) => nth * everyMs)
      .map((ms) => ({ closedMs: closedMs + ms, startsMs: startsMs + ms, endsMs: endsMs + ms, reason }));
  });

/** Over for good: it does not come again. */
export const isOver = ({ endsAt, every }: MaintenanceWindow, nowMs: number): boolean =>
  every === undefined && Date.parse(endsAt) <= nowMs;

/** The window because of which nothing is begun now; of several the one that ends last. */
export function windowAt(windows: readonly Window[], nowMs: number): Window | undefined {
  let found: Window | undefined;
  for (const window of around(windows, nowMs))
    if (window.closedMs <= nowMs && nowMs < window.endsMs && window.endsMs > (found?.endsMs ?? 0))
      found = window;
  return found;
}

/** The window that comes next, not the one that is there already. */
export const windowAfter = (windows: readonly Window[], nowMs: number): Window | undefined =>
  around(windows, nowMs)
    .filter(({ closedMs }) => closedMs > nowMs)
    .reduce<Window | undefined>(
      (first, window) => (first && first.closedMs <= window.closedMs ? first : window),
      undefined,
    );

/** Condition InService of an agent or a pool; undefined: nothing is on and nothing is planned. */
export function inService(windows: readonly Window[], nowMs: number): ConditionInput | undefined {
  const type = 'InService';
  const on = windowAt(windows, nowMs);
  if (on) return { type, status: 'False', reason: 'Maintenance', message: `Maintenance ${showWindow(on)}` };
  const next = windowAfter(windows, nowMs);
  return (
    next && { type, status: 'True', reason: 'MaintenancePlanned', message: `Maintenance ${showWindow(next)}` }
  );
}

/** When the answer of `windowAt` may be another one next; undefined: never by time alone. */
export function changesAtMs(windows: readonly Window[], nowMs: number): number | undefined {
  if (windows.length === 0) return undefined;
  const later = around(windows, nowMs)
    .flatMap(({ closedMs, endsMs }) => [closedMs, endsMs])
    .filter((ms) => ms > nowMs);
  return later.length === 0 ? undefined : Math.min(...later);
}

/** `from 2026-01-01T12:00:00Z until 2026-01-01T14:00:00Z ("disk swap")`: instants, so that it need not be rewritten. */
export const showWindow = ({ startsMs, endsMs, reason }: Window): string =>
  `from ${showInstant(startsMs)} until ${showInstant(endsMs)}${reason ? ` ("${reason}")` : ''}`;

const showInstant = (ms: number): string => new Date(ms).toISOString().replace('.000Z', 'Z');
