/**
 * A TCP proxy that records what passes between a client and a real server, frame by frame, so that golden bytes can be
 * taken from the wire. Kafka and ZooKeeper clients both frame by a 4-byte size; the recorded bytes leave it out.
 */
import { connect, createServer, type Socket } from 'node:net';
import { PeerError } from './process.ts';

export interface Frame {
  /** Counts the proxy's connections from 1. */
  readonly connection: number;
  /** `>` from client to server, `<` back. */
  readonly direction: '>' | '<';
  /** Without the size; a chunk as it came when `framed` is false. */
  readonly bytes: Buffer;
}

export interface CaptureOptions {
  /** Where the server listens on loopback. May be set later by `forwardTo`, before the first client. */
  readonly port?: number;
  /** The server's address. Default 127.0.0.1. */
  readonly host?: string;
  /** Where clients connect. Default: a free port of 127.0.0.1. */
  readonly at?: { readonly host: string; readonly port: number };
  /** False for streams without sizes: the quorum protocol, four-letter words. Default true. */
  readonly framed?: boolean;
  /** Called in the order of arrival. */
  readonly onFrame?: (frame: Frame) => void;
  /** What is passed on in place of a frame, again without the size; what came is what is recorded. */
  readonly rewrite?: (frame: Frame) => Buffer;
}

export interface Capture {
  /** Where clients connect; for a broker, advertise it (`advertisedPort`). */
  readonly port: number;
  readonly frames: readonly Frame[];
  forwardTo(port: number): void;
  /** The frames as lines `> hex` and `< hex`, with `# connection N` wherever the connection changes. */
  text(): string;
  /** Cuts all connections, then stops listening. */
  close(): Promise<void>;
}

export async function startCapture(options: CaptureOptions = {}): Promise<Capture> {
  const { framed = true, onFrame, rewrite, host = '127.0.0.1', at = { host: '127.0.0.1', port: 0 } } = options;
  const frames: Frame[] = [];
  const sockets = new Set<Socket>();
  let target = options.port;
  let connections = 0;
  const server = createServer((client) => {
    if (target === undefined) {
      client.destroy();
      return;
    }
    connections += 1;
    const connection = connections;
    const upstream = connect({ port: target, host });
    const recorder = (direction: Frame['direction']) => {
      const rewritten: Buffer[] = [];
      const split = splitter(framed, (bytes) => {
        const frame = { connection, direction, bytes };
        frames.push(frame);
        onFrame?.(frame);
        if (rewrite !== undefined) rewritten.push(withSize(rewrite(frame)));
      });
      return (chunk: Buffer): readonly Buffer[] => {
        split(chunk);
        return rewrite === undefined ? [chunk] : rewritten.splice(0);
      };
    };
    pass(client, upstream, recorder('>'));
    pass(upstream, client, recorder('<'));
    for (const socket of [client, upstream]) {
      socket.setNoDelay(true);
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
    }
  });
  await new Promise<void>((resolve, reject) => {
    server.on('error', reject);
    server.listen(at.port, at.host, resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new PeerError('a listening socket has no port');
  return {
    port: address.port,
    frames,
    forwardTo: (port) => {
      target = port;
    },
    text: () => toText(frames),
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
}

/** Reads back what `text` wrote. */
export function parseCapture(text: string): Frame[] {
  const frames: Frame[] = [];
  let connection = 1;
  for (const line of text.split('\n')) {
    const [, number] = /^# connection (\d+)$/.exec(line) ?? [];
    if (number !== undefined) connection = Number(number);
    const [, direction, hex] = /^([<>]) ([0-9a-f]*)$/.exec(line) ?? [];
    if ((direction === '>' || direction === '<') && hex !== undefined)
      frames.push({ connection, direction, bytes: Buffer.from(hex, 'hex') });
  }
  return frames;
}

function toText(frames: readonly Frame[]): string {
  let connection = 0;
  let text = '';
  for (const frame of frames) {
    if (frame.connection !== connection) {
      connection = frame.connection;
      text += `# connection ${connection}\n`;
    }
    text += `${frame.direction} ${frame.bytes.toString('hex')}\n`;
  }
  return text;
}

/** Records before it forwards: an answer is never recorded ahead of its question. */
function pass(from: Socket, to: Socket, record: (chunk: Buffer) => readonly Buffer[]): void {
  from.on('data', (chunk) => {
    for (const part of record(chunk)) if (!to.write(part)) from.pause();
  });
  to.on('drain', () => from.resume());
  from.on('end', () => to.end());
  from.on('error', () => to.destroy());
  from.on('close', () => to.end());
}

function withSize(bytes: Buffer): Buffer {
  const size = Buffer.alloc(4);
  size.writeUInt32BE(bytes.length);
  return Buffer.concat([size, bytes]);
}

/** Cuts a stream into its size-prefixed frames; an incomplete one at the end is dropped with its connection. */
function splitter(framed: boolean, emit: (bytes: Buffer) => void): (chunk: Buffer) => void {
  if (!framed) return (chunk) => emit(Buffer.from(chunk));
  let pending = Buffer.alloc(0);
  return (chunk) => {
    pending = Buffer.concat([pending, chunk]);
    while (pending.length >= 4) {
      const end = 4 + pending.readUInt32BE(0);
      if (pending.length < end) return;
      emit(Buffer.from(pending.subarray(4, end)));
      pending = pending.subarray(end);
    }
  };
}
