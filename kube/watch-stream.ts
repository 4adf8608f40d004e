/**
 * The bytes of a watch as JSON values, one a line. Chunks end anywhere, also inside a character, so lines are cut
 * on bytes and decoded whole. The pieces of a long line are joined once, at its end: linear in its length.
 */
import { KubeError } from './error.ts';

const NEWLINE = 0x0a;

/**
 * Throws KubeError `Malformed` on a whole line that is not JSON. A last line without its end is what a cut
 * connection leaves behind: it throws `ConnectionLost`, because the event will be sent again.
 */
export async function* jsonLines(chunks: AsyncIterable<Uint8Array>, what: string): AsyncGenerator<unknown> {
  let pieces: Buffer[] = [];
  for await (const chunk of chunks) {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    let start = 0;
    for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, start)) {
      pieces.push(bytes.subarray(start, end));
      const line =
        pieces.length === 1 ? bytes.toString('utf8', start, end) : Buffer.concat(pieces).toString();
      pieces = [];
      start = end + 1;
      if (line !== '') yield parse(line, what);
    }
    if (start < bytes.length) pieces.push(bytes.subarray(start));
  }
  if (pieces.length > 0) {
    throw new KubeError({
      status: 0,
      reason: 'ConnectionLost',
      message: `${what}: the stream ended inside a line`,
    });
  }
}

function parse(line: string, what: string): unknown {
  try {
    return JSON.parse(line);
  } catch (cause) {
    throw new KubeError({
      status: 0,
      reason: 'Malformed',
      message: `${what}: a line is not JSON: ${line.slice(0, 80)}`,
      cause,
    });
  }
}
