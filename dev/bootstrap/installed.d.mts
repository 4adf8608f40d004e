type LockedPackage = Readonly<{
  version?: string;
  integrity?: string;
  optional?: boolean;
  devOptional?: boolean;
  link?: boolean;
}>;
export type LockFile = Readonly<{ packages: Readonly<Record<string, LockedPackage>> }>;
export const NODE_24: string;
export function isInstalled(root: string): boolean;
export function markInstalled(root: string): void;
export function isCovered(wanted: LockFile, present: LockFile): boolean;
