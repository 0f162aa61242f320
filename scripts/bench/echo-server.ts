/**
 * What no server can better: it counts bytes and answers a frame of `answerBytes` for every `requestBytes`. Given a file, it
 * answers only what it has written and synced there: all that came while a sync was under way with the next.
 * `node echo-server.ts requestBytes answerBytes [file]`; prints its port.
 */
import { fdatasync, fsyncSync, openSync, writeSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';

const [requestBytes = 0, answerBytes = 0] = process.argv.slice(2, 4).map(Number);
const [, , , , file] = process.argv;
const answer = Buffer.alloc(answerBytes);
answer.writeInt32BE(answerBytes - 4);

function reply(socket: Socket, count: number): void {
  if (count === 1) socket.write(answer);
  else if (count > 1) socket.write(Buffer.concat(Array.from({ length: count }, () => answer)));
}

/** A log with its room taken ahead, written from the front again when it is full. */
class Log {
  readonly #fd: number;
  readonly #block = Buffer.alloc(1 << 20);
  readonly #size = 64 << 20;
  #position = 0;
  #isSyncing = false;
  #waiting = new Map<Socket, number>();

  constructor(path: string) {
    this.#fd = openSync(path, 'w');
    for (let at = 0; at < this.#size; at += this.#block.length) writeSync(this.#fd, this.#block, 0, undefined, at);
    fsyncSync(this.#fd);
  }

  add(socket: Socket, count: number): void {
    if (count === 0) return;
    this.#waiting.set(socket, (this.#waiting.get(socket) ?? 0) + count);
    if (!this.#isSyncing) this.#syncNext();
  }

  #syncNext(): void {
    const batch = this.#waiting;
    if (batch.size === 0) return;
    this.#waiting = new Map();
    this.#isSyncing = true;
    let count = 0;
    for (const each of batch.values()) count += each;
    const size = Math.min(count * requestBytes, this.#block.length);
    if (this.#position + size > this.#size) this.#position = 0;
    writeSync(this.#fd, this.#block, 0, size, this.#position);
    this.#position += size;
    fdatasync(this.#fd, (error) => {
      if (error !== null) throw error;
      this.#isSyncing = false;
      for (const [socket, answers] of batch) reply(socket, answers);
      this.#syncNext();
    });
  }
}

const log = file === undefined ? undefined : new Log(file);
const server = createServer({ noDelay: true }, (socket) => {
  let received = 0;
  socket.on('data', (chunk) => {
    received += chunk.length;
    const count = Math.floor(received / requestBytes);
    received -= count * requestBytes;
    if (log === undefined) reply(socket, count);
    else log.add(socket, count);
  });
  socket.on('error', () => socket.destroy());
});
server.listen(0, '127.0.0.1', () => process.stdout.write(`${(server.address() as AddressInfo).port}\n`));
