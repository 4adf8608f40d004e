/** The states that were seen: 64 bits of hash each, the state before, and the move that led here. */
export type Visited = Readonly<{
  /** The number of a new state; undefined when it was seen before. */
  add: (
    hash: readonly [number, number],
    cameFrom: Readonly<{ parent: number; move: number }>,
  ) => number | undefined;
  has: (hash: readonly [number, number]) => boolean;
  size: () => number;
  /** The moves from the first state to this one. */
  pathTo: (state: number) => number[];
}>;

const FREE = -1;

export function createVisited(capacity = 1 << 16): Visited {
  let slots = new Int32Array(capacity * 2).fill(FREE);
  let highs = new Uint32Array(capacity);
  let lows = new Uint32Array(capacity);
  let parents = new Int32Array(capacity);
  let moves = new Uint16Array(capacity);
  let size = 0;

  const find = (high: number, low: number): number => {
    const mask = slots.length - 1;
    for (let at = (high ^ Math.imul(low, 0x9e3779b1)) & mask; ; at = (at + 1) & mask) {
      const state = slots[at] ?? FREE;
      if (state === FREE || (highs[state] === high && lows[state] === low)) return at;
    }
  };
  const grow = (): void => {
    const twice = lows.length * 2;
    highs = copied(highs, new Uint32Array(twice));
    lows = copied(lows, new Uint32Array(twice));
    parents = copied(parents, new Int32Array(twice));
    moves = copied(moves, new Uint16Array(twice));
    slots = new Int32Array(twice * 2).fill(FREE);
    for (let state = 0; state < size; state++) slots[find(highs[state] ?? 0, lows[state] ?? 0)] = state;
  };

  return {
    add: ([high, low], { parent, move }) => {
      const at = find(high, low);
      if (slots[at] !== FREE) return undefined;
      const state = size++;
      slots[at] = state;
      highs[state] = high;
      lows[state] = low;
      parents[state] = parent;
      moves[state] = move;
      if (size === lows.length) grow();
      return state;
    },
    has: ([high, low]) => slots[find(high, low)] !== FREE,
    size: () => size,
    pathTo: (state) => {
      const path: number[] = [];
      for (let at = state; (parents[at] ?? -1) >= 0; at = parents[at] ?? -1) path.push(moves[at] ?? 0);
      return path.reverse();
    },
  };
}

function copied<T extends Uint32Array | Int32Array | Uint16Array>(from: T, to: T): T {
  to.set(from);
  return to;
}
