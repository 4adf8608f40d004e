/**
 * As much of PostgreSQL's wire protocol (version 3) as it takes to see statements go by: frames, and what a client
 * asks for between two moments at which the server is ready. Source: PostgreSQL documentation, "Message Flow".
 */

export type Frame = Readonly<{
  /** One letter; undefined for a client's first message, which has none. */
  type: string | undefined;
  bytes: Buffer;
}>;

const HEADER_BYTES = 5;
/** The answers `S` and `N` to an SSLRequest have no length: we never let one through. */
const SSL_REQUEST = 80_877_103;
const GSS_REQUEST = 80_877_104;

/** Whole frames out of chunks of any size. `untyped` frames come first, as a client begins. */
export function createFramer({ untyped }: Readonly<{ untyped: number }>): (chunk: Buffer) => Frame[] {
  let rest: Buffer = Buffer.alloc(0);
  let left = untyped;
  return (chunk) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const frames: Frame[] = [];
    for (;;) {
      const head = left > 0 ? 0 : 1;
      if (rest.length < head + 4) return frames;
      const length = head + rest.readUInt32BE(head);
      if (rest.length < length) return frames;
      const bytes = rest.subarray(0, length);
      rest = rest.subarray(length);
      if (left > 0 && !asksForEncryption(bytes)) left--;
      frames.push({ type: head === 0 ? undefined : String.fromCharCode(bytes[0] ?? 0), bytes });
    }
  };
}

/** The client asks before its first message whether the server can encrypt. */
export const asksForEncryption = (bytes: Buffer): boolean =>
  bytes.length === 8 && [SSL_REQUEST, GSS_REQUEST].includes(bytes.readUInt32BE(4));

/** The text of a statement in a Query or Parse frame; undefined in any other. */
export function sqlOf({ type, bytes }: Frame): string | undefined {
  if (type === 'Q') return bytes.subarray(HEADER_BYTES, bytes.length - 1).toString('utf8');
  if (type !== 'P') return undefined;
  const sqlFrom = bytes.indexOf(0, HEADER_BYTES) + 1; // behind the name of the prepared statement
  return bytes.subarray(sqlFrom, bytes.indexOf(0, sqlFrom)).toString('utf8');
}

/** Query and Sync: after them the server works and then says that it is ready. */
export const isRequestEnd = ({ type }: Frame): boolean => type === 'Q' || type === 'S';
export const isReady = ({ type }: Frame): boolean => type === 'Z';
export const isError = ({ type }: Frame): boolean => type === 'E';

const COMMENT = /\/\*[\s\S]*?\*\/|--.*$/gm;
const READS = /^\s*(?:select|show|set|begin|start|rollback|values|table|explain)\b/i;

/** Everything that changes something, now or at the end of its transaction; what only reads or asks does not. */
export function isWriting(sql: string): boolean {
  const text = sql.replace(COMMENT, ' ');
  return text.trim() !== '' && !READS.test(text);
}
