/** Checks that arguments share; commander prints what they throw, with the name of the option. */
import { type Command, InvalidArgumentError } from 'commander';
import type { z } from 'zod';

/** A parser for `--hours 3`: whole numbers from `min` to `max`. */
export const wholeNumber =
  ({ min, max }: Readonly<{ min: number; max: number }>) =>
  (text: string): number => {
    const number = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    if (number >= min && number <= max) return number;
    throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}.`);
  };

/** A parser for one of several words. */
export const oneOf =
  (words: readonly string[]) =>
  (text: string): string => {
    if (words.includes(text)) return text;
    throw new InvalidArgumentError(`It must be one of ${words.join(', ')}.`);
  };

/** A parser that wants what `schema` wants; `hint` says what that is. */
export const matching =
  (schema: z.ZodType<string>, hint: string) =>
  (text: string): string => {
    if (schema.safeParse(text).success) return text;
    throw new InvalidArgumentError(hint);
  };

export const examples = (command: Command, text: string): Command =>
  command.addHelpText('after', `\nExamples:\n${text.replace(/^(?=.)/gm, '  ')}`);
