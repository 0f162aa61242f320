import type { ServerView } from '../server-view.ts';
import type { AdminHost, AdminTarget } from './admin-target.ts';
import type { Json } from './json.ts';

export type Data = { readonly [key: string]: Json };

/** What comes with a request. */
export interface AdminRequest {
  readonly parameters: URLSearchParams;
  /** The body of a POST. */
  readonly body: Uint8Array;
}

export interface AdminAnswer {
  /** Before `command` and `error`. An `error` among them stands for both. */
  readonly data?: Data;
  /** Default 200. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** A file to send instead of JSON. */
  readonly stream?: FileStream;
}

export interface FileStream {
  readonly size: number;
  read(position: number, length: number): Uint8Array;
}

/** One command of the admin server, under its names: the first is the one it answers with. */
export type AdminCommand = ServerCommand | ProcessCommand;

export interface ServerCommand {
  readonly names: readonly string[];
  /** Default GET. */
  readonly method?: 'GET' | 'POST';
  /** Who asks must have all permissions on the root. Default false. */
  readonly isSecured?: boolean;
  run(server: AdminTarget, request: AdminRequest): AdminAnswer | Promise<AdminAnswer>;
}

/** By GET, also answered while nobody is served. */
export interface ProcessCommand {
  readonly names: readonly string[];
  tell(host: AdminHost, request: AdminRequest): AdminAnswer;
}

/** One that shows something of a server. */
export function command(names: readonly string[], dataOf: (server: ServerView) => Data): ServerCommand {
  return { names, run: (server) => ({ data: dataOf(server) }) };
}
