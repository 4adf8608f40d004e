/** Versions in the order of semver 2.0: a pre-release comes before its release, build metadata counts nothing. */

/** Below zero when `a` is older; what is no version is older than any. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [parse(a), parse(b)];
  if (!left || !right) return Number(left !== undefined) - Number(right !== undefined);
  for (const at of [0, 1, 2] as const) {
    const difference = left.core[at] - right.core[at];
    if (difference !== 0) return difference;
  }
  return comparePre(left.pre, right.pre);
}

type Version = Readonly<{ core: readonly [number, number, number]; pre: readonly string[] }>;

function parse(text: string): Version | undefined {
  const match = /^v?(\d{1,9})\.(\d{1,9})(?:\.(\d{1,9}))?(?:-([0-9A-Za-z.-]+))?(?:\+.*)?$/.exec(text);
  if (!match) return undefined;
  const core = [Number(match[1]), Number(match[2]), Number(match[3] ?? 0)] as const;
  return { core, pre: match[4]?.split('.') ?? [] };
}

function comparePre(a: readonly string[], b: readonly string[]): number {
  if (a.length === 0 || b.length === 0) return b.length - a.length;
  for (let at = 0; at < Math.max(a.length, b.length); at++) {
    const [left, right] = [a[at], b[at]];
    if (left === undefined || right === undefined) return a.length - b.length;
    const difference = comparePart(left, right);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Numbers by value and before words, words by their characters. */
function comparePart(a: string, b: string): number {
  const [left, right] = [/^\d+$/.test(a), /^\d+$/.test(b)];
  if (left && right) return Number(a) - Number(b);
  if (left !== right) return left ? -1 : 1;
  return a === b ? 0 : a < b ? -1 : 1;
}
