/** What clients may say of SASL, right and wrong; each story answers what the broker told. */
import { AUTHENTICATE, plain, type SaslWire, scramFinal, scramFirst } from './sasl-wire.ts';

const API_VERSIONS = 18;
const METADATA = 3;
const LIST_GROUPS = 16;
const SOFTWARE = { clientSoftwareName: 'story', clientSoftwareVersion: '1.0' };

export interface SaslStory {
  readonly name: string;
  tell(wire: SaslWire): Promise<unknown[]>;
}

/** Of all that is served only whether it is. */
async function versions(wire: SaslWire, version = 3, software: object = SOFTWARE): Promise<unknown> {
  const answer = await wire.ask(API_VERSIONS, version, software);
  return answer === 'closed' ? answer : { errorCode: answer.errorCode };
}

/** A version that nobody serves is answered in v0. */
async function unknownVersions(wire: SaslWire): Promise<unknown> {
  const frame = Buffer.from('0000000b0012006300000001ffff00', 'hex');
  wire.write(frame);
  return (await wire.ends()) ? 'closed' : 'answered';
}

const right = plain('alice', 'alice-secret');
const plainCases: readonly (readonly [string, string])[] = [
  ['a wrong password', plain('alice', 'guess')],
  ['nobody', plain('nobody', 'x')],
  ['no name', plain('', 'x')],
  ['no password', plain('alice', '')],
  ['an id of somebody else', plain('alice', 'alice-secret', 'bob')],
  ['an id of somebody else and a wrong password', plain('alice', 'guess', 'bob')],
  ['its own id', plain('alice', 'alice-secret', 'alice')],
  ['two parts', 'alice\0alice-secret'],
  ['four parts', '\0alice\0alice-secret\0'],
  ['nothing', ''],
];

function scram(mechanism: string, password: string, version: 0 | 1, options: object = {}, user = 'carol'): SaslStory {
  return {
    name: `${mechanism} after SaslHandshake v${version}: ${user}, ${password}, ${JSON.stringify(options)}`,
    async tell(wire) {
      const told: unknown[] = [await wire.handshake(mechanism, version)];
      const first = scramFirst(user, options);
      const say = async (text: string): Promise<string> => {
        const answer = version === 0 ? await wire.bare(text) : await wire.authenticate(text);
        if (typeof answer === 'string') return answer;
        told.push({ ...answer, authBytes: '' });
        return Buffer.from(answer.authBytes as Uint8Array).toString();
      };
      const challenge = await say(first);
      told.push(challenge.replace(/^r=client-nonce[0-9a-z]+,s=/, 'r=<nonce>,s='));
      if (!challenge.startsWith('r=')) return [...told, await wire.ends()];
      const last = await say(scramFinal(mechanism, challenge, { first, password, ...options }));
      told.push(last.replace(/^v=.*/, 'v=<signature>'));
      return last.startsWith('v=') ? [...told, await wire.ask(LIST_GROUPS, 0)] : [...told, await wire.ends()];
    },
  };
}

export const saslStories: readonly SaslStory[] = [
  ...[0, 1, 2].map((version) => ({
    name: `PLAIN in SaslAuthenticate v${version}, and what comes after it`,
    async tell(wire: SaslWire) {
      return [
        await versions(wire),
        await wire.handshake('PLAIN'),
        await wire.authenticate(right, version),
        await wire.ask(LIST_GROUPS, 0),
        await wire.authenticate(right, version),
        await wire.handshake('PLAIN'),
        await versions(wire),
      ];
    },
  })),
  ...plainCases.flatMap(([what, response]) => [
    {
      name: `PLAIN with ${what}`,
      async tell(wire: SaslWire) {
        const told = [await wire.handshake('PLAIN'), await wire.authenticate(response)];
        return [...told, await wire.ask(LIST_GROUPS, 0)];
      },
    },
    {
      name: `PLAIN in a bare frame with ${what}`,
      async tell(wire: SaslWire) {
        return [await wire.handshake('PLAIN', 0), await wire.bare(response), await wire.ask(LIST_GROUPS, 0)];
      },
    },
  ]),
  {
    name: 'PLAIN in a bare frame',
    tell: async (wire) => [await wire.handshake('PLAIN', 0), await wire.bare(right), await wire.ask(LIST_GROUPS, 0)],
  },
  ...['FOO', 'GSSAPI', '', 'plain', 'OAUTHBEARER'].flatMap((mechanism) =>
    [0, 1].map((version) => ({
      name: `SaslHandshake v${version} for ${mechanism}`,
      tell: async (wire: SaslWire) => [await wire.handshake(mechanism, version), await wire.ends()],
    })),
  ),
  { name: 'Metadata first', tell: async (wire) => [await wire.ask(METADATA, 1, { topics: [] })] },
  {
    name: 'Metadata after ApiVersions',
    tell: async (wire) => [await versions(wire), await wire.ask(METADATA, 1, { topics: [] })],
  },
  {
    name: 'ListGroups after SaslHandshake v0',
    tell: async (wire) => [await wire.handshake('PLAIN', 0), await wire.ask(LIST_GROUPS, 0)],
  },
  { name: 'SaslAuthenticate first', tell: async (wire) => [await wire.authenticate(right)] },
  {
    name: 'SaslAuthenticate after ApiVersions',
    tell: async (wire) => [await versions(wire), await wire.authenticate(right)],
  },
  { name: 'ApiVersions twice', tell: async (wire) => [await versions(wire), await versions(wire)] },
  {
    name: 'ApiVersions of a client without a name, then of one with',
    tell: async (wire) => [
      await versions(wire, 3, { clientSoftwareName: '', clientSoftwareVersion: '1' }),
      await versions(wire, 3, { clientSoftwareName: 'a b', clientSoftwareVersion: '1' }),
      await versions(wire),
      await wire.handshake('PLAIN'),
    ],
  },
  {
    name: 'ApiVersions in a version that nobody knows, then in one that is served',
    tell: async (wire) => [await unknownVersions(wire), await versions(wire, 0), await wire.handshake('PLAIN')],
  },
  {
    name: 'SaslHandshake twice',
    tell: async (wire) => [await wire.handshake('PLAIN'), await wire.handshake('PLAIN'), await wire.ends()],
  },
  {
    name: 'ApiVersions after SaslHandshake',
    tell: async (wire) => [await wire.handshake('PLAIN'), await versions(wire), await wire.ends()],
  },
  {
    name: 'a packet that is no request',
    async tell(wire) {
      wire.write(Buffer.from('000000046082010a', 'hex'));
      return [await wire.ends()];
    },
  },
  {
    name: 'a packet that is no request, after ApiVersions',
    async tell(wire) {
      const told = await versions(wire);
      wire.write(Buffer.from('000000046082010a', 'hex'));
      return [told, await wire.ends()];
    },
  },
  {
    name: 'a frame that is too large',
    async tell(wire) {
      const told = await wire.handshake('PLAIN');
      wire.write(Buffer.from('00080001', 'hex'));
      return [told, await wire.ends()];
    },
  },
  {
    name: 'a frame of a negative size',
    async tell(wire) {
      wire.write(Buffer.from('ffffffff', 'hex'));
      return [await wire.ends()];
    },
  },
  {
    name: 'SaslAuthenticate of a response that is cut short',
    async tell(wire) {
      const told = await wire.handshake('PLAIN');
      wire.write(Buffer.from(`0000000c00${AUTHENTICATE.toString(16)}000000000001ffff0000`, 'hex'));
      return [told, await wire.ends()];
    },
  },
  ...(['SCRAM-SHA-256', 'SCRAM-SHA-512'] as const).flatMap((mechanism) =>
    ([0, 1] as const).flatMap((version) => [
      scram(mechanism, 'carol-secret', version),
      scram(mechanism, 'guess', version),
      scram(mechanism, 'carol-secret', version, {}, 'nobody'),
    ]),
  ),
  ...([0, 1] as const).flatMap((version) => [
    scram('SCRAM-SHA-256', 'carol-secret', version, { header: 'n,a=dave,' }),
    scram('SCRAM-SHA-256', 'carol-secret', version, { header: 'n,a=carol,' }),
    scram('SCRAM-SHA-256', 'carol-secret', version, { header: 'y,,' }),
    scram('SCRAM-SHA-256', 'carol-secret', version, { header: 'p=tls-unique,,' }),
    scram('SCRAM-SHA-256', 'carol-secret', version, { extensions: ',tokenauth=true' }),
    scram('SCRAM-SHA-256', 'carol-secret', version, { extensions: ',tokenauth=false' }),
    scram('SCRAM-SHA-256', 'carol-secret', version, { extensions: ',other=thing' }),
    scram('SCRAM-SHA-256', 'carol-secret', version, { extensions: ',broken' }),
    scram('SCRAM-SHA-256', 'carol-secret', version, { nonce: 'client-nonceother' }),
    scram('SCRAM-SHA-256', 'carol-secret', version, { proofBytes: 16 }),
  ]),
];

/** When a session of the stories below ends. */
export const SESSION_MS = 2500;
/** Nobody may prove himself again sooner (`KafkaChannel`). */
const AGAIN_MS = 1000;

/** The machine was too slow for what a story wants to see. Nothing was seen, so it is to be told anew. */
export class TooLate extends Error {
  override readonly name = 'TooLate';
}

/** What is told while something lasts: it began with the first request or later, so until then it has not ended. */
export async function within<T>(limitMs: number, tell: () => Promise<T>): Promise<T> {
  const begunMs = performance.now();
  const told = await tell();
  if (performance.now() - begunMs >= limitMs) throw new TooLate();
  return told;
}

/** At least so long, for what nobody can see come; after any longer time brokers answer the same. */
const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));
const HALF_MS = SESSION_MS / 2 + 100;

async function logIn(wire: SaslWire, version: 0 | 1 | 2 = 1): Promise<unknown[]> {
  return [await wire.handshake('PLAIN'), await wire.authenticate(right, version)];
}

/** Of a listener whose sessions end with PLAIN, and never with SCRAM. */
export const reauthenticationStories: readonly SaslStory[] = [
  {
    name: 'the client proves itself again and is served past the first end, but not past the second',
    async tell(wire) {
      const first = await logIn(wire);
      await pause(HALF_MS);
      const second = await within(SESSION_MS, async () => {
        const told = await logIn(wire);
        await pause(HALF_MS);
        return [...told, await wire.ask(LIST_GROUPS, 0)];
      });
      await pause(HALF_MS);
      return [...first, ...second, await wire.ask(LIST_GROUPS, 0)];
    },
  },
  {
    name: 'it may do so at once and even late, but not twice in a second',
    async tell(wire) {
      const told = await logIn(wire);
      told.push(...(await within(AGAIN_MS, async () => [...(await logIn(wire)), await wire.handshake('PLAIN')])));
      await pause(2 * HALF_MS);
      return [...told, ...(await logIn(wire, 0)), await wire.ask(LIST_GROUPS, 0)];
    },
  },
  {
    name: 'it may not become somebody else',
    tell: async (wire) => [
      ...(await logIn(wire)),
      await wire.handshake('PLAIN'),
      await wire.authenticate(plain('bob', 'bob-secret')),
      await wire.ends(),
    ],
  },
  {
    name: 'it must know its password still',
    tell: async (wire) => [
      ...(await logIn(wire)),
      await wire.handshake('PLAIN'),
      await wire.authenticate(plain('alice', 'guess')),
      await wire.ends(),
    ],
  },
  {
    name: 'it keeps its mechanism',
    tell: async (wire) => [
      ...(await logIn(wire)),
      await wire.handshake('SCRAM-SHA-256'),
      await wire.authenticate(scramFirst('carol')),
      await wire.ends(),
    ],
  },
  {
    name: 'it is told of mechanisms that are not there',
    tell: async (wire) => [...(await logIn(wire)), await wire.handshake('FOO'), await wire.ends()],
  },
  {
    name: 'requests between the handshake and the proof are not served',
    tell: async (wire) => [...(await logIn(wire)), await wire.handshake('PLAIN', 0), await wire.ask(LIST_GROUPS, 0)],
  },
  {
    name: 'sessions of frames without headers end as well',
    async tell(wire) {
      const told = await within(SESSION_MS, async () => [
        await wire.handshake('PLAIN', 0),
        await wire.bare(right),
        await wire.ask(LIST_GROUPS, 0),
      ]);
      await pause(2 * HALF_MS);
      return [...told, await wire.ask(LIST_GROUPS, 0)];
    },
  },
];
