/**
 * Whether a concurrent history could have happened one operation after the other (Wing & Gong, with the memory of
 * visited states that Lowe and Porcupine add). An operation takes effect at one instant between its call and its
 * answer; one whose answer was lost takes effect at any time after its call, or never.
 */

export type Operation<Input, Output> = Readonly<{
  input: Input;
  /** Undefined: the answer was lost. */
  output: Output | undefined;
  /** Instants of one clock. `calledAt` may be -Infinity: an answer that may be about the past. */
  calledAt: number;
  answeredAt: number;
}>;

export type Model<State, Input, Output> = Readonly<{
  initial: State;
  /** Pure: what the operation does and answers when nothing else happens. */
  apply: (state: State, input: Input) => Readonly<{ state: State; output: Output }>;
  /** Equal for states that answer alike from here on. */
  keyOf: (state: State) => string;
  isSame: (expected: Output, seen: Output) => boolean;
}>;

export type Judgement<Input, Output> =
  | Readonly<{ linearizable: true; order: readonly Operation<Input, Output>[]; states: number }>
  /** `order`: as far as it could be explained; `stuck`: what could have come next, and is not what was answered. */
  | Readonly<{
      linearizable: false;
      order: readonly Operation<Input, Output>[];
      stuck: readonly Readonly<{ operation: Operation<Input, Output>; expected: Output }>[];
      states: number;
    }>;

export function judgeHistory<State, Input, Output>(
  model: Model<State, Input, Output>,
  history: readonly Operation<Input, Output>[],
): Judgement<Input, Output> {
  const visited = new Set<string>();
  let longest: readonly number[] = [];
  let stateAtLongest = model.initial;

  /** `done` is a bit for each operation; answers the order of the rest, or undefined. */
  const search = (state: State, done: bigint, order: readonly number[]): readonly number[] | undefined => {
    const key = `${done.toString(36)}|${model.keyOf(state)}`;
    if (visited.has(key)) return undefined;
    visited.add(key);
    if (order.length > longest.length) {
      longest = order;
      stateAtLongest = state;
    }
    if (!history.some(({ output }, at) => output !== undefined && !isDone(done, at))) return order;
    const steps = candidatesOf(history, done).flatMap((at) => {
      const operation = history[at];
      if (!operation) return [];
      const { state: next, output } = model.apply(state, operation.input);
      if (operation.output !== undefined && !model.isSame(output, operation.output)) return [];
      const changes = model.keyOf(next) !== model.keyOf(state);
      // One whose answer was lost and that would change nothing now may still change something later.
      return operation.output === undefined && !changes ? [] : [{ at, next, changes }];
    });
    // What changes nothing and is answered as it should be may as well come now: nothing is lost by it.
    const free = steps.find(({ changes }) => !changes);
    for (const { at, next } of free ? [free] : steps) {
      const found = search(next, done | (1n << BigInt(at)), [...order, at]);
      if (found) return found;
    }
    return undefined;
  };

  const order = search(model.initial, 0n, []);
  const told = (positions: readonly number[]) => positions.flatMap((at) => history[at] ?? []);
  if (order) return { linearizable: true, order: told(order), states: visited.size };
  const done = longest.reduce((bits, at) => bits | (1n << BigInt(at)), 0n);
  const stuck = candidatesOf(history, done).flatMap((at) => {
    const operation = history[at];
    return operation?.output === undefined
      ? []
      : [{ operation, expected: model.apply(stateAtLongest, operation.input).output }];
  });
  return { linearizable: false, order: told(longest), stuck, states: visited.size };
}

const isDone = (done: bigint, at: number): boolean => (done & (1n << BigInt(at))) !== 0n;

/** What may take effect next: nothing that is still open was answered before it was called. */
function candidatesOf<I, O>(history: readonly Operation<I, O>[], done: bigint): number[] {
  const open = history.map((_, at) => at).filter((at) => !isDone(done, at));
  const answeredAt = (at: number): number => {
    const operation = history[at];
    return operation?.output === undefined ? Number.POSITIVE_INFINITY : operation.answeredAt;
  };
  const firstAnswer = open.reduce((first, at) => Math.min(first, answeredAt(at)), Number.POSITIVE_INFINITY);
  return open.filter((at) => (history[at]?.calledAt ?? 0) <= firstAnswer);
}
