import type { Reader } from '../../wire/reader.ts';
import type { Writer } from '../../wire/writer.ts';
import { ErrorCode, KeeperError } from '../jute/errors.ts';
import type { OpCode } from '../jute/op-codes.ts';
import type { ReplyHeader } from '../jute/proto.ts';
import type { Reject, Resolve } from './client-errors.ts';
import type { Request } from './request-queue.ts';
import type { Watcher, WatchKind, WatchRegistry } from './watch-registry.ts';

/** One request: how its body is written, and how its reply is read. */
export interface Ask<T> {
  readonly type: OpCode;
  readonly path: string | undefined;
  /** The path is the server's, whatever the chroot is. */
  readonly isServerPath?: boolean;
  /** Default: there must be a `path`, and a valid one. */
  validate?(path: string): void;
  write(to: Writer, serverPath: string): void;
  /** @throws KeeperError where the body carries the error */
  read(body: Reader): T;
  /** What the absence of the node means, where it is not an error. */
  noNode?(): T;
  readonly watch?: {
    readonly kind: WatchKind;
    readonly kindWithoutNode?: WatchKind;
    readonly watcher: Watcher | undefined;
  };
  /** It is handed to the session. */
  begun?(): void;
  /** It was done, but whoever asked has given up meanwhile. */
  unwanted?(): void;
  /** The last call of all: it was answered, failed, or was never sent. */
  ended?(): void;
}

/** A request under way, and the promise that it settles. */
export class Call<T> implements Request {
  readonly #ask: Ask<T>;
  readonly #serverPath: string;
  readonly #watches: WatchRegistry;
  readonly #resolve: Resolve<T>;
  readonly #reject: Reject;
  #isUnwanted = false;

  constructor(ask: Ask<T>, serverPath: string, watches: WatchRegistry, resolve: Resolve<T>, reject: Reject) {
    this.#ask = ask;
    this.#serverPath = serverPath;
    this.#watches = watches;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  get type(): number {
    return this.#ask.type;
  }

  get path(): string | undefined {
    return this.#ask.path;
  }

  writeBody(to: Writer): void {
    this.#ask.write(to, this.#serverPath);
  }

  /** Its reply will come, and nobody wants it. */
  giveUp(): void {
    this.#isUnwanted = true;
  }

  withdrawn(): void {
    this.#ask.ended?.();
  }

  failed(error: KeeperError): void {
    this.#reject(error);
    this.#ask.ended?.();
  }

  replied(header: ReplyHeader, body: Reader): void {
    if (!this.#isUnwanted) this.#settle(header, body);
    else if (header.err === ErrorCode.OK) this.#ask.unwanted?.();
    this.#ask.ended?.();
  }

  /** The watch counts from the reply on: an event can only follow it. */
  #settle(header: ReplyHeader, body: Reader): void {
    const { path, watch, noNode } = this.#ask;
    if (header.err === ErrorCode.OK) {
      const value = this.#read(body);
      if (value === undefined) return;
      if (watch !== undefined) this.#register(watch.kind);
      this.#resolve(value.value);
      return;
    }
    if (header.err === ErrorCode.NONODE && noNode !== undefined) {
      if (watch !== undefined) this.#register(watch.kindWithoutNode ?? watch.kind);
      this.#resolve(this.#ask.noNode?.() as T);
      return;
    }
    this.#reject(new KeeperError(header.err, path));
  }

  #read(body: Reader): { value: T } | undefined {
    try {
      return { value: this.#ask.read(body) };
    } catch (error) {
      if (!(error instanceof KeeperError)) throw error;
      this.#reject(error);
      return undefined;
    }
  }

  #register(kind: WatchKind): void {
    const { path, watch } = this.#ask;
    if (watch?.watcher !== undefined && path !== undefined) this.#watches.add(kind, this.#serverPath, watch.watcher);
  }
}
