import { saltPassword } from '../../../src/kafka/security/scram.ts';
import { scramMechanisms } from '../../../src/kafka/security/scram-credential.ts';
import { ask } from '../differential/raw-client.ts';

const ALTER_SCRAM_CREDENTIALS = 51;

/** A user with a password for every mechanism, asked for on a plain listener. The broker takes a moment to know it. */
export async function makeScramUser(port: number, name: string, password: string): Promise<void> {
  const salt = Buffer.from(`salt-of-${name}`);
  const upsertions = scramMechanisms.map((mechanism) => ({
    name,
    mechanism: mechanism.type,
    iterations: 4096,
    salt,
    saltedPassword: saltPassword(mechanism, password, salt, 4096),
  }));
  await ask(port, ALTER_SCRAM_CREDENTIALS, 0, { deletions: [], upsertions });
}
