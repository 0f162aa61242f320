import type { CreateMode } from '../jute/create-mode.ts';
import type { ACL, Stat } from '../jute/data.ts';
import type { SaslCredentials } from './sasl-exchange.ts';
import type { Watcher } from './watch-registry.ts';

export interface ZookeeperClientOptions {
  /** `h1:2181,h2:2181/chroot`; every path of this client is below the chroot. */
  readonly connect: string;
  /** Asked for; the server may grant another. Default 30 s. */
  readonly sessionTimeoutMs?: number;
  /** Accept a server that lost its quorum and answers only reads. Default false. */
  readonly canBeReadOnly?: boolean;
  readonly auth?: readonly { readonly scheme: string; readonly auth: string | Uint8Array }[];
  /**
   * Proves who we are by SASL DIGEST-MD5 on every connection, before any request. A server that refuses, or that has no SASL, ends
   * the client in the state `authFailed`.
   */
  readonly sasl?: SaslCredentials;
  /** Largest reply taken, Apache's `jute.maxbuffer`. Default 4 MiB: a long list of children must not cut the connection. */
  readonly juteMaxBuffer?: number;
  /** Requests under way or waiting for a connection; more are refused with THROTTLEDOP. Default 100,000. */
  readonly requestsMax?: number;
  /** Bytes of those. Default 64 MiB. */
  readonly requestBytesMax?: number;
  /** Requests fail with ConnectionLoss when no server can be reached, as in Apache's client, instead of waiting. Default false. */
  readonly failFast?: boolean;
}

export interface CreateOptions {
  /** Default: anyone may do anything. */
  readonly acl?: readonly ACL[];
  /** Default: persistent. */
  readonly mode?: CreateMode;
  /** Of the TTL modes. */
  readonly ttlMs?: number;
}

export interface ReadOptions {
  /** Called once, at the next change; told to every server that we connect to until then. */
  readonly watch?: Watcher;
}

export interface NodeValue {
  /** Null and empty differ. */
  readonly data: Buffer | null;
  readonly stat: Stat;
}

/** Server specifications separated by commas, and ids; `fromConfig` is the version that the change starts from, -1 for any. */
export interface Reconfiguration {
  readonly joining?: string;
  readonly leaving?: string;
  readonly members?: string;
  readonly fromConfig?: bigint;
}
