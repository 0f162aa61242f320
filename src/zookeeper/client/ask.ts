import type { Reader } from '../../wire/reader.ts';
import type { Writer } from '../../wire/writer.ts';
import { ErrorCode, KeeperError } from '../jute/errors.ts';
import type { OpCode } from '../jute/op-codes.ts';
import type { ReplyHeader } from '../jute/proto.ts';
import type { Watcher, WatchKind, WatchRegistry } from './watch-registry.ts';

/** One request: how its body is written, and how its reply is read. */
export interface Ask<T> {
  readonly type: OpCode;
  readonly path: string | undefined;
  /** Default: `path` must be valid. */
  validate?(path: string): void;
  write(to: Writer, serverPath: string): void;
  read(body: Reader): T;
  /** What the absence of the node means, where it is not an error. */
  noNode?(): T;
  readonly watch?: {
    readonly kind: WatchKind;
    readonly kindWithoutNode?: WatchKind;
    readonly watcher: Watcher | undefined;
  };
}

interface Answer<T> {
  readonly header: ReplyHeader;
  readonly body: Reader;
  readonly watches: WatchRegistry;
  resolve(value: T): void;
  reject(error: KeeperError): void;
}

/** The watch counts from the reply on: an event can only follow it. */
export function settle<T>(ask: Ask<T>, { header, body, watches, resolve, reject }: Answer<T>): void {
  const { path, watch } = ask;
  if (header.err === ErrorCode.OK) {
    const value = readReply(ask, body, reject);
    if (value === undefined) return;
    if (watch?.watcher !== undefined && path !== undefined) watches.add(watch.kind, path, watch.watcher);
    resolve(value.value);
    return;
  }
  if (header.err === ErrorCode.NONODE && ask.noNode !== undefined) {
    if (watch?.watcher !== undefined && path !== undefined) {
      watches.add(watch.kindWithoutNode ?? watch.kind, path, watch.watcher);
    }
    resolve(ask.noNode());
    return;
  }
  reject(new KeeperError(header.err, path));
}

/** A multi carries its error in the body. */
function readReply<T>(ask: Ask<T>, body: Reader, reject: (error: KeeperError) => void): { value: T } | undefined {
  try {
    return { value: ask.read(body) };
  } catch (error) {
    if (!(error instanceof KeeperError)) throw error;
    reject(error);
    return undefined;
  }
}
