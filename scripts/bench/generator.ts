/**
 * The load generator: a process of its own, so that it never shares a loop with the server it measures. Its argument
 * names a file with one JSON specification; it sends frames that were encoded beforehand, only counts the answers, and prints one JSON line.
 */
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';

/** All connections read into the same memory: answers are only counted, and the generator should cost as little as it can. */
const received = Buffer.allocUnsafeSlow(262_144);

export interface LoadSpec {
  /** Of loopback; connection c goes to port c, in turn. */
  readonly ports: readonly number[];
  readonly connections: number;
  /** Requests in flight on each connection. */
  readonly inFlight: number;
  readonly seconds: number;
  readonly warmupSeconds: number;
  /** Sent once after connecting, hex; its answer is awaited (ZooKeeper's session). */
  readonly hello?: string;
  /** The frames to send in turn, hex, with their length prefix; connection c starts at frame c. */
  readonly frames: readonly string[];
  /** Where in the answer (after the length prefix) an error code stands, and its size; a non-zero code counts as an error. */
  readonly errorAt?: number;
  readonly errorSize?: 2 | 4;
  /** Requests a second over all connections; absent: as fast as the answers come. Due in batches of BATCH_MS; latencies count from then. */
  readonly rate?: number;
  /** Bare echo: the answer is as long as the request. */
  readonly echo?: boolean;
  /** So many requests and no more, whatever `seconds` says, all of them measured. */
  readonly requestsMax?: number;
}

export interface LoadResult {
  readonly requests: number;
  readonly errors: number;
  readonly firstError: number;
  readonly seconds: number;
  readonly perSecond: number;
  readonly bytesPerSecond: number;
  readonly p50Ms: number;
  readonly p90Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  readonly maxMs: number;
  /** Of everything that was sent, the warm-up too. */
  readonly acknowledged: number;
  /** CPU time of the generator in the measured time, as a share of one core: near 1 it is the generator that is measured. */
  readonly cpuShare: number;
}

/** Latencies in buckets of 1/32 of an octave of microseconds: constant memory whatever the run. */
class Histogram {
  readonly #counts = new Float64Array(32 * 40);
  #total = 0;
  #max = 0;

  record(ms: number): void {
    const us = Math.max(1, ms * 1000);
    this.#counts[Math.min(this.#counts.length - 1, Math.floor(Math.log2(us) * 32))]! += 1;
    this.#total += 1;
    if (ms > this.#max) this.#max = ms;
  }

  get max(): number {
    return this.#max;
  }

  quantile(share: number): number {
    let left = this.#total * share;
    for (let index = 0; index < this.#counts.length; index += 1) {
      left -= this.#counts[index]!;
      if (left <= 0) return 2 ** ((index + 0.5) / 32) / 1000;
    }
    return this.#max;
  }
}

/** Of one connection, when requests are sent whether or not answers come. */
const OVERDUE_MAX = 131_072;
/** What is due at once when a rate is offered is what comes in this time. */
const BATCH_MS = 1;

class Lane {
  readonly #socket: Socket;
  readonly #spec: LoadSpec;
  readonly #frames: readonly Buffer[];
  #next: number;
  /** Send times of what is in flight, oldest first: a ring. */
  readonly #sent: Float64Array;
  #sentHead = 0;
  #inFlight = 0;
  #unsent: Buffer[] = [];
  /** Of a length prefix: how many of its bytes are here, and their number. */
  #prefixed = 0;
  #prefix = 0;
  /** Bytes of the current answer still to come, and those of it that were here. */
  #left = 0;
  #seen = 0;
  #code = 0;
  #ready = false;
  readonly #run: Run;

  constructor(spec: LoadSpec, frames: readonly Buffer[], index: number, run: Run) {
    this.#spec = spec;
    this.#frames = frames;
    this.#next = index % frames.length;
    this.#sent = new Float64Array(spec.rate === undefined ? Math.max(1024, spec.inFlight * 2) : OVERDUE_MAX);
    this.#run = run;
    this.#socket = connect({
      port: spec.ports[index % spec.ports.length] ?? 0,
      host: '127.0.0.1',
      noDelay: true,
      onread: {
        buffer: received,
        callback: (size) => {
          this.#data(received, size);
          return true;
        },
      },
    });
    this.#socket.on('error', (error) => run.fail(error.message));
    this.#socket.on('close', () => run.fail('connection closed by the server'));
    this.#socket.on('connect', () => {
      if (spec.hello === undefined) this.#begin();
      else this.#socket.write(Buffer.from(spec.hello, 'hex'));
    });
  }

  close(): void {
    this.#socket.removeAllListeners('close');
    this.#socket.destroy();
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  #begin(): void {
    this.#ready = true;
    this.#run.laneReady();
  }

  start(): void {
    if (this.#spec.rate === undefined) this.send(this.#run.permit(this.#spec.inFlight));
  }

  send(count: number): void {
    this.enqueue(count, performance.now());
    this.flush();
  }

  /** @param dueMs when they should be sent: their latencies count from then */
  enqueue(count: number, dueMs: number): void {
    for (let index = 0; index < count; index += 1) this.#unsent.push(this.#take(dueMs));
  }

  /** One write of all that was enqueued. */
  flush(): void {
    const frames = this.#unsent;
    const [only] = frames;
    if (only === undefined) return;
    this.#unsent = [];
    if (frames.length === 1) {
      this.#socket.write(only);
      return;
    }
    let size = 0;
    for (const frame of frames) size += frame.length;
    if (size < 65_536) {
      this.#socket.write(Buffer.concat(frames, size));
    } else {
      this.#socket.cork();
      for (const frame of frames) this.#socket.write(frame);
      this.#socket.uncork();
    }
  }

  #take(now: number): Buffer {
    const frame = this.#frames[this.#next] as Buffer;
    this.#next = this.#next + 1 === this.#frames.length ? 0 : this.#next + 1;
    this.#sent[(this.#sentHead + this.#inFlight) % this.#sent.length] = now;
    this.#inFlight += 1;
    if (this.#inFlight > this.#sent.length) this.#run.fail('the server cannot bear this load');
    return frame;
  }

  #data(chunk: Buffer, end: number): void {
    let at = 0;
    let answered = 0;
    if (this.#spec.echo === true) {
      this.#left += end;
      const size = (this.#frames[0] as Buffer).length;
      while (this.#left >= size) {
        this.#left -= size;
        answered += 1;
      }
    } else {
      while (at < end) {
        if (this.#left === 0) {
          for (; at < end && this.#prefixed < 4; at += 1, this.#prefixed += 1) {
            this.#prefix = (this.#prefix << 8) | (chunk[at] as number);
          }
          if (this.#prefixed < 4) break;
          this.#left = this.#prefix;
          this.#prefixed = 0;
          this.#prefix = 0;
          this.#seen = 0;
          this.#code = 0;
        }
        const take = Math.min(this.#left, end - at);
        this.#readCode(chunk, at, take);
        this.#left -= take;
        this.#seen += take;
        at += take;
        if (this.#left === 0) answered += 1;
      }
    }
    this.#run.bytes += end;
    if (!this.#ready) {
      if (answered > 0) this.#begin();
      return;
    }
    this.#complete(answered);
  }

  /** Gathers the error code byte by byte: it may straddle chunks. */
  #readCode(chunk: Buffer, at: number, take: number): void {
    const { errorAt, errorSize = 2 } = this.#spec;
    if (errorAt === undefined) return;
    for (
      let position = Math.max(this.#seen, errorAt);
      position < Math.min(this.#seen + take, errorAt + errorSize);
      position += 1
    ) {
      this.#code = (this.#code << 8) | (chunk[at + position - this.#seen] as number);
      if (position === errorAt + errorSize - 1 && this.#code !== 0 && this.#ready) this.#run.error(this.#code);
    }
  }

  #complete(answered: number): void {
    const now = performance.now();
    for (let index = 0; index < answered; index += 1) {
      this.#run.answered(now - (this.#sent[this.#sentHead] as number));
      this.#sentHead = (this.#sentHead + 1) % this.#sent.length;
    }
    this.#inFlight -= answered;
    if (this.#spec.rate === undefined && this.#run.sending) this.send(this.#run.permit(answered));
    this.#run.lookForEnd();
  }
}

class Run {
  bytes = 0;
  sending = true;
  readonly #spec: LoadSpec;
  readonly #lanes: Lane[] = [];
  #histogram = new Histogram();
  #requests = 0;
  #permitted = 0;
  #allRequests = 0;
  #errors = 0;
  #firstError = 0;
  #ready = 0;
  #begun = 0;
  #startedBytes = 0;
  #startedCpu = process.cpuUsage();

  constructor(spec: LoadSpec) {
    this.#spec = spec;
    const frames = spec.frames.map((hex) => Buffer.from(hex, 'hex'));
    for (let index = 0; index < spec.connections; index += 1) this.#lanes.push(new Lane(spec, frames, index, this));
  }

  laneReady(): void {
    this.#ready += 1;
    if (this.#ready < this.#spec.connections) return;
    for (const lane of this.#lanes) lane.start();
    if (this.#spec.rate !== undefined) this.#pace(this.#spec.rate);
    if (this.#spec.requestsMax !== undefined) this.#measure();
    else setTimeout(() => this.#measure(), this.#spec.warmupSeconds * 1000);
  }

  answered(ms: number): void {
    this.#requests += 1;
    this.#allRequests += 1;
    this.#histogram.record(ms);
  }

  error(code: number): void {
    this.#errors += 1;
    if (this.#firstError === 0) this.#firstError = (code << 16) >> 16;
  }

  fail(message: string): void {
    process.stderr.write(`${message}\n`);
    process.exit(1);
  }

  /** How many of so many requests may still be sent. */
  permit(count: number): number {
    const { requestsMax } = this.#spec;
    if (requestsMax === undefined) return count;
    const permitted = Math.min(count, requestsMax - this.#permitted);
    this.#permitted += permitted;
    return permitted;
  }

  lookForEnd(): void {
    if (this.#allRequests === this.#spec.requestsMax) this.#finish();
  }

  /**
   * Offered load: what is due by now is sent now, whether or not answers came, and a server that stalls is charged for all that
   * waited meanwhile. Requests are due in batches, one each millisecond and connection: sending them one by one would take a
   * spinning core, and on a machine of two it is the server that then waits for one. A batch that leaves late is charged its lateness.
   */
  #pace(rate: number): void {
    const start = performance.now();
    const perBatch = (rate * BATCH_MS) / 1000 / this.#lanes.length;
    let batchCount = 0;
    const pacer = new Worker(join(import.meta.dirname, 'pacer.ts'), {
      workerData: { startMs: performance.timeOrigin + start, everyMs: BATCH_MS },
    });
    pacer.on('message', () => {
      if (!this.sending) return;
      for (const now = performance.now(); start + batchCount * BATCH_MS <= now; batchCount += 1) {
        const dueMs = start + batchCount * BATCH_MS;
        for (const [index, lane] of this.#lanes.entries()) {
          // Fractions add up, at other moments on every connection.
          const shift = index / this.#lanes.length;
          lane.enqueue(
            Math.floor((batchCount + 1) * perBatch + shift) - Math.floor(batchCount * perBatch + shift),
            dueMs,
          );
        }
      }
      for (const lane of this.#lanes) lane.flush();
    });
  }

  #measure(): void {
    this.#histogram = new Histogram();
    this.#requests = 0;
    this.#startedBytes = this.bytes;
    this.#startedCpu = process.cpuUsage();
    this.#begun = performance.now();
    if (this.#spec.requestsMax === undefined) setTimeout(() => this.#finish(), this.#spec.seconds * 1000);
  }

  /** Stops sending, prints, and leaves once everything in flight is answered: so "acknowledged" is an exact number. */
  #finish(): void {
    const seconds = (performance.now() - this.#begun) / 1000;
    const histogram = this.#histogram;
    const { user, system } = process.cpuUsage(this.#startedCpu);
    const result: Omit<LoadResult, 'acknowledged'> = {
      requests: this.#requests,
      errors: this.#errors,
      firstError: this.#firstError,
      seconds,
      perSecond: this.#requests / seconds,
      bytesPerSecond: (this.bytes - this.#startedBytes) / seconds,
      p50Ms: histogram.quantile(0.5),
      p90Ms: histogram.quantile(0.9),
      p99Ms: histogram.quantile(0.99),
      p999Ms: histogram.quantile(0.999),
      maxMs: histogram.max,
      cpuShare: (user + system) / 1e6 / seconds,
    };
    this.sending = false;
    const settle = (): void => {
      if (this.#lanes.some((lane) => lane.inFlight > 0) && performance.now() - this.#begun < (seconds + 20) * 1000) {
        setTimeout(settle, 5);
        return;
      }
      process.stdout.write(`${JSON.stringify({ ...result, acknowledged: this.#allRequests - this.#errors })}\n`);
      for (const lane of this.#lanes) lane.close();
      process.exit(0);
    };
    settle();
  }
}

const specFile = process.argv[2];
if (specFile !== undefined) new Run(JSON.parse(readFileSync(specFile, 'utf8')) as LoadSpec);
