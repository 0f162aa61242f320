import type { Clock, Timer } from '../../runtime/clock.ts';
import type { Log } from '../../runtime/log.ts';
import type { Fields, Message, Value } from '../../wire/schema.ts';
import type { BrokerChannel, OpenChannel } from '../channel/broker-channel.ts';
import type { ControllerContext } from './controller-context.ts';

/** Pause before a request that did not get through is sent again (`ControllerChannelManager`). */
const RETRY_PAUSE_MS = 100;

interface Link {
  readonly channel: BrokerChannel;
  /** Runs while a request waits to be repeated. */
  pause: Timer | undefined;
  endPause: () => void;
  /** Requests of one broker go one after the other: the next waits for the answer to the last. */
  tail: Promise<unknown>;
  open: boolean;
}

/** The controller's channels, one for each live broker. A request is repeated until the broker answers or is removed. */
export class BrokerLinks {
  readonly #open: OpenChannel;
  readonly #context: ControllerContext;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #links = new Map<number, Link>();
  #closed = false;

  constructor(open: OpenChannel, context: ControllerContext, clock: Clock, log: Log) {
    this.#open = open;
    this.#context = context;
    this.#clock = clock;
    this.#log = log;
  }

  add(id: number): void {
    this.remove(id);
    if (this.#closed) return;
    const endpoint = this.#context.controlEndpointOf(id);
    const channel = this.#open({ id, host: endpoint?.host ?? '', port: endpoint?.port ?? -1 });
    this.#links.set(id, {
      channel,
      pause: undefined,
      endPause: () => undefined,
      tail: Promise.resolve(),
      open: true,
    });
  }

  remove(id: number): void {
    const link = this.#links.get(id);
    if (link === undefined) return;
    link.open = false;
    link.pause?.cancel();
    link.endPause();
    link.channel.close();
    this.#links.delete(id);
  }

  /** For good. */
  closeAll(): void {
    this.#closed = true;
    for (const id of [...this.#links.keys()]) this.remove(id);
  }

  /** When everything that was sent to a broker so far is answered, or the broker is gone. */
  async settled(broker: number): Promise<void> {
    await this.#links.get(broker)?.tail;
  }

  /** Undefined when the broker went away before it answered. */
  send<Q extends Fields, R extends Fields>(
    broker: number,
    request: Message<Q>,
    response: Message<R>,
    version: number,
    value: Value<Q>,
  ): Promise<Value<R> | undefined> {
    const link = this.#links.get(broker);
    if (link === undefined) return Promise.resolve(undefined);
    const sent = link.tail.then(() => this.#sendUntilAnswered(broker, link, request, response, version, value));
    link.tail = sent;
    return sent;
  }

  async #sendUntilAnswered<Q extends Fields, R extends Fields>(
    broker: number,
    link: Link,
    request: Message<Q>,
    response: Message<R>,
    version: number,
    value: Value<Q>,
  ): Promise<Value<R> | undefined> {
    while (link.open) {
      try {
        return await link.channel.send(request, response, version, value);
      } catch (error) {
        if (!link.open) return undefined;
        this.#log.warn('a broker did not answer the controller; trying again', {
          broker,
          request: request.name,
          error: String(error),
        });
        await new Promise<void>((resolve) => {
          link.endPause = resolve;
          link.pause = this.#clock.after(RETRY_PAUSE_MS, resolve);
        });
      }
    }
    return undefined;
  }
}
