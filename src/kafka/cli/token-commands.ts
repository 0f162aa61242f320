import type { Clock } from '../../runtime/clock.ts';
import type { DelegationTokens, HeldToken } from '../client/delegation-tokens.ts';
import { type Principal, principalOf, principalText } from '../security/tokens/principal.ts';
import { CommandError } from './command-error.ts';
import { OptionError, type ParsedOptions } from './option-parser.ts';
import type { ToolIo } from './tool.ts';

export interface TokenCommandOptions {
  readonly tokens: DelegationTokens;
  readonly options: ParsedOptions;
  readonly io: ToolIo;
  readonly clock: Clock;
}

const columns = [15, 30, 15, 15, 25, 15, 15, 15] as const;
const heads = ['TOKENID', 'HMAC', 'OWNER', 'REQUESTER', 'RENEWERS', 'ISSUEDATE', 'EXPIRYDATE', 'MAXDATE'] as const;

/** The four things that kafka-delegation-tokens does. */
export class TokenCommands {
  readonly #tokens: DelegationTokens;
  readonly #options: ParsedOptions;
  readonly #io: ToolIo;
  readonly #clock: Clock;

  constructor({ tokens, options, io, clock }: TokenCommandOptions) {
    this.#tokens = tokens;
    this.#options = options;
    this.#io = io;
    this.#clock = clock;
  }

  /** @throws CommandError, OptionError, KafkaError */
  async run(): Promise<void> {
    if (this.#options.has('create')) return this.#create();
    if (this.#options.has('describe')) return this.#describe();
    await (this.#options.has('renew') ? this.#renew() : this.#expire());
  }

  async #create(): Promise<void> {
    const renewers = this.#principals('renewer-principal');
    const maxLifetimeMs = this.#period('max-life-time-period');
    this.#io.out(
      `Calling create token operation with renewers :${listOf(renewers)} , max-life-time-period :${maxLifetimeMs}\n`,
    );
    const [owner] = this.#principals('owner-principal');
    const token = await this.#tokens.create({ renewers, maxLifetimeMs, ...(owner === undefined ? {} : { owner }) });
    this.#io.out(`Created delegation token with tokenId : ${token.tokenId}\n`);
    this.#printTable([token]);
  }

  async #renew(): Promise<void> {
    const hmac = this.#secret();
    const periodMs = this.#period('renew-time-period');
    this.#io.out(`Calling renew token operation with hmac :${hmac} , renew-time-period :${periodMs}\n`);
    const expiryMs = await this.#tokens.renew(decoded(hmac), periodMs);
    this.#io.out(`Completed renew operation. New expiry date : ${this.#date(expiryMs)}`);
  }

  async #expire(): Promise<void> {
    const hmac = this.#secret();
    const periodMs = this.#period('expiry-time-period');
    this.#io.out(`Calling expire token operation with hmac :${hmac} , expire-time-period :${periodMs}\n`);
    const expiryMs = await this.#tokens.expire(decoded(hmac), periodMs);
    this.#io.out(`Completed expire operation. New expiry date : ${this.#date(expiryMs)}`);
  }

  /** Without owners Apache's tool asks for nobody's tokens, and so finds none: an empty list is not everybody. */
  async #describe(): Promise<void> {
    const owners = this.#principals('owner-principal');
    this.#io.out(
      owners.length === 0
        ? 'Calling describe token operation for current user.\n'
        : `Calling describe token operation for owners: ${listOf(owners)}\n`,
    );
    const tokens = await this.#tokens.describe(owners);
    this.#io.out(`Total number of tokens : ${tokens.length}`);
    this.#printTable(tokens);
  }

  #printTable(tokens: readonly HeldToken[]): void {
    const rows = tokens.map(({ tokenId, hmac, owner, requester, renewers, ...times }) => [
      tokenId,
      Buffer.from(hmac).toString('base64'),
      principalText(owner),
      principalText(requester),
      listOf(renewers),
      ...[times.issueTimestampMs, times.expiryTimestampMs, times.maxTimestampMs].map((ms) => this.#date(ms)),
    ]);
    for (const row of [heads, ...rows]) {
      this.#io.out(`\n${row.map((cell, index) => cell.padEnd(columns[index] ?? 0)).join(' ')}\n`);
    }
  }

  /** `2026-11-23T15:54` */
  #date(ms: number): string {
    return this.#clock.localTime(ms).slice(0, 16).replace(' ', 'T');
  }

  #principals(option: string): Principal[] {
    return this.#options.values(option).map((text) => {
      const principal = principalOf(text.trim());
      if (principal !== undefined) return principal;
      throw new CommandError(`expected a string in format principalType:principalName but got ${text.trim()}`);
    });
  }

  #period(option: string): number {
    const ms = this.#options.number(option);
    if (ms !== undefined && Number.isSafeInteger(ms)) return ms;
    const reason = ms === undefined ? 'requires an argument' : 'is too far from 0';
    throw new OptionError('OptionArgumentConversionException', `Option ${option} ${reason}`);
  }

  #secret(): string {
    const hmac = this.#options.value('hmac');
    if (hmac !== undefined) return hmac;
    throw new OptionError('OptionMissingRequiredArgumentException', 'Option hmac requires an argument');
  }
}

/** `[User:ann, User:bob]` */
function listOf(principals: readonly Principal[]): string {
  return `[${principals.map(principalText).join(', ')}]`;
}

/** As strictly as Java's. @throws CommandError */
function decoded(text: string): Buffer {
  const illegal = /[^A-Za-z0-9+/=]/.exec(text)?.[0];
  if (illegal !== undefined) throw new CommandError(`Illegal base64 character ${illegal.charCodeAt(0).toString(16)}`);
  if (!/^(?:.{4})*(?:[^=]{2}(?:==)?|[^=]{3}=?|[^=]{0})$/.test(text) || /=.*[^=]/.test(text)) {
    throw new CommandError('Input byte array has wrong 4-byte ending unit');
  }
  return Buffer.from(text, 'base64');
}
