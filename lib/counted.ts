/** Numbers in sentences that people read. English only, as all of them are. */

/** `1 agent`, `0 agents`, `3 agents`. */
export const counted = (count: number, one: string, many = `${one}s`): string =>
  `${count} ${count === 1 ? one : many}`;

/** The verb after it. */
export const wasOrWere = (count: number): string => (count === 1 ? 'was' : 'were');
