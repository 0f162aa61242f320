import type { AdminTarget } from './admin-target.ts';
import type { Json } from './json.ts';

/** What comes with a request. */
export interface AdminRequest {
  readonly parameters: URLSearchParams;
  /** The body of a POST. */
  readonly body: Uint8Array;
}

export interface AdminAnswer {
  /** Before `command` and `error`. An `error` among them stands for both. */
  readonly data?: { readonly [key: string]: Json };
  /** Default 200. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** A file to send instead of JSON. */
  readonly stream?: { readonly path: string; readonly size: number };
}

/** One command of the admin server, under its names: the first is the one it answers with. */
export interface AdminCommand {
  readonly names: readonly string[];
  /** Default GET. */
  readonly method?: 'GET' | 'POST';
  /** Also answered by a server that does not serve. Default false. */
  readonly worksAlways?: boolean;
  /** Who asks must have all permissions on the root. Default false. */
  readonly isSecured?: boolean;
  run(server: AdminTarget, request: AdminRequest): AdminAnswer | Promise<AdminAnswer>;
}
