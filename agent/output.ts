/** What a person reads: one line each, with a mark and colour on a terminal, the same words without them elsewhere. */

export type Output = Readonly<{
  good: (text: string) => void;
  warn: (text: string) => void;
  bad: (text: string) => void;
  line: (text: string) => void;
}>;

type Stream = Readonly<{ isTTY?: boolean | undefined; write: (text: string) => unknown }>;

export function createOutput(
  stream: Stream,
  environment: Readonly<Record<string, string | undefined>>,
): Output {
  const isTerminal = stream.isTTY === true;
  const hasColour = isTerminal && !environment['NO_COLOR'];
  const print = (mark: Readonly<{ symbol: string; word: string; colour: number }>) => (text: string) => {
    const shown = hasColour ? `\u001b[${mark.colour}m${mark.symbol}\u001b[0m ` : `${mark.symbol} `;
    stream.write(`${isTerminal ? shown : mark.word}${text}\n`);
  };
  return {
    good: print({ symbol: '✓', word: '', colour: 32 }),
    warn: print({ symbol: '!', word: 'note: ', colour: 33 }),
    bad: print({ symbol: '✗', word: 'wrong: ', colour: 31 }),
    line: (text) => void stream.write(`${text}\n`),
  };
}
