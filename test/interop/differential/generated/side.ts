/** One of the two brokers as a sequence sees it: its connection, and what it called things. */
import { connect, type Socket } from 'node:net';
import { flatten, type Slices } from '../../../../src/base/slices.ts';
import { FrameSplitter } from '../../../../src/wire/framing.ts';
import { ZERO_UUID } from '../../../../src/wire/schema.ts';
import { until } from '../../peers/process.ts';
import { type Answer, ask, decodeAnswer, encodeRequest } from '../raw-client.ts';
import type { RequestToSend } from './kind.ts';

const UNKNOWN_ID = 'n0tThereAtAll0n0tThere';
const ANSWER_WITHIN_MS = 30_000;
const API_VERSIONS = 18;

export interface Member {
  memberId: string;
  generationId: number;
}

/** The broker ended the connection, or said nothing for so long that this is taken for what it does. */
export type NoAnswer = 'closed' | 'silent';

export class Side {
  readonly name: string;
  readonly port: number;
  /** Before every name of this run: runs share a broker, and must not meet. */
  readonly prefix: string;
  readonly topicIds = new Map<string, string>();
  readonly members = new Map<string, Member>();
  readonly sessions = new Map<string, { id: number; epoch: number }>();
  readonly producers = new Map<string, { id: number; epoch: number }>();
  #socket: Socket | undefined;
  #waiting: ((frame: Slices | NoAnswer) => void) | undefined;

  constructor(name: string, port: number, prefix: string) {
    this.name = name;
    this.port = port;
    this.prefix = prefix;
  }

  named(name: string): string {
    return this.prefix + name;
  }

  /** By name or by id, whichever the version goes by. */
  topic(name: string, byId: boolean): { topic: string; name: string; topicId: string } {
    if (!byId) return { topic: this.named(name), name: this.named(name), topicId: ZERO_UUID };
    return { topic: '', name: '', topicId: this.topicIds.get(name) ?? UNKNOWN_ID };
  }

  /** Waits until the broker leads what was created, and learns its id. */
  async learnTopic(name: string): Promise<void> {
    const topicId = await until(`a leader of ${name}`, async () => {
      const topics = [{ name: this.named(name), topicId: ZERO_UUID }];
      const metadata = (await ask(this.port, 3, 10, { topics, allowAutoTopicCreation: false })) as Answer;
      const [topic] = metadata.topics as { topicId: string; partitions: { partitionIndex: number }[] }[];
      if (topic === undefined || topic.partitions.length === 0) return undefined;
      const partitions = topic.partitions.map(({ partitionIndex }) => ({ partitionIndex, timestamp: -1 }));
      const request = { replicaId: -1, topics: [{ name: this.named(name), partitions: partitions.map(withoutEpoch) }] };
      const offsets = (await ask(this.port, 2, 4, request)) as Answer;
      const [led] = offsets.topics as { partitions: { errorCode: number }[] }[];
      return led?.partitions.every(({ errorCode }) => errorCode === 0) ? topic.topicId : undefined;
    });
    this.topicIds.set(name, topicId);
  }

  /** Null where no answer belongs to the request, and the connection goes on. */
  async send({ apiKey, version, fields, isAnswered = true }: RequestToSend): Promise<Answer | NoAnswer | null> {
    const request = encodeRequest(apiKey, version, fields);
    // Answers come in order: the one to a later request tells that there was none to this.
    const follower = isAnswered ? undefined : encodeRequest(API_VERSIONS, 0, {});
    const frame = await this.#exchange(follower === undefined ? [request] : [request, follower]);
    if (typeof frame === 'string') return frame;
    return follower === undefined ? decodeAnswer(apiKey, version, frame) : null;
  }

  #exchange(requests: readonly Slices[]): Promise<Slices | NoAnswer> {
    const socket = this.#connected();
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.close();
        this.#waiting?.('silent');
      }, ANSWER_WITHIN_MS);
      this.#waiting = (frame) => {
        clearTimeout(timer);
        this.#waiting = undefined;
        resolve(frame);
      };
      for (const request of requests) socket.write(flatten(request));
    });
  }

  #connected(): Socket {
    if (this.#socket !== undefined) return this.#socket;
    const socket = connect({ port: this.port, host: '127.0.0.1', noDelay: true });
    const splitter = new FrameSplitter(200 << 20);
    const lost = (): void => {
      if (this.#socket !== socket) return;
      this.#socket = undefined;
      this.#waiting?.('closed');
    };
    socket.on('data', (chunk) => {
      splitter.push(chunk, (frame) => {
        this.#waiting?.(frame);
        return true;
      });
    });
    socket.on('close', lost);
    socket.on('error', lost);
    this.#socket = socket;
    return socket;
  }

  close(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.destroy();
  }
}

function withoutEpoch(partition: object): object {
  return { ...partition, currentLeaderEpoch: -1, maxNumOffsets: 1 };
}
