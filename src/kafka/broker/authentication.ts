import type { Slices } from '../../base/slices.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { SaslEvent, ServerAuthenticator } from '../security/sasl/server-authenticator.ts';

/** What a connection does for its authentication. */
export interface AuthenticatedConnection {
  send(frame: Slices): void;
  /** Some time later the answer leaves, if there is one, and the connection ends; nothing else is handled any more. */
  fail(answer: Slices | undefined, reason: string): void;
  destroy(reason: string): void;
}

/** SASL of one connection: what comes from the client goes through it. */
export class Authentication {
  readonly #machine: ServerAuthenticator;
  readonly #connection: AuthenticatedConnection;
  readonly #clock: Clock;
  /** Undefined until the client is known. */
  principal: string | undefined;
  isByToken = false;

  constructor(machine: ServerAuthenticator, connection: AuthenticatedConnection, clock: Clock) {
    this.#machine = machine;
    this.#connection = connection;
    this.#clock = clock;
  }

  /** Answers whether it was a frame of the exchange, and so is done with; others are requests to be served. */
  takes(frame: Slices): boolean {
    return !this.#step({ kind: 'frame', frame, nowMs: this.#clock.monotonicMs(), wallMs: this.#clock.wallMs() });
  }

  /** So large a frame has begun to come. */
  announced(bytes: number): void {
    if (!this.#machine.isComplete) this.#step({ kind: 'announced', bytes });
  }

  /** Answers whether the frame is to be served. */
  #step(event: SaslEvent): boolean {
    let isServed = false;
    for (const effect of this.#machine.step(event)) {
      switch (effect.kind) {
        case 'send':
          this.#connection.send(effect.frame);
          break;
        case 'serve':
          isServed = true;
          break;
        case 'identify':
          this.principal = effect.identity.name;
          this.isByToken = effect.identity.isTokenAuthenticated;
          break;
        case 'fail':
          this.#connection.fail(effect.answer, effect.reason);
          break;
        case 'close':
          this.#connection.destroy(effect.reason);
          break;
        default:
          effect satisfies never;
      }
    }
    return isServed;
  }
}
