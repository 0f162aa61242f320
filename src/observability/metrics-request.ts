import type { IncomingMessage, ServerResponse } from 'node:http';
import { CONTENT_TYPE, type WantsSample } from './exposition.ts';

/** What of `/metrics` a request asks for; undefined where it asks for something else, which is answered already. */
export function wantedSamples(request: IncomingMessage, response: ServerResponse): WantsSample | undefined {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
  if (pathname !== '/metrics') {
    answer(response, 404, 'text/plain', 'Not Found\n');
    return undefined;
  }
  if (!['GET', 'HEAD', 'POST'].includes(request.method ?? '')) {
    answer(response, 405, 'text/plain', '');
    return undefined;
  }
  const names = new Set(searchParams.getAll('name[]'));
  return (name) => names.size === 0 || names.has(name);
}

/** The pieces of an exposition, together. */
export function answerMetrics(response: ServerResponse, pieces: readonly string[]): void {
  answer(response, 200, CONTENT_TYPE, pieces.join(''));
}

function answer(response: ServerResponse, status: number, type: string, text: string): void {
  response.writeHead(status, { 'Content-Type': type, 'Content-Length': Buffer.byteLength(text) });
  response.end(text);
}
