import { decodeCredential, type ScramCredential, scramMechanisms } from '../security/scram-credential.ts';

/** SCRAM credentials of all users, as /config/users has them (`CredentialProvider`). */
export class ScramCredentials {
  /** By user, then by mechanism. */
  readonly #users = new Map<string, ReadonlyMap<string, ScramCredential>>();

  find(user: string, mechanism: string): ScramCredential | undefined {
    return this.#users.get(user)?.get(mechanism);
  }

  /** All that is configured for a user now. What is no credential lets nobody in. */
  set(user: string, config: ReadonlyMap<string, string>): void {
    const found = new Map<string, ScramCredential>();
    for (const { name } of scramMechanisms) {
      const credential = decodeCredential(config.get(name) ?? '');
      if (credential !== undefined) found.set(name, credential);
    }
    if (found.size > 0) this.#users.set(user, found);
    else this.#users.delete(user);
  }

  /** Others are there no more. */
  keep(users: ReadonlySet<string>): void {
    for (const user of this.#users.keys()) if (!users.has(user)) this.#users.delete(user);
  }
}
