import { ErrorCode, KafkaError } from '../protocol/errors.ts';

/** What a client is told of an error: the protocol's own, or UNKNOWN_SERVER_ERROR without the text of what is ours alone. */
export function asKafkaError(error: unknown): KafkaError {
  return error instanceof KafkaError
    ? error
    : new KafkaError(ErrorCode.UNKNOWN_SERVER_ERROR, undefined, { cause: error });
}
