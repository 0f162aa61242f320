import { ErrorCode, KafkaError } from '../protocol/errors.ts';
import type { AlterUserScramCredentialsRequest } from '../protocol/messages/51-alter-user-scram-credentials.ts';
import {
  encodeCredential,
  ITERATIONS_MAX,
  ITERATIONS_MIN,
  iterationsOf,
  scramMechanism,
  scramMechanisms,
} from '../security/scram-credential.ts';
import { desanitize, sanitize } from '../zk/entity-names.ts';
import type { KafkaZk } from '../zk/kafka-zk.ts';
import { asKafkaError } from './request-errors.ts';

export interface CredentialInfo {
  readonly mechanism: number;
  readonly iterations: number;
}

/** What a request makes of one user. */
export interface UserOutcome<T> {
  readonly user: string;
  readonly result: T | KafkaError;
}

type Deletion = AlterUserScramCredentialsRequest['deletions'][number];
type Upsertion = AlterUserScramCredentialsRequest['upsertions'][number];

interface Change {
  readonly deletions: Deletion[];
  readonly upsertions: Upsertion[];
}

const EMPTY_NAME = 'Username must not be empty';

/** SCRAM credentials of users, kept in /config/users beside their quotas (KIP-554, `ZkAdminManager`). */
export class ScramAdmin {
  readonly #zk: KafkaZk;

  constructor(zk: KafkaZk) {
    this.#zk = zk;
  }

  /** All users that have credentials, by name; or those that are named, with an error for each that has none. */
  async describe(users: readonly string[] | null): Promise<UserOutcome<CredentialInfo[]>[]> {
    if (users === null || users.length === 0) return this.#describeAll();
    return Promise.all(
      [...new Set(users)].map(async (user) => ({
        user,
        result: await settled(async () => {
          if (user === '') throw new KafkaError(ErrorCode.RESOURCE_NOT_FOUND, EMPTY_NAME);
          if (users.indexOf(user) !== users.lastIndexOf(user)) {
            throw new KafkaError(
              ErrorCode.DUPLICATE_RESOURCE,
              `Cannot describe SCRAM credentials for the same user twice in a single request: ${user}`,
            );
          }
          const found = credentialsIn(await this.#zk.config('users', sanitize(user)));
          if (found.length > 0) return found;
          throw new KafkaError(
            ErrorCode.RESOURCE_NOT_FOUND,
            `Attempt to describe a user credential that does not exist: ${user}`,
          );
        }),
      })),
    );
  }

  async #describeAll(): Promise<UserOutcome<CredentialInfo[]>[]> {
    const entities = await this.#zk.configuredEntities('users');
    const all = await Promise.all(
      entities.map(async (entity) => ({
        user: desanitize(entity),
        result: await settled(async () => credentialsIn(await this.#zk.config('users', entity))),
      })),
    );
    return all
      .filter(({ result }) => result instanceof KafkaError || result.length > 0)
      .sort((a, b) => (a.user < b.user ? -1 : 1));
  }

  /** Each user changes as a whole or not at all. */
  async alter({ deletions, upsertions }: AlterUserScramCredentialsRequest): Promise<UserOutcome<null>[]> {
    const changes = new Map<string, Change>();
    const of = (user: string): Change => {
      const change = changes.get(user) ?? { deletions: [], upsertions: [] };
      changes.set(user, change);
      return change;
    };
    for (const deletion of deletions) of(deletion.name).deletions.push(deletion);
    for (const upsertion of upsertions) of(upsertion.name).upsertions.push(upsertion);
    return Promise.all(
      [...changes].map(async ([user, change]) => ({
        user,
        result: await settled(async () => {
          check(user, change);
          await this.#apply(user, change);
          return null;
        }),
      })),
    );
  }

  async #apply(user: string, { deletions, upsertions }: Change): Promise<void> {
    const entity = sanitize(user);
    const config = await this.#zk.config('users', entity);
    for (const { mechanism } of deletions) {
      if (config.delete(scramMechanism(mechanism)?.name ?? '')) continue;
      throw new KafkaError(ErrorCode.RESOURCE_NOT_FOUND, 'Attempt to delete a user credential that does not exist');
    }
    for (const upsertion of upsertions) {
      const mechanism = scramMechanism(upsertion.mechanism);
      if (mechanism !== undefined) config.set(mechanism.name, encodeCredential(mechanism, upsertion));
    }
    await this.#zk.setOrRemoveConfig('users', entity, config);
    await this.#zk.announceConfigChange(`users/${entity}`);
  }
}

function credentialsIn(config: ReadonlyMap<string, string>): CredentialInfo[] {
  return scramMechanisms.flatMap(({ name, type }) => {
    const text = config.get(name);
    if (text === undefined) return [];
    const iterations = iterationsOf(text);
    if (iterations === undefined) throw new KafkaError(ErrorCode.UNKNOWN_SERVER_ERROR);
    return [{ mechanism: type, iterations }];
  });
}

/** In the order in which Apache finds faults. @throws KafkaError */
function check(user: string, { deletions, upsertions }: Change): void {
  if (user === '') throw new KafkaError(ErrorCode.UNACCEPTABLE_CREDENTIAL, EMPTY_NAME);
  const types = [...upsertions, ...deletions].map(({ mechanism }) => mechanism);
  if (types.some((type) => scramMechanism(type) === undefined)) {
    throw new KafkaError(ErrorCode.UNSUPPORTED_SASL_MECHANISM, 'Unknown SCRAM mechanism');
  }
  for (const { iterations } of upsertions) {
    if (iterations < ITERATIONS_MIN) throw new KafkaError(ErrorCode.UNACCEPTABLE_CREDENTIAL, 'Too few iterations');
    if (iterations > ITERATIONS_MAX) throw new KafkaError(ErrorCode.UNACCEPTABLE_CREDENTIAL, 'Too many iterations');
  }
  if (new Set(types).size < types.length) {
    throw new KafkaError(ErrorCode.DUPLICATE_RESOURCE, 'A user credential cannot be altered twice in the same request');
  }
}

async function settled<T>(run: () => Promise<T>): Promise<T | KafkaError> {
  try {
    return await run();
  } catch (error) {
    return asKafkaError(error);
  }
}
