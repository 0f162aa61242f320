import { Deque } from '../../../base/deque.ts';

/** Turns of a group that wait while a decision about it is on its way into the log. */
export class GroupQueues {
  readonly #waiting = new Map<string, Deque<() => void>>();

  /** A decision leaves for the log. */
  begin(groupId: string): void {
    if (!this.#waiting.has(groupId)) this.#waiting.set(groupId, new Deque());
  }

  /** It has arrived, or failed: those who wait have their turns, until one of them decides something. */
  end(groupId: string): void {
    const waiting = this.#waiting.get(groupId);
    this.#waiting.delete(groupId);
    for (let turn = waiting?.shift(); turn !== undefined; turn = waiting?.shift()) {
      const next = this.#waiting.get(groupId);
      if (next === undefined) turn();
      else next.push(turn);
    }
  }

  run(groupId: string, turn: () => void): void {
    const waiting = this.#waiting.get(groupId);
    if (waiting === undefined) turn();
    else waiting.push(turn);
  }
}
