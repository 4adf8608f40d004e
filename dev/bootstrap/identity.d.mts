/** A process as it is written to a file: enough to tell it from a later one with the same pid. */
export type ProcessRecord = Readonly<{ pid: number; identity: string }>;
export function identityOf(pid: number): string | undefined;
export function isAlive(record: ProcessRecord): boolean;
