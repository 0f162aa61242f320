import type { ZooCfg } from '../../config/zoo-cfg.ts';
import type { Id } from '../jute/data.ts';
import type { AuthPacket } from '../jute/proto.ts';
import { generateDigest } from '../tree/acl.ts';

/**
 * What a connection is once it has shown its credentials (the scheme's AuthenticationProvider); undefined if they are no good or
 * the scheme is unknown.
 */
export function authenticate(packet: AuthPacket, address: string, config: ZooCfg): readonly Id[] | undefined {
  switch (packet.scheme) {
    case 'digest': {
      const credentials = packet.auth;
      if (credentials === null) return undefined;
      const id = generateDigest(Buffer.prototype.utf8Slice.call(credentials, 0, credentials.length));
      const ids: Id[] = id === config.superDigest ? [{ scheme: 'super', id: '' }] : [];
      ids.push({ scheme: 'digest', id });
      return ids;
    }
    case 'ip':
      return [{ scheme: 'ip', id: address }];
    default:
      return undefined;
  }
}

/** Without what is there already. */
export function withIds(ids: readonly Id[], more: readonly Id[]): readonly Id[] {
  const fresh = more.filter(({ scheme, id }) => !ids.some((known) => known.scheme === scheme && known.id === id));
  return fresh.length === 0 ? ids : [...ids, ...fresh];
}
