import assert from 'node:assert/strict';
import test from 'node:test';
import { flatten, type Slices, slicesOf } from '../../../base/slices.ts';
import { codecFor } from '../../../wire/codec.ts';
import { Reader } from '../../../wire/reader.ts';
import { build, type Fields, type Message, type Value } from '../../../wire/schema.ts';
import { Writer } from '../../../wire/writer.ts';
import { ErrorCode } from '../../protocol/errors.ts';
import { RequestHeader, ResponseHeader, requestHeaderVersion, responseHeaderVersion } from '../../protocol/headers.ts';
import { SaslHandshakeRequest, SaslHandshakeResponse } from '../../protocol/messages/17-sasl-handshake.ts';
import { ApiVersionsRequest } from '../../protocol/messages/18-api-versions.ts';
import { SaslAuthenticateRequest, SaslAuthenticateResponse } from '../../protocol/messages/36-sasl-authenticate.ts';
import type { SaslOutcome } from './sasl-server.ts';
import { type SaslEffect, ServerAuthenticator } from './server-authenticator.ts';

const RECEIVE_BYTES_MAX = 1000;
const MAX_REAUTH_MS = 60_000;

function requestFrame<F extends Fields>(message: Message<F>, version: number, fields: Partial<Value<F>> = {}): Slices {
  const writer = new Writer();
  const { apiKey } = message;
  const header = build(RequestHeader, { requestApiKey: apiKey, requestApiVersion: version, correlationId: 7 });
  codecFor(RequestHeader, requestHeaderVersion(apiKey, version)).write(writer, header);
  codecFor(message, version).write(writer, build(message, fields));
  return writer.finish();
}

const versions = (version = 3): Slices =>
  requestFrame(ApiVersionsRequest, version, { clientSoftwareName: 'test', clientSoftwareVersion: '1' });
const handshake = (mechanism: string, version = 1): Slices =>
  requestFrame(SaslHandshakeRequest, version, { mechanism });
const authenticate = (text: string, version = 1): Slices =>
  requestFrame(SaslAuthenticateRequest, version, { authBytes: Buffer.from(text) });

/** A mechanism that believes what it is told: `ok NAME`, `token NAME`, `more`, `open`, `secret` and `broken`. */
function credulous(response: Uint8Array): SaslOutcome {
  const [word, name = ''] = Buffer.from(response).toString().split(' ');
  const bytes = Buffer.from(`${word}!`);
  switch (word) {
    case 'ok':
      return { kind: 'complete', bytes, identity: { name, isTokenAuthenticated: false } };
    case 'token':
      return { kind: 'complete', bytes, identity: { name, isTokenAuthenticated: true, expiresAtMs: 1_005_000 } };
    case 'more':
      return { kind: 'challenge', bytes };
    case 'open':
      return { kind: 'refused', told: 'you are not welcome', reason: 'why' };
    case 'secret':
      return { kind: 'refused', reason: 'why' };
    default:
      return { kind: 'broken', reason: 'nonsense' };
  }
}

class Told {
  readonly machine: ServerAuthenticator;
  nowMs = 5000;

  constructor(maxReauthMs = 0) {
    const mechanism = (name: string) => ({ name, maxReauthMs, begin: () => ({ evaluate: credulous }) });
    this.machine = new ServerAuthenticator({
      mechanisms: [mechanism('ONE'), mechanism('TWO')],
      receiveBytesMax: RECEIVE_BYTES_MAX,
      apiVersionsMax: 4,
    });
  }

  say(frame: Slices): string[] {
    return this.machine.step({ kind: 'frame', frame, nowMs: this.nowMs, wallMs: 1_000_000 }).map(shown);
  }

  all(...frames: readonly Slices[]): string[] {
    return frames.flatMap((frame) => this.say(frame));
  }
}

function shown(effect: SaslEffect): string {
  switch (effect.kind) {
    case 'send':
      return `send ${answerText(effect.frame)}`;
    case 'serve':
      return 'serve';
    case 'identify':
      return `identify ${effect.identity.name}${effect.identity.isTokenAuthenticated ? ' by token' : ''}`;
    case 'fail':
      return effect.answer === undefined ? 'fail' : `fail ${answerText(effect.answer)}`;
    case 'close':
      return 'close';
    default:
      return effect satisfies never;
  }
}

/** Every answer here is of one of three kinds. */
function answerText(frame: Slices): string {
  const bytes = Buffer.from(flatten(frame));
  assert.equal(bytes.readInt32BE(), bytes.length - 4, 'the frame has its length');
  const body = bytes.subarray(4);
  if (body.length < 8) return `bare ${body}`;
  return handshakeText(body) ?? authenticateText(body, 1) ?? authenticateText(body, 2) ?? `bare ${body}`;
}

function handshakeText(body: Uint8Array): string | undefined {
  const found = decodedAs(SaslHandshakeResponse, 1, body);
  return found === undefined ? undefined : `handshake ${found.errorCode} ${found.mechanisms.join('+')}`;
}

function authenticateText(body: Uint8Array, version: number): string | undefined {
  const found = decodedAs(SaslAuthenticateResponse, version, body);
  if (found === undefined) return undefined;
  const { errorCode, errorMessage, authBytes, sessionLifetimeMs } = found;
  return `answer ${errorCode} ${errorMessage || '-'} ${Buffer.from(authBytes).toString() || '-'} ${sessionLifetimeMs}`;
}

function decodedAs<F extends Fields>(message: Message<F>, version: number, body: Uint8Array): Value<F> | undefined {
  try {
    const from = new Reader(slicesOf(body));
    const header = codecFor(ResponseHeader, responseHeaderVersion(message.apiKey, version)).read(from);
    const value = codecFor(message, version).read(from);
    return from.remaining === 0 && header.correlationId === 7 ? value : undefined;
  } catch {
    return undefined;
  }
}

const offered = 'ONE+TWO';
const bare = (text: string): Slices => slicesOf(Buffer.from(text));
const welcome = `send handshake 0 ${offered}`;

const cases: { name: string; frames: Slices[]; want: string[]; maxReauthMs?: number }[] = [
  {
    name: 'a client asks for versions, chooses, proves itself and is served',
    frames: [versions(), handshake('ONE'), authenticate('more'), authenticate('ok alice'), versions()],
    want: ['serve', welcome, 'send answer 0 - more! 0', 'send answer 0 - ok! 0', 'identify alice', 'serve'],
  },
  {
    name: 'in SaslAuthenticate v2 it is answered in v2',
    frames: [handshake('ONE'), authenticate('ok alice', 2)],
    want: [welcome, 'send answer 0 - ok! 0', 'identify alice'],
  },
  {
    name: 'after SaslHandshake v0 the exchange is bare',
    frames: [handshake('TWO', 0), bare('more'), bare('ok alice'), versions()],
    want: [welcome, 'send bare more!', 'send bare ok!', 'identify alice', 'serve'],
  },
  {
    name: 'a mechanism that is not offered is refused with those that are',
    frames: [handshake('THREE'), authenticate('ok alice')],
    want: [`fail handshake ${ErrorCode.UNSUPPORTED_SASL_MECHANISM} ${offered}`],
  },
  {
    name: 'a refusal says what it may say',
    frames: [handshake('ONE'), authenticate('open'), authenticate('ok alice')],
    want: [welcome, `fail answer ${ErrorCode.SASL_AUTHENTICATION_FAILED} you are not welcome - 0`],
  },
  {
    name: 'a refusal that must not say why names the mechanism alone',
    frames: [handshake('TWO'), authenticate('secret'), authenticate('ok alice')],
    want: [
      welcome,
      `fail answer ${ErrorCode.SASL_AUTHENTICATION_FAILED} Authentication failed during authentication due to invalid credentials with SASL mechanism TWO - 0`,
    ],
  },
  {
    name: 'a bare refusal that may be told is delayed',
    frames: [handshake('ONE', 0), bare('open')],
    want: [welcome, 'fail'],
  },
  {
    name: 'a bare refusal that must not be told is not',
    frames: [handshake('ONE', 0), bare('secret')],
    want: [welcome, 'close'],
  },
  { name: 'a broken exchange closes', frames: [handshake('ONE'), authenticate('nonsense')], want: [welcome, 'close'] },
  { name: 'no request is served before the exchange', frames: [authenticate('ok alice'), versions()], want: ['fail'] },
  {
    name: 'no request but one of the exchange is served in it',
    frames: [handshake('ONE'), versions(), authenticate('ok alice')],
    want: [welcome, 'fail'],
  },
  {
    name: 'a second handshake in the exchange is an illegal state',
    frames: [handshake('ONE'), handshake('ONE')],
    want: [welcome, `fail handshake ${ErrorCode.ILLEGAL_SASL_STATE} `],
  },
  { name: 'versions are asked for once', frames: [versions(), versions()], want: ['serve', 'close'] },
  {
    name: 'a version of ApiVersions that is not served may be followed by another',
    frames: [requestFrame(ApiVersionsRequest, 5), versions(), handshake('ONE')],
    want: ['serve', 'serve', welcome],
  },
  { name: 'what is no request fails', frames: [bare('\x60\x82')], want: ['fail'] },
  {
    name: 'what is no request closes once one was there',
    frames: [versions(), bare('\x60\x82')],
    want: ['serve', 'close'],
  },
  {
    name: 'a frame above the limit fails',
    frames: [handshake('ONE', 0), bare('x'.repeat(RECEIVE_BYTES_MAX + 1)), bare('ok alice')],
    want: [welcome, 'fail'],
  },
  {
    name: 'a frame above the limit is a request like others once the client is known',
    frames: [handshake('ONE', 0), bare('ok alice'), bare('x'.repeat(RECEIVE_BYTES_MAX + 1))],
    want: [welcome, 'send bare ok!', 'identify alice', 'serve'],
  },
  {
    name: 'without an end of sessions a handshake is for the handlers',
    frames: [handshake('ONE'), authenticate('ok alice'), handshake('ONE')],
    want: [welcome, 'send answer 0 - ok! 0', 'identify alice', 'serve'],
  },
  {
    name: "a token's session ends with the token, if not before",
    maxReauthMs: MAX_REAUTH_MS,
    frames: [handshake('ONE'), authenticate('token alice')],
    want: [welcome, 'send answer 0 - token! 5000', 'identify alice by token'],
  },
];
for (const { name, frames, want, maxReauthMs } of cases) {
  test(name, () => {
    const found = new Told(maxReauthMs).all(...frames);
    const brief = found.map((text) => (want.includes('fail') && /^fail /.test(text) ? 'fail' : text));
    assert.deepEqual(want.includes('fail') ? brief : found, want);
  });
}

test('a session ends, unless the client has proved itself again', () => {
  const told = new Told(MAX_REAUTH_MS);
  const done = ['identify alice'];
  const answered = `send answer 0 - ok! ${MAX_REAUTH_MS}`;
  assert.deepEqual(told.all(handshake('ONE'), authenticate('ok alice')), [welcome, answered, ...done]);
  told.nowMs += MAX_REAUTH_MS;
  assert.deepEqual(told.say(versions()), ['serve'], 'to its last millisecond it lasts');
  assert.deepEqual(told.all(handshake('ONE'), authenticate('ok alice')), [welcome, answered, ...done]);
  told.nowMs += MAX_REAUTH_MS;
  assert.deepEqual(told.say(versions()), ['serve']);
  told.nowMs += 1;
  assert.deepEqual(told.say(versions()), ['close']);
});

test('who comes again too soon is answered by the handlers, who comes late is not too late', () => {
  const told = new Told(MAX_REAUTH_MS);
  told.all(handshake('ONE'), authenticate('ok alice'));
  assert.deepEqual(told.all(handshake('ONE'), authenticate('ok alice')).length, 3);
  told.nowMs += 999;
  assert.deepEqual(told.say(handshake('ONE')), ['serve']);
  told.nowMs += 2 * MAX_REAUTH_MS;
  assert.deepEqual(told.say(handshake('ONE')), [welcome]);
});

test('who comes again is who he was, by the mechanism that he used, or is gone', () => {
  const again = (...frames: readonly Slices[]): string[] => {
    const told = new Told(MAX_REAUTH_MS);
    told.all(handshake('ONE'), authenticate('ok alice'));
    return told.all(...frames);
  };
  const failed = `fail answer ${ErrorCode.SASL_AUTHENTICATION_FAILED}`;
  assert.deepEqual(again(handshake('ONE'), authenticate('ok bob')), [
    welcome,
    `${failed} Cannot change principals during re-authentication from User.alice: User.bob - 0`,
  ]);
  assert.deepEqual(again(handshake('ONE'), authenticate('secret')), [
    welcome,
    `${failed} Authentication failed during re-authentication due to invalid credentials with SASL mechanism ONE - 0`,
  ]);
  assert.deepEqual(again(handshake('TWO'), authenticate('ok alice')), [welcome, 'fail']);
  assert.deepEqual(again(handshake('THREE')), ['close']);
});

test('a frame that has only begun is judged by the size that it announces', () => {
  const { machine } = new Told();
  assert.deepEqual(machine.step({ kind: 'announced', bytes: RECEIVE_BYTES_MAX }), []);
  assert.deepEqual(machine.step({ kind: 'announced', bytes: RECEIVE_BYTES_MAX + 1 }).map(shown), ['fail']);
});
