import type { ApiVersionsRequest } from './messages/18-api-versions.ts';

const softwareName = /^[a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?$/;

/** From v3 on a client must say what it is, in words that a metric can carry (KIP-511). */
export function namesItself(request: ApiVersionsRequest, version: number): boolean {
  if (version < 3) return true;
  return [request.clientSoftwareName, request.clientSoftwareVersion].every((text) => softwareName.test(text));
}
