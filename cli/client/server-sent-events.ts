/** Reads `text/event-stream`. Source: WHATWG HTML, section 9.2.6. */

export type ServerSentEvent = Readonly<{ event: string; data: string; id: string | undefined }>;

/** The events of a body, until it ends or is cancelled. Comments, which keep a connection alive, are left out. */
export async function* readEvents(
  body: AsyncIterable<Uint8Array>,
): AsyncGenerator<ServerSentEvent, void, undefined> {
  const decoder = new TextDecoder();
  let rest = '';
  let lines: string[] = [];
  for await (const chunk of body) {
    rest += decoder.decode(chunk, { stream: true });
    // A CR at the end may be half of a CRLF: leave it for the next chunk.
    const complete = rest.split(/\r\n|\n|\r(?!$)/);
    rest = complete.pop() ?? '';
    for (const line of complete) {
      if (line !== '') lines.push(line);
      else {
        const event = toEvent(lines);
        lines = [];
        if (event) yield event;
      }
    }
  }
}

function toEvent(lines: readonly string[]): ServerSentEvent | undefined {
  const fields = lines
    .filter((line) => !line.startsWith(':'))
    .map((line) => /^([^:]*):? ?(.*)$/s.exec(line)?.slice(1) ?? []);
  const valuesOf = (name: string): string[] =>
    fields.filter(([key]) => key === name).map(([, value = '']) => value);
  const data = valuesOf('data');
  if (data.length === 0) return undefined;
  return { event: valuesOf('event').at(-1) ?? 'message', data: data.join('\n'), id: valuesOf('id').at(-1) };
}
