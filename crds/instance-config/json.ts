/** JSON as a type, and how deep a value is. */

export type JSONType =
  | string
  | number
  | boolean
  | null
  | readonly JSONType[]
  | { readonly [key: string]: JSONType };

export const isObject = (value: unknown): value is { readonly [key: string]: JSONType } =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Whether lists and objects stand in each other deeper than that. Looks no deeper itself. */
export function isDeeperThan(value: JSONType, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((member) => isDeeperThan(member, levels - 1));
}

/** The members of all its lists and objects, and itself. Of a value that is known not to be deep. */
export function countValues(value: JSONType): number {
  if (typeof value !== 'object' || value === null) return 1;
  return Object.values(value).reduce((sum: number, member) => sum + countValues(member), 1);
}
