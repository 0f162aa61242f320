import { ErrorCode, errorOf, KafkaError } from '../protocol/errors.ts';
import {
  CreateDelegationTokenRequest,
  CreateDelegationTokenResponse,
} from '../protocol/messages/38-create-delegation-token.ts';
import {
  RenewDelegationTokenRequest,
  RenewDelegationTokenResponse,
} from '../protocol/messages/39-renew-delegation-token.ts';
import {
  ExpireDelegationTokenRequest,
  ExpireDelegationTokenResponse,
} from '../protocol/messages/40-expire-delegation-token.ts';
import {
  DescribeDelegationTokenRequest,
  DescribeDelegationTokenResponse,
} from '../protocol/messages/41-describe-delegation-token.ts';
import type { DelegationToken } from '../security/tokens/delegation-token.ts';
import type { Principal } from '../security/tokens/principal.ts';
import type { Cluster } from './cluster.ts';
import { callAny } from './named-call.ts';

/** A token as its holder has it: id and secret are what to log in with. */
export interface HeldToken extends DelegationToken {
  readonly hmac: Uint8Array;
}

export interface NewDelegationToken {
  /** Default: whoever asks. For somebody else brokers have to be of 3.3 at least (KIP-373). */
  readonly owner?: Principal;
  readonly renewers?: readonly Principal[];
  /** Default: as the broker is configured. */
  readonly maxLifetimeMs?: number;
}

const asConfigured = -1;

/** What clients do with delegation tokens (KIP-48); brokers serve only those who have said who they are, and not by a token. */
export class DelegationTokens {
  readonly #cluster: Cluster;

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  /** @throws KafkaError DELEGATION_TOKEN_AUTH_DISABLED, DELEGATION_TOKEN_REQUEST_NOT_ALLOWED among others */
  async create({ owner, renewers = [], maxLifetimeMs = asConfigured }: NewDelegationToken = {}): Promise<HeldToken> {
    const answer = await callAny(this.#cluster, 'createDelegationToken', (connection) =>
      connection.request(CreateDelegationTokenRequest, CreateDelegationTokenResponse, (version) => ({
        ...ownerFields(owner, version),
        renewers: renewers.map(fieldsOf),
        maxLifetimeMs,
      })),
    );
    throwIfFailed(answer);
    const { issueTimestampMs, expiryTimestampMs, maxTimestampMs } = answer;
    const times = { issueTimestampMs, expiryTimestampMs, maxTimestampMs };
    return { ...namesOf(answer), ...times, renewers };
  }

  /** Answers when it ends now. @param periodMs default: as the broker is configured */
  async renew(hmac: Uint8Array, periodMs = asConfigured): Promise<number> {
    const answer = await callAny(this.#cluster, 'renewDelegationToken', (connection) => {
      const request = { hmac, renewPeriodMs: periodMs };
      return connection.request(RenewDelegationTokenRequest, RenewDelegationTokenResponse, request);
    });
    throwIfFailed(answer);
    return answer.expiryTimestampMs;
  }

  /** Answers when it ends now. @param periodMs how long it lasts from now on; negative (the default): not at all */
  async expire(hmac: Uint8Array, periodMs = -1): Promise<number> {
    const answer = await callAny(this.#cluster, 'expireDelegationToken', (connection) => {
      const request = { hmac, expiryTimePeriodMs: periodMs };
      return connection.request(ExpireDelegationTokenRequest, ExpireDelegationTokenResponse, request);
    });
    throwIfFailed(answer);
    return answer.expiryTimestampMs;
  }

  /** Of these owners, those that the asker may see; without owners all of them. An empty list asks for none. */
  async describe(owners?: readonly Principal[]): Promise<HeldToken[]> {
    const answer = await callAny(this.#cluster, 'describeDelegationToken', (connection) => {
      const request = { owners: owners?.map(fieldsOf) ?? null };
      return connection.request(DescribeDelegationTokenRequest, DescribeDelegationTokenResponse, request);
    });
    throwIfFailed(answer);
    return answer.tokens.map((token) => ({
      ...namesOf(token),
      issueTimestampMs: token.issueTimestamp,
      expiryTimestampMs: token.expiryTimestamp,
      maxTimestampMs: token.maxTimestamp,
      renewers: token.renewers.map(principalOf),
    }));
  }
}

interface PrincipalFields {
  readonly principalType: string;
  readonly principalName: string;
}

const fieldsOf = ({ type, name }: Principal) => ({ principalType: type, principalName: name });
const principalOf = ({ principalType, principalName }: PrincipalFields): Principal => ({
  type: principalType,
  name: principalName,
});

/** @throws KafkaError UNSUPPORTED_VERSION where a token would become the asker's own */
function ownerFields(owner: Principal | undefined, version: number): object {
  if (version >= 3) return { ownerPrincipalType: owner?.type ?? null, ownerPrincipalName: owner?.name ?? null };
  if (owner === undefined) return {};
  throw new KafkaError(ErrorCode.UNSUPPORTED_VERSION, `the broker makes no tokens for others: v${version}, not v3`);
}

interface Named extends PrincipalFields {
  readonly tokenRequesterPrincipalType: string;
  readonly tokenRequesterPrincipalName: string;
  readonly tokenId: string;
  readonly hmac: Uint8Array;
}

/** Old brokers do not name a requester: there it is always the owner. */
function namesOf(named: Named): Pick<HeldToken, 'tokenId' | 'hmac' | 'owner' | 'requester'> {
  const { tokenId, hmac, tokenRequesterPrincipalType: type, tokenRequesterPrincipalName: name } = named;
  const owner = principalOf(named);
  return { tokenId, hmac, owner, requester: type === '' && name === '' ? owner : { type, name } };
}

function throwIfFailed({ errorCode }: { readonly errorCode: number }): void {
  if (errorCode !== ErrorCode.NONE) throw errorOf(errorCode);
}
