/**
 * Maintenance windows of an agent or of a whole pool. Nothing new is begun in one, nor so shortly before that the
 * building could still be running when it starts; what runs there stays. Pure: instants in, the window out.
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
    reason: text(200).optional().describe('What is done, for whoever looks.'),
  })
  .describe('From when until when no new work is wanted.');
export type MaintenanceWindow = z.infer<typeof MaintenanceWindow>;

export const maintenanceWindows = () =>
  z
    .array(
      MaintenanceWindow.meta({
        'x-kubernetes-validations': [
          { rule: 'self.startsAt < self.endsAt', message: 'a maintenance window ends after it starts' },
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
}>;

export const windowsOf = (listed: readonly MaintenanceWindow[] = []): readonly Window[] =>
  listed.map(({ startsAt, endsAt, quietMinutes = QUIET_MINUTES_DEFAULT, reason }) => {
    const startsMs = Date.parse(startsAt);
    return { closedMs: startsMs - quietMinutes * 60_000, startsMs, endsMs: Date.parse(endsAt), reason };
  });

/** The window because of which nothing is begun now; of several the one that ends last. */
export function windowAt(windows: readonly Window[], nowMs: number): Window | undefined {
  let found: Window | undefined;
  for (const window of windows)
    if (window.closedMs <= nowMs && nowMs < window.endsMs && window.endsMs > (found?.endsMs ?? 0))
      found = window;
  return found;
}

/** The window that comes next, not the one that is there already. */
export const windowAfter = (windows: readonly Window[], nowMs: number): Window | undefined =>
  windows
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
  const later = windows.flatMap(({ closedMs, endsMs }) => [closedMs, endsMs]).filter((ms) => ms > nowMs);
  return later.length === 0 ? undefined : Math.min(...later);
}

/** `from 2026-01-01T12:00:00Z until 2026-01-01T14:00:00Z ("disk swap")`: instants, so that it need not be rewritten. */
export const showWindow = ({ startsMs, endsMs, reason }: Window): string =>
  `from ${showInstant(startsMs)} until ${showInstant(endsMs)}${reason ? ` ("${reason}")` : ''}`;

const showInstant = (ms: number): string => new Date(ms).toISOString().replace('.000Z', 'Z');
