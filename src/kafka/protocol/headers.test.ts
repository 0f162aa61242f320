import assert from 'node:assert/strict';
import test from 'node:test';
import { UnsupportedVersionError } from '../../wire/errors.ts';
import { bounds } from '../../wire/versions.ts';
import { ApiKey, apiInfos } from './api-keys.ts';
import { apis } from './apis.ts';
import { requestHeaderVersion, responseHeaderVersion } from './headers.ts';

const cases = [
  { api: 'Fetch', version: 11, request: 1, response: 0 },
  { api: 'Fetch', version: 12, request: 2, response: 1 },
  { api: 'ApiVersions', version: 2, request: 1, response: 0 },
  { api: 'ApiVersions', version: 4, request: 2, response: 0 },
  { api: 'ControlledShutdown', version: 0, request: 0, response: 0 },
  { api: 'ControlledShutdown', version: 1, request: 1, response: 0 },
  { api: 'ControlledShutdown', version: 3, request: 2, response: 1 },
  { api: 'SaslHandshake', version: 1, request: 1, response: 0 },
  { api: 'AlterPartition', version: 0, request: 2, response: 1 },
] as const;
for (const { api, version, request, response } of cases) {
  test(`${api} v${version} has request header v${request} and response header v${response}`, () => {
    assert.equal(requestHeaderVersion(ApiKey[api], version), request);
    assert.equal(responseHeaderVersion(ApiKey[api], version), response);
  });
}

test('a key that is not known is refused', () => {
  assert.throws(() => requestHeaderVersion(52, 0), UnsupportedVersionError);
});

test('the table of keys says what the schemas say', () => {
  assert.deepEqual([...apis.keys()], [...apiInfos.keys()]);
  for (const { key, name, request, response } of apis.values()) {
    assert.deepEqual([request.name, request.apiKey], [`${name}Request`, key]);
    assert.deepEqual([response.name, response.apiKey], [`${name}Response`, key]);
    assert.equal(response.versions, request.versions, name);
    assert.equal(response.flexible, request.flexible, name);
    const first = request.flexible === 'none' ? Infinity : bounds(request.flexible)[0];
    assert.equal(apiInfos.get(key)?.firstFlexible, first, name);
  }
});
