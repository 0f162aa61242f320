/** What clients of SCRAM send (RFC 5802), as far as Apache's servers take it (`ScramMessages`). */

/** ASCII but NUL, and for some the signs that divide. */
const SAFE = String.raw`[^=,\0\u{80}-\u{10ffff}]`;
const VALUE = String.raw`[^,\0\u{80}-\u{10ffff}]+`;
const PRINTABLE = '(?:(?!,)[!-~])+';
const SASL_NAME = `(?:${SAFE}|=2C|=3D)+`;
const BASE64 = '(?:[a-zA-Z0-9/+]{4})*(?:[a-zA-Z0-9/+]{3}=|[a-zA-Z0-9/+]{2}==)?';
const EXTENSIONS = `(?:,[A-Za-z]+=${VALUE})*`;

const clientFirst = new RegExp(
  `^n,(?:a=(${SASL_NAME}))?,(?:m=${VALUE},)?n=(${SASL_NAME}),r=(${PRINTABLE})(${EXTENSIONS})$`,
  'u',
);
const clientFinal = new RegExp(`^c=(${BASE64}),r=(${PRINTABLE})${EXTENSIONS},p=(${BASE64})$`, 'u');

export interface ClientFirst {
  /** As it stands there; empty for none. */
  readonly authorizationId: string;
  readonly saslName: string;
  readonly nonce: string;
  /** The name is a token's id. */
  readonly isToken: boolean;
  /** What is signed of it. */
  readonly bare: string;
}

/** `n,[a=id],[m=…,]n=name,r=nonce[,extensions]` */
export function clientFirstOf(text: string): ClientFirst | undefined {
  const found = clientFirst.exec(text);
  if (found === null) return undefined;
  const [, authorizationId = '', saslName = '', nonce = '', extensions = ''] = found;
  const isToken = /,tokenauth=([^,]*)/.exec(extensions)?.[1]?.toLowerCase() === 'true';
  return { authorizationId, saslName, nonce, isToken, bare: `n=${saslName},r=${nonce}${extensions}` };
}

export interface ClientFinal {
  readonly nonce: string;
  readonly proof: Uint8Array;
  /** What is signed of it: extensions are not. */
  readonly withoutProof: string;
}

/** `c=binding,r=nonce[,extensions],p=proof` */
export function clientFinalOf(text: string): ClientFinal | undefined {
  const found = clientFinal.exec(text);
  if (found === null) return undefined;
  const [, binding = '', nonce = '', proof = ''] = found;
  return { nonce, proof: Buffer.from(proof, 'base64'), withoutProof: `c=${binding},r=${nonce}` };
}
