/** Assertions for broken invariants: a programming error, never bad input. */

/** Ends an exhaustive switch: a new member of the union is a type error here. */
export function assertNever(value: never): never {
  throw new Error(`unexpected value: ${JSON.stringify(value)}`);
}

/** Throws when `condition` does not hold; `message` says which invariant was broken. */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`invariant broken: ${message}`);
}
