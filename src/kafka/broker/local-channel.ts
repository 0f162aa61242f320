import type { Clock } from '../../runtime/clock.ts';
import type { Fields, Message, Value } from '../../wire/schema.ts';
import type { BrokerChannel } from '../channel/broker-channel.ts';
import { ErrorCode, KafkaError } from '../protocol/errors.ts';
import type { ApiHandler, RequestContext } from './api-handler.ts';

export interface LocalChannelOptions {
  readonly handlers: ReadonlyMap<number, ApiHandler>;
  readonly listenerName: string;
  readonly clock: Clock;
}

/** The way of a controller to its own broker: the same handlers as over the network, without the network. */
export function openLocalChannel({ handlers, listenerName, clock }: LocalChannelOptions): BrokerChannel {
  let open = true;
  return {
    send<Q extends Fields, R extends Fields>(
      request: Message<Q>,
      _response: Message<R>,
      version: number,
      value: Value<Q>,
    ): Promise<Value<R>> {
      const handler = handlers.get(request.apiKey);
      return new Promise<Value<R>>((resolve, reject) => {
        const refuse = (reason: string): void => reject(new KafkaError(ErrorCode.BROKER_NOT_AVAILABLE, reason));
        const context: RequestContext = {
          apiKey: request.apiKey,
          apiVersion: version,
          correlationId: 0,
          clientId: 'controller',
          listenerName,
          clientAddress: 'local',
          connectionId: 'local',
          isClosed: () => !open,
          // Each request is handled by itself here.
          holdOthers: () => undefined,
          letOthers: () => undefined,
        };
        // A request over the network is never handled inside its sender's turn either.
        clock.soon(() => {
          if (!open || handler === undefined) return refuse(`${request.name} has no handler here`);
          try {
            handler.handle(value, context, {
              // Never `sent`: who asked may keep what he is given.
              answer: (response) => resolve(response as Value<R>),
              none: () => refuse('no answer'),
              close: refuse,
            });
          } catch (error) {
            reject(error as Error);
          }
        });
      });
    },
    close() {
      open = false;
    },
  };
}
