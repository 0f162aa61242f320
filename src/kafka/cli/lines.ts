/** The lines of a stream of bytes, as Java's BufferedReader splits them: \n, \r\n or \r; the last needs no end. */
export async function* readLines(input: AsyncIterable<Uint8Array>): AsyncGenerator<string, undefined> {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  let rest = '';
  for await (const chunk of input) {
    rest += decoder.decode(chunk, { stream: true });
    let start = 0;
    for (;;) {
      const end = nextEnd(rest, start);
      // A carriage return at the very end may be half of a pair.
      if (end < 0 || (rest[end] === '\r' && end + 1 === rest.length)) break;
      yield rest.slice(start, end);
      start = rest.startsWith('\r\n', end) ? end + 2 : end + 1;
    }
    rest = rest.slice(start);
  }
  rest += decoder.decode();
  if (rest.endsWith('\r')) yield rest.slice(0, -1);
  else if (rest !== '') yield rest;
  return undefined;
}

function nextEnd(text: string, from: number): number {
  const feed = text.indexOf('\n', from);
  const carriage = text.lastIndexOf('\r', feed < 0 ? text.length : feed) < from ? -1 : text.indexOf('\r', from);
  if (feed < 0 || carriage < 0) return Math.max(feed, carriage);
  return Math.min(feed, carriage);
}
