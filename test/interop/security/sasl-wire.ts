/** One connection on which a client says of SASL whatever a story wants, and hears what it is told. */
import { connect, type Socket } from 'node:net';
import type { Slices } from '../../../src/base/slices.ts';
import { clientKeyOf, saltPassword, sign, storedKeyOf, xor } from '../../../src/kafka/security/scram.ts';
import { type ScramMechanism, scramMechanisms } from '../../../src/kafka/security/scram-credential.ts';
import { FrameSplitter } from '../../../src/wire/framing.ts';
import { type Answer, decodeAnswer, encodeRequest } from '../differential/raw-client.ts';

export const HANDSHAKE = 17;
export const AUTHENTICATE = 36;

const CLIENT_NONCE = 'client-nonce';

export class SaslWire {
  readonly #socket: Socket;
  readonly #arrived: Slices[] = [];
  #isClosed = false;
  #wake: () => void = () => undefined;

  constructor(port: number) {
    this.#socket = connect({ port, host: '127.0.0.1' });
    const splitter = new FrameSplitter(100 << 20);
    this.#socket.on('data', (chunk) => {
      splitter.push(chunk, (frame) => {
        this.#arrived.push(frame);
        return true;
      });
      this.#wake();
    });
    this.#socket.on('error', () => undefined);
    this.#socket.on('close', () => {
      this.#isClosed = true;
      this.#wake();
    });
  }

  /** The decoded answer, or that the broker closes the connection instead. */
  async ask(apiKey: number, version: number, fields: object = {}): Promise<Answer | 'closed'> {
    for (const part of encodeRequest(apiKey, version, fields).chunks) this.#socket.write(part);
    const frame = await this.#next();
    return frame === undefined ? 'closed' : decodeAnswer(apiKey, version, frame);
  }

  handshake(mechanism: string, version = 1): Promise<Answer | 'closed'> {
    return this.ask(HANDSHAKE, version, { mechanism });
  }

  authenticate(text: string, version = 2): Promise<Answer | 'closed'> {
    return this.ask(AUTHENTICATE, version, { authBytes: Buffer.from(text) });
  }

  /** A frame without a header, as after SaslHandshake v0. */
  async bare(token: string): Promise<string> {
    const frame = Buffer.alloc(4 + Buffer.byteLength(token));
    frame.writeInt32BE(frame.length - 4);
    frame.write(token, 4);
    this.write(frame);
    const answer = await this.#next();
    return answer === undefined ? 'closed' : textOf(answer);
  }

  write(bytes: Uint8Array): void {
    this.#socket.write(bytes);
  }

  /** Whether the broker closes, rather than answers. */
  async ends(): Promise<boolean> {
    return (await this.#next()) === undefined;
  }

  close(): void {
    this.#socket.destroy();
  }

  async #next(): Promise<Slices | undefined> {
    while (this.#arrived.length === 0 && !this.#isClosed) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.#arrived.shift();
  }
}

function textOf(frame: Slices): string {
  return Buffer.concat(frame.chunks as Uint8Array[]).toString();
}

export function mechanismNamed(name: string): ScramMechanism {
  const found = scramMechanisms.find((mechanism) => mechanism.name === name);
  if (found === undefined) throw new RangeError(name);
  return found;
}

export function plain(user: string, password: string, authorizationId = ''): string {
  return `${authorizationId}\0${user}\0${password}`;
}

export function scramFirst(user: string, { extensions = '', header = 'n,,' } = {}): string {
  return `${header}n=${user},r=${CLIENT_NONCE}${extensions}`;
}

/** What a client says to a server's challenge. */
export function scramFinal(
  name: string,
  challenge: string,
  { first, password, nonce, proofBytes }: { first: string; password: string; nonce?: string; proofBytes?: number },
): string {
  const mechanism = mechanismNamed(name);
  const [, given = '', salt = '', iterations = ''] = /^r=([^,]*),s=([^,]*),i=(\d+)$/.exec(challenge) ?? [];
  const withoutProof = `c=biws,r=${nonce ?? given}`;
  const salted = saltPassword(mechanism, password, Buffer.from(salt, 'base64'), Number(iterations));
  const clientKey = clientKeyOf(mechanism, salted);
  const authMessage = `${first.replace(/^n,[^,]*,/, '')},${challenge},${withoutProof}`;
  const proof = xor(clientKey, sign(mechanism, storedKeyOf(mechanism, clientKey), authMessage));
  return `${withoutProof},p=${proof.subarray(0, proofBytes ?? proof.length).toString('base64')}`;
}
