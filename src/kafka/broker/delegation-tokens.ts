import type { Timer } from '../../runtime/clock.ts';
import type { Log } from '../../runtime/log.ts';
import { randomUuid } from '../../runtime/random.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { ErrorCode, KafkaError } from '../protocol/errors.ts';
import type { TokenSecret, TokenSecrets } from '../security/sasl/token-secrets.ts';
import { type DelegationToken, isExpired } from '../security/tokens/delegation-token.ts';
import { type Principal, principalText } from '../security/tokens/principal.ts';
import { TokenCache } from '../security/tokens/token-cache.ts';
import { decodeToken, encodeToken } from '../security/tokens/token-json.ts';
import {
  expireToken,
  issueToken,
  type NewToken,
  renewToken,
  type TokenLimits,
} from '../security/tokens/token-rules.ts';
import type { KafkaZk } from '../zk/kafka-zk.ts';
import { TokenZnodes } from '../zk/token-znodes.ts';
import type { KafkaConfig } from './config/kafka-config.ts';

/** A token, and its secret. */
export interface SecretToken {
  readonly token: DelegationToken;
  readonly hmac: Buffer;
}

/** Who wants a token to end at another time, and which. */
export interface TokenChange {
  readonly principal: Principal;
  readonly hmac: Uint8Array;
  readonly periodMs: number;
}

/**
 * The delegation tokens of the cluster (`DelegationTokenManagerZk`): every broker knows all of them, each changes them in ZooKeeper, and
 * tells the others. The controller removes those whose time is over. Without a secret key there are none.
 */
export class DelegationTokens implements TokenSecrets {
  readonly #runtime: Runtime;
  readonly #log: Log;
  readonly #znodes: TokenZnodes;
  readonly #cache: TokenCache | undefined;
  readonly #limits: TokenLimits;
  readonly #sweepIntervalMs: number;
  #sweepTimer: Timer | undefined;
  /** One thing at a time: reading what has changed, and changing. */
  #tail: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(runtime: Runtime, config: KafkaConfig, zk: KafkaZk) {
    this.#runtime = runtime;
    this.#log = runtime.log.named('kafka.tokens');
    this.#znodes = new TokenZnodes(zk, runtime.clock);
    const secretKey = secretKeyOf(config);
    this.#cache = secretKey === '' ? undefined : new TokenCache(secretKey, runtime.random);
    this.#limits = {
      maxLifetimeMs: config.number('delegation.token.max.lifetime.ms'),
      renewPeriodMs: config.number('delegation.token.expiry.time.ms'),
    };
    this.#sweepIntervalMs = config.number('delegation.token.expiry.check.interval.ms');
  }

  static async open(runtime: Runtime, config: KafkaConfig, zk: KafkaZk): Promise<DelegationTokens> {
    const tokens = new DelegationTokens(runtime, config, zk);
    await tokens.start();
    return tokens;
  }

  get isEnabled(): boolean {
    return this.#cache !== undefined;
  }

  /** Sets the watch first and reads everything then: a change in between is only read twice. Also for a new session. */
  async start(): Promise<void> {
    const cache = this.#cache;
    if (cache === undefined) return;
    await this.#inTurn(async () => {
      await this.#znodes.createPaths();
      await this.#znodes.changes.take(() => this.#changed(cache));
      const ids = await this.#znodes.ids();
      this.#log.info(`Loading the token cache. Total token count: ${ids.length}`);
      const gone = new Set(cache.tokens.map(({ tokenId }) => tokenId));
      for (const tokenId of ids) {
        gone.delete(tokenId);
        await this.#readAgain(cache, tokenId);
      }
      for (const tokenId of gone) cache.remove(tokenId);
    });
  }

  close(): void {
    this.#closed = true;
    this.stopSweeping();
  }

  find(tokenId: string, mechanism: string): TokenSecret | undefined {
    return this.#cache?.find(tokenId, mechanism);
  }

  /** @throws KafkaError, KeeperError */
  create(asked: Omit<NewToken, 'tokenId'>, maxLifetimeMs: number): Promise<SecretToken> {
    return this.#change(async (cache) => {
      const { clock, random } = this.#runtime;
      const tokenId = Buffer.from(randomUuid(random).replaceAll('-', ''), 'hex').toString('base64url');
      const token = issueToken({ ...asked, tokenId }, maxLifetimeMs, clock.wallMs(), this.#limits);
      await this.#write(cache, token);
      this.#log.info(`Created a delegation token: ${tokenId} for owner: ${principalText(token.owner)}`);
      return { token, hmac: cache.hmacOf(tokenId) };
    });
  }

  /** Answers when the token ends now. @throws KafkaError, KeeperError */
  renew({ hmac, ...wanted }: TokenChange): Promise<number> {
    return this.#change(async (cache) => {
      const { clock } = this.#runtime;
      const token = renewToken(cache.ofHmac(hmac), { ...wanted, nowMs: clock.wallMs() }, this.#limits);
      await this.#write(cache, token);
      this.#log.info(`Delegation token renewed for token: ${token.tokenId} for owner: ${principalText(token.owner)}`);
      return token.expiryTimestampMs;
    });
  }

  /** Answers when the token ends, or has ended. @throws KafkaError, KeeperError */
  expire({ hmac, ...wanted }: TokenChange): Promise<number> {
    return this.#change(async (cache) => {
      const nowMs = this.#runtime.clock.wallMs();
      const known = cache.ofHmac(hmac);
      const token = expireToken(known, { ...wanted, nowMs });
      if (token !== undefined) {
        await this.#write(cache, token);
        this.#log.info(`Updated expiry time for token: ${token.tokenId} for owner: ${principalText(token.owner)}`);
        return token.expiryTimestampMs;
      }
      await this.#remove(cache, known as DelegationToken, 'Token expired for token');
      return nowMs;
    });
  }

  /** @throws KafkaError without a secret key */
  described(isWanted: (token: DelegationToken) => boolean): SecretToken[] {
    const cache = this.#enabled();
    return cache.tokens.filter(isWanted).map((token) => ({ token, hmac: cache.hmacOf(token.tokenId) }));
  }

  /** The controller removes what is over: now, and from time to time. */
  sweep(): void {
    const cache = this.#cache;
    if (cache === undefined || this.#closed) return;
    const { clock } = this.#runtime;
    this.#sweepTimer?.cancel();
    this.#sweepTimer = clock.after(this.#sweepIntervalMs, () => this.sweep());
    this.#inTurn(async () => {
      for (const token of cache.tokens) {
        if (isExpired(token, clock.wallMs())) {
          await this.#remove(cache, token, 'Delegation token expired for token');
        }
      }
    }).catch((error: unknown) => this.#failed('expired delegation tokens could not be removed', error));
  }

  stopSweeping(): void {
    this.#sweepTimer?.cancel();
    this.#sweepTimer = undefined;
  }

  #enabled(): TokenCache {
    if (this.#cache === undefined) throw new KafkaError(ErrorCode.DELEGATION_TOKEN_AUTH_DISABLED);
    return this.#cache;
  }

  async #change<T>(work: (cache: TokenCache) => Promise<T>): Promise<T> {
    const cache = this.#enabled();
    return this.#inTurn(() => work(cache));
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#tail.then(work);
    this.#tail = result.catch(() => undefined);
    return result;
  }

  async #write(cache: TokenCache, token: DelegationToken): Promise<void> {
    await this.#znodes.write(token.tokenId, encodeToken(token));
    cache.put(token);
    await this.#znodes.announce(token.tokenId);
  }

  async #remove(cache: TokenCache, { tokenId, owner }: DelegationToken, what: string): Promise<void> {
    this.#log.info(`${what}: ${tokenId} for owner: ${principalText(owner)}`);
    await this.#znodes.remove(tokenId);
    cache.remove(tokenId);
    await this.#znodes.announce(tokenId);
  }

  #changed(cache: TokenCache): void {
    this.#inTurn(async () => {
      if (this.#closed) return;
      for (const data of await this.#znodes.changes.take(() => this.#changed(cache))) {
        const tokenId = Buffer.from(data).toString();
        this.#log.info(`Processing Token Notification for tokenId: ${tokenId}`);
        await this.#readAgain(cache, tokenId);
      }
    }).catch((error: unknown) => this.#failed('changes of delegation tokens could not be read', error));
  }

  /** One that cannot be read stays as it is known. */
  async #readAgain(cache: TokenCache, tokenId: string): Promise<void> {
    const data = await this.#znodes.read(tokenId);
    try {
      const token = decodeToken(data);
      if (token === undefined) cache.remove(tokenId);
      else cache.put(token);
    } catch (error) {
      this.#log.error(`Error while getting Token for tokenId: ${tokenId}`, { error: String(error) });
    }
  }

  #failed(what: string, error: unknown): void {
    if (!this.#closed) this.#log.error(what, { error: String(error) });
  }
}

/** The newer name of the two counts; empty without tokens. */
function secretKeyOf(config: KafkaConfig): string {
  return config.optional('delegation.token.secret.key') ?? config.string('delegation.token.master.key');
}
