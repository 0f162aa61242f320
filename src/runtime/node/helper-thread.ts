import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { type ComputeDone, ComputeError, type Lent } from '../compute.ts';
import type { ResultMessage, TaskMessage } from './compute-messages.ts';
import { programPath } from './package-files.ts';

/** Of objects alone; records and what is made of them lie beside it. */
const HEAP_MB = 64;

export interface HelperThreadOptions {
  /** Memory that nobody needs any more. */
  readonly onFree: (memory: ArrayBuffer) => void;
  /** Told once, when the thread is gone for whatever reason. */
  readonly onEnd: () => void;
}

/** One thread beside the loop. It holds no process that wants to end. */
export class HelperThread {
  readonly #worker: Worker;
  readonly #options: HelperThreadOptions;
  readonly #pending = new Map<number, ComputeDone<unknown>>();
  #failure: unknown;
  #isDismissed = false;

  constructor(options: HelperThreadOptions) {
    this.#options = options;
    this.#worker = new Worker(pathToFileURL(programPath('runtime/node/compute-thread')), {
      name: 'odradek-helper',
      // What the process was told to load or to watch is not for its helpers.
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MB },
    });
    this.#worker.on('message', (message: ResultMessage) => this.#answered(message));
    this.#worker.on('error', (error) => {
      this.#failure = error;
    });
    this.#worker.on('exit', (code) => this.#ended(code));
    // Listening counts as a wish to hear more.
    this.#worker.unref();
  }

  get pendingCount(): number {
    return this.#pending.size;
  }

  run(message: TaskMessage, done: ComputeDone<unknown>): void {
    this.#pending.set(message.id, done);
    this.#worker.postMessage(message, [message.bytes.buffer]);
  }

  /** Resolves when it has ended; what it works on is not answered. */
  async dismiss(): Promise<void> {
    this.#isDismissed = true;
    this.#pending.clear();
    await this.#worker.terminate();
  }

  #answered(message: ResultMessage): void {
    const done = this.#pending.get(message.id);
    if (done === undefined) return;
    this.#pending.delete(message.id);
    if ('error' in message) done(new ComputeError(message.error), undefined);
    else done(undefined, this.#lent(message));
  }

  #lent({ output, bytes }: Extract<ResultMessage, { readonly output: unknown }>): Lent<unknown> {
    return { output, bytes, giveBack: () => this.#options.onFree(bytes.buffer) };
  }

  #ended(code: number): void {
    this.#options.onEnd();
    if (this.#isDismissed) return;
    const error = new ComputeError(`a helper thread ended (${this.#failure ?? `exit code ${code}`})`, {
      cause: this.#failure,
    });
    const lost = [...this.#pending.values()];
    this.#pending.clear();
    for (const done of lost) done(error, undefined);
  }
}
