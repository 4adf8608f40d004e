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
