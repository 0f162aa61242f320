import type { Clock, Timer } from '../clock.ts';
import type { Scheduler, SimEvent, SimProcess } from './scheduler.ts';

/** One turn of the event loop takes some time, so that slices of endless work do not stop the world's clock. */
const turnMs = 1 / 64;

/** The wall clock of a machine; it can step, as NTP or an operator makes it. */
export interface WallClock {
  offsetMs: number;
}

export class SimClock implements Clock {
  readonly #scheduler: Scheduler;
  readonly #process: SimProcess;
  readonly #wall: WallClock;

  constructor(scheduler: Scheduler, process: SimProcess, wall: WallClock) {
    this.#scheduler = scheduler;
    this.#process = process;
    this.#wall = wall;
  }

  /** Counts from the start of the process: two machines' values mean nothing to each other. */
  monotonicMs(): number {
    return this.#scheduler.nowMs - this.#process.startedMs;
  }

  wallMs(): number {
    return Math.floor(this.#scheduler.nowMs + this.#wall.offsetMs);
  }

  after(delayMs: number, callback: () => void): Timer {
    return new SimTimer(this.#scheduler.after(delayMs, 'timer', 0, this.#process, callback));
  }

  soon(callback: () => void): void {
    this.#scheduler.after(turnMs, 'soon', 0, this.#process, callback);
  }

  afterPoll(callback: () => void): void {
    this.#scheduler.after(2 * turnMs, 'after-poll', 0, this.#process, callback);
  }

  localTime(wallMs: number): string {
    return utcTime(wallMs);
  }
}

class SimTimer implements Timer {
  readonly #event: SimEvent;

  constructor(event: SimEvent) {
    this.#event = event;
  }

  cancel(): void {
    this.#event.run = undefined;
  }
}

/** Simulated machines live in UTC. Dates by Howard Hinnant's civil_from_days. */
function utcTime(wallMs: number): string {
  const days = Math.floor(wallMs / 86_400_000);
  const inDay = wallMs - days * 86_400_000;
  const shifted = days + 719_468; // since 0000-03-01
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const leaps = Math.floor(dayOfEra / 1460) - Math.floor(dayOfEra / 36_524) + Math.floor(dayOfEra / 146_096);
  const yearOfEra = Math.floor((dayOfEra - leaps) / 365);
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const monthFromMarch = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * monthFromMarch + 2) / 5) + 1;
  const month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9;
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  const date = `${year}-${digits(month, 2)}-${digits(day, 2)}`;
  const hours = digits(Math.floor(inDay / 3_600_000), 2);
  const minutes = digits(Math.floor(inDay / 60_000) % 60, 2);
  const seconds = digits(Math.floor(inDay / 1000) % 60, 2);
  return `${date} ${hours}:${minutes}:${seconds},${digits(inDay % 1000, 3)}`;
}

function digits(value: number, count: number): string {
  return String(value).padStart(count, '0');
}
