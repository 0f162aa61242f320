import { randomUuid } from '../../../runtime/random.ts';
import { CreateMode } from '../../jute/create-mode.ts';
import { ErrorCode, KeeperError } from '../../jute/errors.ts';
import type { ZookeeperClient } from '../client.ts';
import { MultiError, type MultiOp } from '../multi.ts';
import { childOf } from '../paths.ts';
import { createInContainers } from './containers.ts';
import { OutcomeUnknownError } from './errors.ts';
import { ignore, isError } from './nodes.ts';
import { isOver, pause, sessionIsOver, untilAnswered } from './waiting.ts';

/**
 * Changes that are made exactly once although an answer may be lost. Each goes with a note of its number into an ephemeral node of
 * our own, `<path>-ledger/<uuid>`, in one transaction; after a lost answer the note tells whether it was made. (Curator repeats
 * the request: a counter may count twice then, and a queue lose an item or have it twice.) One change at a time.
 */
export class Ledger {
  readonly #client: ZookeeperClient;
  readonly #directory: string;
  readonly #path: string;
  #attempts = 0;
  #last: Promise<unknown> = Promise.resolve();

  /** `path` is what the changes are made to. */
  constructor(client: ZookeeperClient, path: string) {
    this.#client = client;
    this.#directory = `${path}-ledger`;
    this.#path = childOf(this.#directory, randomUuid(client.runtime.random));
  }

  /** @throws MultiError when an operation is refused; OutcomeUnknownError when the session ends meanwhile */
  commit(ops: readonly MultiOp[]): Promise<void> {
    const committed = this.#last.then(() => this.#commit(ops));
    this.#last = committed.catch(() => undefined);
    return committed;
  }

  async #commit(ops: readonly MultiOp[]): Promise<void> {
    this.#attempts += 1;
    const note = String(this.#attempts);
    if (isOver(this.#client)) throw sessionIsOver(this.#client);
    for (;;) {
      try {
        await this.#client.multi([...ops, { kind: 'setData', path: this.#path, data: note }]);
        return;
      } catch (error) {
        if (!(error instanceof KeeperError)) throw error;
        if (error instanceof MultiError) {
          if (error.failedIndex !== ops.length || error.code !== ErrorCode.NONODE) throw error;
          await this.#createNote();
        } else if (await this.#isDone(note, error)) {
          return;
        }
      }
    }
  }

  async #isDone(note: string, lost: KeeperError): Promise<boolean> {
    const client = this.#client;
    try {
      if (!lost.retriable || isOver(client)) throw lost;
      await pause(client);
      const { data } = await untilAnswered(client, async () => {
        await client.sync(this.#path); // this server may not have applied yet what the former one did
        return client.getData(this.#path);
      });
      return data?.toString() === note;
    } catch (error) {
      if (isError(error, ErrorCode.NONODE)) return false;
      if (isError(error, ErrorCode.SESSIONEXPIRED)) throw new OutcomeUnknownError(this.#directory, error);
      throw error;
    }
  }

  async #createNote(): Promise<void> {
    const options = { mode: CreateMode.EPHEMERAL };
    await untilAnswered(this.#client, () =>
      createInContainers(this.#client, this.#path, null, options).catch(ignore(ErrorCode.NODEEXISTS)),
    );
  }
}
