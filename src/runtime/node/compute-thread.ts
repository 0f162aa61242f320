/** The program of a helper thread: runs tasks one after the other. */
import { pathToFileURL } from 'node:url';
import { parentPort } from 'node:worker_threads';
import { present } from '../../base/assert.ts';
import type { Task } from '../compute.ts';
import { KEPT_BYTES_MAX, type ResultMessage, type TaskMessage } from './compute-messages.ts';
import { programPath } from './package-files.ts';

type AnyTask = Task<unknown, unknown>;

const tasks = new Map<string, Promise<AnyTask>>();
/** Memory for the next result: that of an earlier input, so that once everything runs none is made and none collected. */
let spare = new Uint8Array(0);

function taskNamed(name: string): Promise<AnyTask> {
  let task = tasks.get(name);
  if (task === undefined) {
    task = import(pathToFileURL(programPath(name)).href).then((module: { readonly task: AnyTask }) => module.task);
    tasks.set(name, task);
  }
  return task;
}

async function handle({ id, task: name, input, bytes }: TaskMessage): Promise<void> {
  let answer: ResultMessage;
  try {
    const task = await taskNamed(name);
    answer = { id, ...task.run(input, bytes, spare) };
    const isSpent = answer.bytes.buffer === spare.buffer;
    if (isSpent) spare = new Uint8Array(0);
    const { buffer } = bytes;
    if (buffer.byteLength > spare.length && buffer.byteLength <= KEPT_BYTES_MAX) spare = new Uint8Array(buffer);
  } catch (error) {
    answer = { id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
  port.postMessage(answer, 'bytes' in answer ? [answer.bytes.buffer] : []);
}

const port = present(parentPort, 'the loop that this thread helps');
port.on('message', (message: TaskMessage) => void handle(message));
