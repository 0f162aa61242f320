/** Whom a Kafka broker knows, asked in raw bytes: how a peer is found to be ready. */
import { connect } from 'node:net';
import { PeerError } from './process.ts';

export interface Metadata {
  readonly brokers: readonly number[];
  readonly controllerId: number;
}
export const NO_METADATA: Metadata = { brokers: [], controllerId: -1 };

/** Metadata v1 for no topic, in raw bytes, so that a peer's readiness never depends on the code under test. */
const METADATA_REQUEST = Buffer.from(
  [
    '0000000e', // size
    '0003', // api key: Metadata
    '0001', // api version
    '00000001', // correlation id
    'ffff', // client id: null
    '00000000', // topics: none
  ].join(''),
  'hex',
);

/** Asks once; rejects when there is no answer within five seconds. */
export function askMetadata(port: number): Promise<Metadata> {
  return new Promise((resolve, reject) => {
    let received = Buffer.alloc(0);
    const socket = connect({ port, host: '127.0.0.1' }, () => socket.write(METADATA_REQUEST));
    socket.setTimeout(5_000, () => socket.destroy(new PeerError('no answer to Metadata')));
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      if (received.length < 4 || received.length < 4 + received.readInt32BE(0)) return;
      socket.destroy();
      resolve(parseMetadata(received));
    });
    socket.on('error', reject);
    socket.on('close', () => reject(new PeerError('closed before Metadata')));
  });
}

/** size, correlation id, [broker: id int32, host string, port int32, rack nullable string], controller id, … */
function parseMetadata(frame: Buffer): Metadata {
  let position = 8;
  const int32 = () => {
    position += 4;
    return frame.readInt32BE(position - 4);
  };
  const skipString = () => {
    const size = frame.readInt16BE(position);
    position += 2 + Math.max(size, 0);
  };
  const brokers: number[] = [];
  for (let left = int32(); left > 0; left--) {
    brokers.push(int32());
    skipString();
    int32();
    skipString();
  }
  return { brokers, controllerId: int32() };
}
