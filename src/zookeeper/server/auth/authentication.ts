import type { AuthConfig, AuthScheme } from '../../../config/zoo-cfg-auth.ts';
import type { Connection } from '../../../runtime/network.ts';
import type { Random } from '../../../runtime/random.ts';
import type { Id } from '../../jute/data.ts';
import type { AuthPacket } from '../../jute/proto.ts';
import { DigestMd5Server } from '../../sasl/digest-md5-server.ts';
import type { ServerStats } from '../server-stats.ts';
import { digestProvider } from './digest-provider.ts';
import { ensembleProvider } from './ensemble-provider.ts';
import { ipProvider } from './ip-provider.ts';
import type { AuthClient, AuthenticationProvider, AuthOutcome } from './provider.ts';
import { saslProvider } from './sasl-provider.ts';
import type { SaslUsers } from './sasl-users.ts';
import { x509Provider } from './x509-provider.ts';

export interface AuthenticationOptions {
  readonly config: AuthConfig;
  readonly random: Random;
  readonly stats: ServerStats;
  /** Undefined: SASL is not configured. */
  readonly saslUsers: SaslUsers | undefined;
}

/** The schemes that a server knows, and what it demands of clients (ProviderRegistry and AuthenticationHelper). */
export class Authentication {
  readonly config: AuthConfig;
  readonly schemes: ReadonlyMap<string, AuthenticationProvider>;
  readonly #random: Random;
  readonly #saslUsers: SaslUsers | undefined;

  constructor({ config, random, stats, saslUsers }: AuthenticationOptions) {
    this.config = config;
    this.#random = random;
    this.#saslUsers = saslUsers;
    this.schemes = new Map([...config.schemes].map((scheme) => [scheme, providerOf(scheme, config, stats)]));
  }

  /**
   * What a new connection is before it has said a word: its address, and whoever its certificate names. Undefined if it showed a
   * certificate that counts for nothing here: it may not stay.
   */
  idsOf(client: AuthClient): readonly Id[] | undefined {
    const ids = ipProvider.authenticate(null, client) as readonly Id[];
    if (client.certificates.length === 0) return ids;
    const outcome = this.schemes.get(this.config.sslAuthProvider)?.authenticate(null, client);
    return outcome === undefined || typeof outcome === 'string' ? undefined : withIds(ids, outcome);
  }

  authenticate({ scheme, auth }: AuthPacket, client: AuthClient): AuthOutcome {
    return this.schemes.get(scheme)?.authenticate(auth, client) ?? 'failed';
  }

  /** Whether a client with these ids may ask for nothing yet. */
  isBarred(ids: readonly Id[]): boolean {
    const { enforcedSchemes } = this.config;
    return enforcedSchemes !== undefined && !ids.some(({ scheme }) => enforcedSchemes.includes(scheme));
  }

  get requiresSasl(): boolean {
    return this.config.enforcedSchemes?.includes('sasl') === true;
  }

  /** One exchange; undefined where SASL is not configured. */
  beginSasl(): DigestMd5Server | undefined {
    const users = this.#saslUsers;
    return users && new DigestMd5Server({ random: this.#random, passwordOf: (name) => users.get(name) });
  }

  /** What a client is once SASL has proved its name. */
  saslIds(name: string): readonly Id[] {
    const ids: Id[] = [{ scheme: 'sasl', id: name }];
    if (this.config.sasl.superUsers.includes(name)) ids.push({ scheme: 'super', id: '' });
    return ids;
  }
}

function providerOf(scheme: AuthScheme, config: AuthConfig, stats: ServerStats): AuthenticationProvider {
  switch (scheme) {
    case 'digest':
      return digestProvider(config);
    case 'ip':
      return ipProvider;
    case 'sasl':
      return saslProvider(config.sasl);
    case 'x509':
      return x509Provider(config);
    case 'ensemble':
      return ensembleProvider(config, stats);
    default:
      return scheme satisfies never;
  }
}

export function authClientOf({ remote, tls }: Connection): AuthClient {
  return { host: remote.host, certificates: tls?.peerCertificates ?? [] };
}

/** Without what is there already. */
export function withIds(ids: readonly Id[], more: readonly Id[]): readonly Id[] {
  const fresh = more.filter(({ scheme, id }) => !ids.some((known) => known.scheme === scheme && known.id === id));
  return fresh.length === 0 ? ids : [...ids, ...fresh];
}
