/**
 * Where each key of a TOML text stands. The parser says what a value is but not on which line, and a message
 * without a line makes people search. Reads only as much TOML as that needs; the parser judges the rest.
 */

/** Line numbers, from 1, by dotted path: `agent.api_url`, and of tables: `provisioner.script`. */
export type TomlLines = ReadonlyMap<string, number>;

const KEY =
  /^(?:[A-Za-z0-9_-]+|"(?:[^"\\]|\\.)*"|'[^']*')(?:\s*\.\s*(?:[A-Za-z0-9_-]+|"(?:[^"\\]|\\.)*"|'[^']*'))*/;
const PART = /[A-Za-z0-9_-]+|"(?:[^"\\]|\\.)*"|'[^']*'/g;

export function tomlLines(toml: string): TomlLines {
  const lines = new Map<string, number>();
  let table: string[] = [];
  let open: Open = { depth: 0, quote: undefined };
  for (const [index, raw] of toml.split('\n').entries()) {
    const isContinued = open.quote !== undefined || open.depth > 0;
    const text = raw.trim();
    const header = isContinued ? undefined : /^\[{1,2}\s*(.+?)\s*\]{1,2}/.exec(text)?.[1];
    if (header !== undefined) {
      table = partsOf(header);
      remember(lines, table, index + 1);
      continue;
    }
    const key = isContinued ? undefined : KEY.exec(text)?.[0];
    if (key !== undefined) remember(lines, [...table, ...partsOf(key)], index + 1);
    open = scan(raw.slice(key === undefined ? 0 : raw.indexOf(key) + key.length), open);
  }
  return lines;
}

/** The line of `path`, or of the closest table around it; 1 when there is neither. */
export function lineOf(lines: TomlLines, path: readonly string[]): number {
  for (let length = path.length; length > 0; length--) {
    const line = lines.get(path.slice(0, length).join('.'));
    if (line !== undefined) return line;
  }
  return 1;
}

function remember(lines: Map<string, number>, path: readonly string[], line: number): void {
  for (let length = 1; length <= path.length; length++) {
    const name = path.slice(0, length).join('.');
    if (length === path.length || !lines.has(name)) lines.set(name, line);
  }
}

const partsOf = (key: string): string[] =>
  (key.match(PART) ?? []).map((part) => (/^["']/.test(part) ? part.slice(1, -1) : part));

/** What a line leaves open for the next: brackets, or a string of three quotes. */
type Open = Readonly<{ depth: number; quote: string | undefined }>;

const TOKEN = /"""|'''|"(?:[^"\\]|\\.)*"|'[^']*'|#.*|[[\]{}]|\\./g;

function scan(text: string, { depth, quote }: Open): Open {
  let rest = text;
  let level = depth;
  let within = quote;
  for (;;) {
    if (within !== undefined) {
      const end = rest.indexOf(within);
      if (end < 0) return { depth: level, quote: within };
      rest = rest.slice(end + 3);
      within = undefined;
    }
    TOKEN.lastIndex = 0;
    for (let token = TOKEN.exec(rest); token; token = TOKEN.exec(rest)) {
      if (token[0] === '"""' || token[0] === "'''") {
        within = token[0];
        rest = rest.slice(TOKEN.lastIndex);
        break;
      }
      if (token[0] === '[' || token[0] === '{') level++;
      if (token[0] === ']' || token[0] === '}') level--;
    }
    if (within === undefined) return { depth: Math.max(0, level), quote: undefined };
  }
}
