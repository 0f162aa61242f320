/** A node's place in the order of transactions, as a Stat shows it. */
export interface Place {
  readonly czxid: bigint;
  readonly mzxid: bigint;
  readonly version: number;
}

/** How a request on one node ended. */
export type OperationOutcome =
  /** It was done; a delete shows no Stat. */
  | { readonly kind: 'done'; readonly place: Place | undefined }
  /** A read showed this. */
  | { readonly kind: 'saw'; readonly value: string; readonly place: Place }
  /** There is no such node. */
  | { readonly kind: 'absent' }
  /** There is such a node. */
  | { readonly kind: 'exists' }
  | { readonly kind: 'bad version' };

/** What a client asked of one node, and what became of it. A multi is several of one transaction. */
export interface Operation {
  readonly id: number;
  /** A client's session; `order` counts what was asked in it. */
  readonly session: string;
  readonly order: number;
  /** Equal for the operations of one multi. */
  readonly transaction: number;
  readonly kind: 'create' | 'set' | 'delete' | 'read' | 'sync';
  /** Of a sequential node the parent, until the answer gives the name. */
  path: string;
  /** What is written; no two requests write the same. */
  readonly value: string | undefined;
  /** The version that the node must have; -1 is any. */
  readonly expected: number;
  readonly isEphemeral: boolean;
  readonly isSequential: boolean;
  /** Of a read: the `sync` that was asked for just before it. */
  readonly synced: Operation | undefined;
  /** Ticks of the history's own clock, on which no two things happen at once. */
  readonly begin: number;
  end: number | undefined;
  /** Of the answer's header: a write's own, otherwise the newest that the server had applied. Undefined: there was no answer. */
  zxid: bigint | undefined;
  /** Undefined: nobody knows, or it is a `sync`. */
  outcome: OperationOutcome | undefined;
}

export const isWrite = ({ kind }: Operation): boolean => kind === 'create' || kind === 'set' || kind === 'delete';

export function describe({ session, order, kind, path, value, expected }: Operation): string {
  const written = value === undefined ? '' : ` ${short(value)}`;
  const condition = expected < 0 ? '' : ` at version ${expected}`;
  return `${kind} ${path}${written}${condition} (${session}, request ${order})`;
}

/** Values are padded to many sizes. */
export function short(value: string): string {
  return value.slice(0, 24);
}
