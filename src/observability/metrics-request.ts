import type { IncomingMessage, ServerResponse } from 'node:http';
import { CONTENT_TYPE, type WantsSample } from './exposition.ts';
import { answerBadTarget, answerMethod, answerNowhere } from './http-errors.ts';
import { targetOf } from './http-target.ts';

/** What of `/metrics` a request asks for; undefined where it asks for something else, which is answered already. */
export function wantedSamples(request: IncomingMessage, response: ServerResponse): WantsSample | undefined {
  const target = targetOf(request);
  if (target === undefined) {
    answerBadTarget(response);
    return undefined;
  }
  const { pathname, searchParams } = target;
  if (pathname !== '/metrics') {
    answerNowhere(request, response);
    return undefined;
  }
  if (answerMethod(request, response, true)) return undefined;
  const names = new Set(searchParams.getAll('name[]'));
  return (name) => names.size === 0 || names.has(name);
}

/** The pieces of an exposition, together. */
export function answerMetrics(response: ServerResponse, pieces: readonly string[]): void {
  const text = pieces.join('');
  response.writeHead(200, { 'Content-Type': CONTENT_TYPE, 'Content-Length': Buffer.byteLength(text) });
  response.end(text);
}

/** Characters that are put together and written at once: neither many small writes nor one that takes long. */
const WRITTEN_AT_ONCE = 32_768;

/** The same in steps, each of little work: a large exposition is megabytes. It ends early when nobody listens any more. */
export function* tellMetrics(response: ServerResponse, pieces: Iterable<string>): Generator<void, undefined> {
  const written: Buffer[] = [];
  let text = '';
  for (const piece of pieces) {
    text += piece;
    if (text.length >= WRITTEN_AT_ONCE) {
      written.push(Buffer.from(text));
      text = '';
    }
    yield;
    if (response.destroyed) return;
  }
  written.push(Buffer.from(text));
  const size = written.reduce((sum, { length }) => sum + length, 0);
  response.writeHead(200, { 'Content-Type': CONTENT_TYPE, 'Content-Length': size });
  for (const bytes of written) {
    response.write(bytes);
    yield;
    if (response.destroyed) return;
  }
  response.end();
}
