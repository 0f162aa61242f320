import type { Random } from '../../../runtime/random.ts';
import type { KafkaZk } from '../../zk/kafka-zk.ts';
import type { KafkaConfig } from './kafka-config.ts';
import { type PasswordEncoder, passwordEncoderOf, reEncoded } from './password-encoder.ts';

/** The secret was changed: what the old one can decode is stored under the new one (`maybeReEncodePasswords`). */
export async function encodePasswordsAnew(
  zk: KafkaZk,
  brokerId: number,
  { config, now, random }: { config: KafkaConfig; now: PasswordEncoder | undefined; random: Random },
): Promise<void> {
  const old = passwordEncoderOf(config, 'password.encoder.old.secret', random);
  const stored = await zk.config('brokers', String(brokerId));
  const renewed = reEncoded(stored, old, now);
  if (renewed !== undefined) await zk.setConfig('brokers', String(brokerId), renewed);
}
