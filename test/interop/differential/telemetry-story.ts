/** A client's metrics (KIP-714), where nobody subscribed to any: what a broker answers to those who ask, push, and do so too often. */
import { subscriptionIdOf } from '../../../src/kafka/broker/telemetry.ts';
import { until } from '../peers/process.ts';
import { normalise } from './normalise.ts';
import { Line } from './share-teller.ts';

const CLIENT = 'kKKvN2LuQrKwhTcNn3bTxA';
const RESERVED = 'AAAAAAAAAAAAAAAAAAAAAQ';
const NO_ID = 'AAAAAAAAAAAAAAAAAAAAAA';

const clientOf = (number: number): string => Buffer.alloc(16, number + 1).toString('base64url');

type Fields = Record<string, unknown>;

/** Each step with its answer. */
export async function telemetryTranscript(port: number): Promise<[string, unknown][]> {
  const told: [string, unknown][] = [];
  let line = new Line(port);
  const tell = (step: string, answer: unknown): number => told.push([step, normalise(answer)]);
  const ids = new Map<string, number>();
  const subscribe = async (clientInstanceId: string): Promise<void> => {
    const answer = await line.ask(71, 0, { clientInstanceId });
    if (answer.errorCode === 0 && clientInstanceId !== NO_ID) ids.set(clientInstanceId, answer.subscriptionId);
    const given = clientInstanceId === NO_ID ? { subscriptionId: 'of a new id', clientInstanceId: '' } : {};
    tell(`subscribe ${clientInstanceId}`, { ...answer, ...given });
  };
  const push = async (clientInstanceId: string, fields: Fields = {}): Promise<void> => {
    const usual = {
      subscriptionId: ids.get(clientInstanceId) ?? 0,
      metrics: Buffer.from('metrics'),
      compressionType: 0,
    };
    const answer = await line.ask(72, 0, { clientInstanceId, terminating: false, ...usual, ...fields });
    tell(`push ${clientInstanceId} ${Object.keys(fields)} ${fields.compressionType ?? ''}`, answer);
  };
  await subscribe(NO_ID);
  await subscribe(CLIENT);
  await subscribe(CLIENT);
  await push(CLIENT);
  await push(CLIENT);
  await subscribe(CLIENT);
  await push(CLIENT, { terminating: true });
  await push(CLIENT);
  await push(CLIENT, { terminating: true, metrics: Buffer.alloc(0) });
  for (const reserved of [NO_ID, RESERVED]) await push(reserved);
  await subscribe(RESERVED);
  for (const compressionType of [1, 2, 3, 4, 5, -1]) {
    const client = clientOf(compressionType + 1);
    await subscribe(client);
    await push(client, { compressionType, metrics: Buffer.alloc(0) });
    await subscribe(client);
  }
  await push(clientOf(10), { subscriptionId: 1 });
  await subscribe(clientOf(10));
  await subscribe(clientOf(10));
  await push(clientOf(11), { compressionType: 9 });
  await push(clientOf(12), { subscriptionId: subscriptionIdOf(clientOf(12)), metrics: Buffer.alloc((1 << 20) + 1) });
  await subscribe(clientOf(12));
  await push(clientOf(12), {
    terminating: true,
    subscriptionId: subscriptionIdOf(clientOf(12)),
    metrics: Buffer.alloc(1 << 20),
  });
  await subscribe(clientOf(13));
  line.close();
  // The connection's end reaches Apache's broker beside the next connection.
  line = new Line(port);
  await until('a client that is new again', async () => {
    const { errorCode } = await line.ask(71, 0, { clientInstanceId: clientOf(13) });
    return errorCode === 0 ? true : undefined;
  });
  await subscribe(clientOf(13));
  line.close();
  return told;
}
