import type { ProcessRecord } from './identity.mjs';

export type LockOwner = ProcessRecord & Readonly<{ purpose: string }>;
export type LockAnswer =
  | Readonly<{ release: () => void; owner?: undefined }>
  | Readonly<{ owner: LockOwner; release?: undefined }>;
export function tryLock(file: string, purpose: string): LockAnswer;
export function waitForLock(
  file: string,
  purpose: string,
  options?: { signal?: AbortSignal | undefined; onWait?: (owner: LockOwner) => void },
): Promise<() => void>;
