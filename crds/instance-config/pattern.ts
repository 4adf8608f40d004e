/**
 * Regular expressions that a stranger wrote, run in time that only grows with pattern × text: all states that the
 * pattern can be in are followed at once (Thompson), so nothing is ever tried again. What cannot be done so is
 * refused: back references, look-ahead, look-behind, word boundaries. Otherwise the syntax is JavaScript's with `u`.
 *
 *   pattern → parse → tree → emit → program → run
 */

/** Throws PatternError with what is not allowed. */
export type Pattern = Readonly<{ test: (text: string) => boolean; size: number }>;

export class PatternError extends Error {
  override readonly name = 'PatternError';
}

type Fits = (code: number) => boolean;
type Tree =
  | Readonly<{ type: 'Char'; fits: Fits }>
  | Readonly<{ type: 'Begin' | 'End' }>
  | Readonly<{ type: 'All' | 'Any'; of: readonly Tree[] }>
  | Readonly<{ type: 'Repeat'; of: Tree; min: number; max: number }>;
type Step =
  | Readonly<{ type: 'Char'; fits: Fits }>
  | Readonly<{ type: 'Begin' | 'End' | 'Match' }>
  | Readonly<{ type: 'Go'; to: number[] }>;

/** Steps of one program: repetitions are written out. */
export const PATTERN_STEPS_MAX = 2000;
const DEPTH_MAX = 16;

export function compilePattern(source: string): Pattern {
  const program: Step[] = [];
  emit(new Parser(source).parse(), program);
  add(program, { type: 'Match' });
  return { test: (text) => run(program, text), size: program.length };
}

function emit(tree: Tree, program: Step[]): void {
  switch (tree.type) {
    case 'Char':
    case 'Begin':
    case 'End':
      add(program, tree);
      return;
    case 'All':
      // A step for nothing too: else nothing, repeated in each other, would be free and endless.
      if (tree.of.length === 0) go(program).push(program.length);
      for (const part of tree.of) emit(part, program);
      return;
    case 'Any': {
      const fork = go(program);
      const ends = tree.of.map((part) => {
        fork.push(program.length);
        emit(part, program);
        return go(program);
      });
      for (const end of ends) end.push(program.length);
      return;
    }
    case 'Repeat': {
      for (let n = 0; n < tree.min; n++) emit(tree.of, program);
      if (tree.max === Number.POSITIVE_INFINITY) {
        const at = program.length;
        const fork = go(program);
        fork.push(program.length);
        emit(tree.of, program);
        go(program).push(at);
        fork.push(program.length);
        return;
      }
      const exits: number[][] = [];
      for (let n = tree.min; n < tree.max; n++) {
        const fork = go(program);
        fork.push(program.length);
        exits.push(fork);
        emit(tree.of, program);
      }
      for (const exit of exits) exit.push(program.length);
    }
  }
}

function go(program: Step[]): number[] {
  const to: number[] = [];
  add(program, { type: 'Go', to });
  return to;
}

function add(program: Step[], step: Step): void {
  if (program.length >= PATTERN_STEPS_MAX)
    throw new PatternError(`needs more than ${PATTERN_STEPS_MAX} steps: repeat less`);
  program.push(step);
}

/** Anywhere in the text, as `RegExp.test`. */
function run(program: readonly Step[], text: string): boolean {
  const codes = Array.from(text, (char) => char.codePointAt(0) ?? 0);
  const seenAt = new Int32Array(program.length).fill(-1);
  let current: number[] = [];
  for (let at = 0; at <= codes.length; at++) {
    const waiting: number[] = [];
    for (const open = [0, ...current]; open.length > 0; ) {
      const pc = open.pop() ?? 0;
      if (seenAt[pc] === at) continue;
      seenAt[pc] = at;
      const step = program[pc];
      if (!step || step.type === 'Match') return true;
      if (step.type === 'Char') waiting.push(pc);
      else if (step.type === 'Go') open.push(...step.to);
      else if (step.type === 'Begin' ? at === 0 : at === codes.length) open.push(pc + 1);
    }
    const code = codes[at];
    if (code === undefined) return false;
    current = waiting.flatMap((pc) => (fitsAt(program[pc], code) ? [pc + 1] : []));
  }
  return false;
}

const fitsAt = (step: Step | undefined, code: number): boolean => step?.type === 'Char' && step.fits(code);

const inside =
  (from: string, to: string): Fits =>
  (code) =>
    code >= codeOf(from) && code <= codeOf(to);
const codeOf = (char: string): number => char.codePointAt(0) ?? 0;
const some =
  (...all: Fits[]): Fits =>
  (code) =>
    all.some((fits) => fits(code));
const not =
  (fits: Fits): Fits =>
  (code) =>
    !fits(code);
const is = (char: string): Fits => inside(char, char);
const DIGIT = inside('0', '9');
const WORD = some(DIGIT, inside('a', 'z'), inside('A', 'Z'), is('_'));
const BLANK: Fits = (code) => /\s/u.test(String.fromCodePoint(code));
const LINE_END = some(is('\n'), is('\r'), is('\u2028'), is('\u2029'));
const KINDS: Readonly<Record<string, Fits>> = {
  d: DIGIT,
  D: not(DIGIT),
  w: WORD,
  W: not(WORD),
  s: BLANK,
  S: not(BLANK),
};
const CONTROLS: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', f: '\f', v: '\v' };
const SYNTAX = '^$\\.*+?()[]{}|/-';

/** Recursive descent; a group within a group is one call deeper, and there is a bound. */
class Parser {
  private at = 0;
  private depth = 0;
  private readonly chars: readonly string[];

  constructor(source: string) {
    this.chars = Array.from(source);
  }

  parse(): Tree {
    const tree = this.choice();
    if (this.at < this.chars.length) throw new PatternError(`has a ${this.peek()} that nothing opens`);
    return tree;
  }

  private peek = (): string | undefined => this.chars[this.at];
  private take = (): string => {
    const char = this.chars[this.at++];
    if (char === undefined) throw new PatternError('ends too early');
    return char;
  };
  private skip = (text: string): boolean => {
    const isThere = this.chars.slice(this.at, this.at + text.length).join('') === text;
    if (isThere) this.at += text.length;
    return isThere;
  };

  private choice(): Tree {
    const ways = [this.sequence()];
    while (this.skip('|')) ways.push(this.sequence());
    return ways.length === 1 && ways[0] ? ways[0] : { type: 'Any', of: ways };
  }

  private sequence(): Tree {
    const of: Tree[] = [];
    for (let next = this.peek(); next !== undefined && next !== '|' && next !== ')'; next = this.peek())
      of.push(this.repeated(this.atom()));
    return { type: 'All', of };
  }

  private atom(): Tree {
    const char = this.take();
    if (char === '^') return { type: 'Begin' };
    if (char === '$') return { type: 'End' };
    if (char === '(') return this.group();
    if (char === '.') return { type: 'Char', fits: not(LINE_END) };
    if (char === '[') return { type: 'Char', fits: this.charClass() };
    if (char === '\\') return { type: 'Char', fits: toFits(this.escaped()) };
    if ('*+?{}]'.includes(char)) throw new PatternError(`has a ${char} where nothing can be repeated`);
    return { type: 'Char', fits: is(char) };
  }

  private group(): Tree {
    if (++this.depth > DEPTH_MAX) throw new PatternError(`has more than ${DEPTH_MAX} groups in each other`);
    if (!this.skip('?:') && this.peek() === '?')
      throw new PatternError('may have no look-ahead, look-behind or named group');
    const tree = this.choice();
    if (!this.skip(')')) throw new PatternError('has a ( that is not closed');
    this.depth--;
    return tree;
  }

  private repeated(of: Tree): Tree {
    const times = this.times();
    if (!times) return of;
    this.skip('?'); // lazy: whether it fits is the same
    if (of.type === 'Begin' || of.type === 'End') throw new PatternError('repeats ^ or $');
    if (this.times()) throw new PatternError('repeats a repetition');
    return { type: 'Repeat', of, ...times };
  }

  private times(): Readonly<{ min: number; max: number }> | undefined {
    if (this.skip('*')) return { min: 0, max: Number.POSITIVE_INFINITY };
    if (this.skip('+')) return { min: 1, max: Number.POSITIVE_INFINITY };
    if (this.skip('?')) return { min: 0, max: 1 };
    if (!this.skip('{')) return undefined;
    const found = /^([0-9]{1,4})(,([0-9]{1,4})?)?\}/.exec(this.chars.slice(this.at, this.at + 12).join(''));
    if (!found) throw new PatternError('has a { without numbers behind it; write \\{ for the character');
    this.at += found[0].length;
    const min = Number(found[1]);
    const max = found[2] === undefined ? min : Number(found[3] ?? Number.POSITIVE_INFINITY);
    if (max < min) throw new PatternError(`has numbers out of order: {${min},${max}}`);
    return { min, max };
  }

  private charClass(): Fits {
    const isNot = this.skip('^');
    const of: Fits[] = [];
    while (!this.skip(']')) {
      const from = this.member();
      const isRange = this.peek() === '-' && this.chars[this.at + 1] !== ']';
      if (!isRange) {
        of.push(toFits(from));
        continue;
      }
      this.take();
      const to = this.member();
      if (typeof from !== 'string' || typeof to !== 'string' || codeOf(from) > codeOf(to))
        throw new PatternError('has a range out of order');
      of.push(inside(from, to));
    }
    return isNot ? not(some(...of)) : some(...of);
  }

  private member(): string | Fits {
    const char = this.take();
    return char === '\\' ? this.escaped() : char;
  }

  private escaped(): string | Fits {
    const char = this.take();
    const known = KINDS[char] ?? CONTROLS[char];
    if (known !== undefined) return known;
    if (SYNTAX.includes(char)) return char;
    throw new PatternError(`may not have \\${char}`);
  }
}

const toFits = (member: string | Fits): Fits => (typeof member === 'string' ? is(member) : member);
