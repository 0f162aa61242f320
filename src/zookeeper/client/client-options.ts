import type { ClientTlsOptions } from '../../config/client-tls.ts';
import type { CreateMode } from '../jute/create-mode.ts';
import type { ACL, Stat } from '../jute/data.ts';
import type { SaslCredentials } from './sasl-exchange.ts';
import type { SessionIdentity } from './session.ts';
import type { Watcher } from './watch-registry.ts';

export interface ZookeeperClientOptions {
  /** `h1:2181,h2:2181/chroot`; every path of this client is below the chroot. The port is 2181 where none is given. */
  readonly connect: string;
  /**
   * For how long the ensemble keeps the session of a client that it does not hear. The server may grant another, between 2 and 20
   * of its ticks. Default 30,000, as zkCli's; Apache's client has no default.
   */
  readonly sessionTimeoutMs?: number;
  /** A session of another client, to go on with; it ends with SESSIONEXPIRED where the ensemble does not know it any more. */
  readonly session?: SessionIdentity;
  /** Accept a server that lost its quorum and answers only reads. Default false. */
  readonly canBeReadOnly?: boolean;
  /** Identities that every connection begins with, as by `addAuth`. */
  readonly auth?: readonly { readonly scheme: string; readonly auth: string | Uint8Array }[];
  /**
   * Proves who we are by SASL DIGEST-MD5 on every connection, before any request. A server that refuses, or that has no SASL, ends
   * the client in the state `authFailed`.
   */
  readonly sasl?: SaslCredentials;
  /** Largest reply taken, Apache's `jute.maxbuffer`. Default 4 MiB: a long list of children must not cut the connection. */
  readonly juteMaxBuffer?: number;
  /**
   * A request that has no answer by then, whether it was sent or waits for a connection, fails with REQUESTTIMEOUT, and the
   * connection is given up (Apache's `zookeeper.request.timeout`). Default 0: never.
   */
  readonly requestTimeoutMs?: number;
  /** Requests under way or waiting for a connection; more are refused with THROTTLEDOP. Default 100,000. */
  readonly requestsMax?: number;
  /** Bytes of those. Default 64 MiB. */
  readonly requestBytesMax?: number;
  /** Requests fail with ConnectionLoss when no server can be reached, as in Apache's client, instead of waiting. Default false. */
  readonly failFast?: boolean;
  /** Encrypted connections. Default: plain ones. */
  readonly tls?: ClientTlsOptions;
}

/** Of every request. */
export interface RequestOptions {
  /**
   * Gives up waiting: the promise rejects at once with an AbortError. A request that waits to be sent is withdrawn; one that is
   * under way (`error.sent`) may have been done or still be done.
   */
  readonly signal?: AbortSignal;
}

export interface CreateOptions extends RequestOptions {
  /** Default: anyone may do anything. */
  readonly acl?: readonly ACL[];
  /** Default: persistent. */
  readonly mode?: CreateMode;
  /** Of the TTL modes, which need it: 1 … 2^40 - 1 milliseconds without a change or a child. */
  readonly ttlMs?: number;
}

export interface ReadOptions extends RequestOptions {
  /**
   * Called once, at the next change; told to every server that we connect to until then. It is set by the reply, so an aborted
   * read sets none.
   */
  readonly watch?: Watcher;
}

export interface AddWatchOptions {
  /** Of the whole subtree; default of the node and its children only. */
  readonly recursive?: boolean;
  /** Gives up the request, and later removes the watch, at the server too when no other watcher needs it. */
  readonly signal?: AbortSignal;
}

export interface RemoveWatchesOptions extends RequestOptions {
  /** Only this watcher; default all. */
  readonly watcher?: Watcher;
  /** Remove them here whatever the server says, and without a connection at once. Default false: only when the server agrees. */
  readonly local?: boolean;
}

export interface NodeValue {
  /** Null and empty differ. */
  readonly data: Buffer | null;
  readonly stat: Stat;
}

/** A change of the ensemble's membership: who joins and who leaves, or all of it. */
export interface Reconfiguration {
  /** `server.4=h4:2888:3888:participant;2181`, several with commas between. */
  readonly joining?: string;
  /** Ids with commas between. */
  readonly leaving?: string;
  /** As `joining`, of all members; instead of the other two. */
  readonly members?: string;
  /** The version of the configuration that the change starts from; -1, the default, for any. */
  readonly fromConfig?: bigint;
}
