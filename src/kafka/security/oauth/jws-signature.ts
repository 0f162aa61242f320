import {
  constants,
  createHmac,
  type KeyObject,
  timingSafeEqual,
  type VerifyKeyObjectInput,
  verify as verifySignature,
} from 'node:crypto';

/** What a signature by one algorithm of RFC 7518 (and 8037) takes. */
export interface JwsAlgorithm {
  readonly name: string;
  readonly keyType: 'RSA' | 'EC' | 'OKP' | 'oct';
  /** With EC. */
  readonly curve?: string;
  /** Whether the key is of the size that the algorithm demands, and the signature is its. */
  verify(key: KeyObject, signed: Uint8Array, signature: Uint8Array): boolean;
}

/** RFC 7518, 3.3 */
const RSA_BITS_MIN = 2048;
/** RFC 7518, 3.4: the curve, and the name that Node has for it. */
const curves: readonly (readonly [number, string, string])[] = [
  [256, 'P-256', 'prime256v1'],
  [384, 'P-384', 'secp384r1'],
  [512, 'P-521', 'secp521r1'],
];
const sizes = [256, 384, 512] as const;

/** Those that are believed; `none` is not among them. */
const algorithms: ReadonlyMap<string, JwsAlgorithm> = new Map(
  [
    ...sizes.flatMap((bits) => [hmac(bits), rsa(`RS${bits}`, bits, {}), rsa(`PS${bits}`, bits, pss(bits))]),
    ...curves.map(([bits, curve, nodeCurve]) => ecdsa(bits, curve, nodeCurve)),
    edDsa(),
  ].map((algorithm) => [algorithm.name, algorithm]),
);

export function jwsAlgorithm(name: unknown): JwsAlgorithm | undefined {
  return typeof name === 'string' ? algorithms.get(name) : undefined;
}

function hmac(bits: number): JwsAlgorithm {
  return {
    name: `HS${bits}`,
    keyType: 'oct',
    verify(key, signed, signature) {
      if ((key.symmetricKeySize ?? 0) * 8 < bits) return false;
      const expected = createHmac(`sha${bits}`, key).update(signed).digest();
      return expected.length === signature.length && timingSafeEqual(expected, signature);
    },
  };
}

function pss(bits: number): Omit<VerifyKeyObjectInput, 'key'> {
  return { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: bits / 8 };
}

function rsa(name: string, bits: number, options: Omit<VerifyKeyObjectInput, 'key'>): JwsAlgorithm {
  return {
    name,
    keyType: 'RSA',
    verify(key, signed, signature) {
      if (key.asymmetricKeyType !== 'rsa' || (key.asymmetricKeyDetails?.modulusLength ?? 0) < RSA_BITS_MIN) {
        return false;
      }
      return verifySignature(`sha${bits}`, signed, { key, ...options }, signature);
    },
  };
}

function ecdsa(bits: number, curve: string, nodeCurve: string): JwsAlgorithm {
  return {
    name: `ES${bits}`,
    keyType: 'EC',
    curve,
    verify(key, signed, signature) {
      if (key.asymmetricKeyType !== 'ec' || key.asymmetricKeyDetails?.namedCurve !== nodeCurve) return false;
      return verifySignature(`sha${bits}`, signed, { key, dsaEncoding: 'ieee-p1363' }, signature);
    },
  };
}

function edDsa(): JwsAlgorithm {
  return {
    name: 'EdDSA',
    keyType: 'OKP',
    verify(key, signed, signature) {
      if (key.asymmetricKeyType !== 'ed25519' && key.asymmetricKeyType !== 'ed448') return false;
      return verifySignature(null, signed, key, signature);
    },
  };
}
