/** Maintenance windows on a command line: one from when until when, or none any more. */
import { type Command, Option } from 'commander';
import { z } from 'zod';
import { Failure } from '../failure.ts';
import { whenOf } from '../when.ts';

export const WindowOptions = z.object({
  from: z.string().default('now'),
  until: z.string().optional(),
  clear: z.boolean().default(false),
  reason: z.string().optional(),
  every: z.enum(['day', 'week']).optional(),
});

type Every = 'Day' | 'Week';
export type Window = Readonly<{ startsAt: string; endsAt: string; every?: Every; reason?: string }>;

export const addWindowOptions = (command: Command): Command =>
  command
    .option('--from <when>', 'now (default), 2h, 3d or an instant')
    .option('--until <when>', 'when work is taken again')
    .addOption(
      new Option('--every <period>', 'it comes again, at the same time in UTC').choices(['day', 'week']),
    )
    .option('--reason <text>', 'what is done, for whoever looks')
    .option('--clear', 'there is none any more');

/** Throws Failure where neither an end nor --clear is given, or no time is one. */
export function windowsOf(
  { from, until, clear, reason, every }: z.infer<typeof WindowOptions>,
  now: Date,
): readonly Window[] {
  if (clear) return [];
  if (until === undefined)
    throw new Failure('Usage', 'it is not said until when', { next: 'Add --until 2h, or --clear.' });
  return [
    {
      startsAt: whenOf(from, { option: '--from', now }),
      endsAt: whenOf(until, { option: '--until', now }),
      ...(every === undefined ? {} : { every: EVERY[every] }),
      ...(reason === undefined ? {} : { reason }),
    },
  ];
}

const EVERY = { day: 'Day', week: 'Week' } as const;

/** ` and every week after`, or nothing. */
export const everyWords = ({ every }: Readonly<{ every?: Every | undefined }>): string =>
  every ? ` and every ${every.toLowerCase()} after` : '';

export const windowWords = (windows: readonly Window[] = []): string => {
  const [window] = windows;
  return window
    ? `begins nothing from ${window.startsAt} until ${window.endsAt}${everyWords(window)}, nor in the minutes before`
    : 'has no maintenance planned';
};
