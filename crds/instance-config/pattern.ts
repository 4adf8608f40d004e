/**
 * Regular expressions that a stranger wrote, run in time that only grows with pattern × text: RE2 follows all ways in
 * which a pattern can fit at once, and has no look-ahead, look-behind or back reference
 * (syntax: github.com/google/re2/wiki/Syntax).
 */
import { RE2JS, RE2JSException } from 're2js';

/** `size`: instructions of the compiled program; a repetition counts as often as it may repeat. */
export type Pattern = Readonly<{ test: (text: string) => boolean; size: number }>;

/** Of all patterns of a schema together. 16 KiB of text took the slowest programs that were tried 0.14 s. */
export const PATTERN_SIZE_MAX = 500;

export class PatternError extends Error {
  override readonly name = 'PatternError';
}

/** Throws PatternError, a sentence without its subject. */
export function compilePattern(source: string): Pattern {
  try {
    const compiled = RE2JS.compile(source);
    // Not `compiled.test`: that remembers states, up to 8 MiB for each pattern.
    return { test: (text) => compiled.matcher(text).find(), size: compiled.programSize() };
  } catch (error) {
    if (!(error instanceof RE2JSException)) throw error;
    const why = error.message.replace('error parsing regexp: ', '');
    throw new PatternError(`is no RE2 pattern: ${why}`, { cause: error });
  }
}
