/**
 * What the runtime has to do for this thread of which its reactor does not tell: timers that will be due, and asynchronous
 * operations and immediates that were begun and that it has not looked at yet. A loop that waits for events itself asks for
 * it, so that none of them waits for the loop.
 *
 * None of it is public. The functions are those with which the runtime itself runs timers and numbers operations, so
 * {@linkcode runtimeWork} compares what they say with what it knows.
 *
 * @module
 */

import { sharedTime } from "../../state/shared_time.ts";

/** The part of the runtime that is used. */
interface Core {
  /** Runs the timers that are due at `nowMs`. Returns when the next is due, negative if no timer keeps the process alive; 0 if there is none. */
  __processTimers(nowMs: number): number;
  createTimer(callback: () => void, delayMs: number, args: undefined, repeats: boolean, refs: boolean): Timer;
  cancelTimer(timer: Timer): void;
  /** Makes a function that calls `operation` with the number of the next asynchronous operation. */
  setUpAsyncStub(name: string, operation: (number: number) => unknown): () => unknown;
  getActiveImmediateCount(): number;
}

interface Timer {
  readonly _idleStart: number;
}

/** Before every timer: none is run, and the next is told. */
const BEFORE_ALL = -1;
/** The runtime notes that a timer was set after the timer itself does, and does not run it before it is due by both. */
const MARGIN_MS = 0.1;
/** Readings of the runtime's clock. */
const READINGS = 3;

/** The work of the runtime in this thread. */
export class RuntimeWork {
  readonly #core: Core;
  /** From the time of the runtime's timers to that of `performance.now()`. */
  #offsetMs = -Infinity;
  readonly #readNumber: () => unknown;
  #number = 0;
  #seenNumber = 0;

  /** @throws {Error} If the runtime does not tell it. */
  constructor(core: Core) {
    this.#core = core;
    for (let i = 0; i < READINGS; i++) this.#offsetMs = Math.max(this.#offsetMs, this.#readOffset());

    // Returned as it is, so that the runtime neither makes a promise nor counts an operation.
    const done = Promise.resolve();
    this.#readNumber = core.setUpAsyncStub("bws", (number) => {
      this.#number = number;
      return done;
    });
    this.#number = -1;
    if (this.#readNumber() !== done || this.#number < 0) throw new Error("the runtime does not tell of its operations");
    this.seen();
  }

  /** When the next timer of this thread is due, in milliseconds of `performance.now()`. Not to be asked within a timer. */
  get nextTimerMs(): number {
    return this.#nextTimer() + this.#offsetMs;
  }

  /** Whether anything was begun since {@linkcode seen}. */
  get begun(): boolean {
    this.#readNumber();
    return this.#number !== this.#seenNumber || this.#core.getActiveImmediateCount() > 0;
  }

  /** The runtime gets its turn now. */
  seen(): void {
    this.#readNumber();
    this.#seenNumber = this.#number;
  }

  /** By a timer, which shows whether the runtime tells of it. Too small by what the thread had to wait within it. */
  #readOffset(): number {
    const core = this.#core;
    const before = this.#nextTimer();
    const startMs = sharedTime.realMs;
    const timer = core.createTimer(() => {}, 1, undefined, false, false);
    const dueMs = timer._idleStart + 1;
    const after = this.#nextTimer();
    core.cancelTimer(timer);
    if (!(dueMs > 1) || after !== Math.min(before, dueMs)) throw new Error("the runtime does not tell of its timers");
    return startMs - timer._idleStart + MARGIN_MS;
  }

  #nextTimer(): number {
    const next = this.#core.__processTimers(BEFORE_ALL);
    return next === 0 ? Infinity : Math.abs(next);
  }
}

/** The work of the runtime in this thread; undefined if the runtime does not tell it. Not to be called within a timer. */
export function runtimeWork(): RuntimeWork | undefined {
  const { internal } = Deno as unknown as { readonly internal?: symbol };
  if (internal === undefined) return undefined;
  const core = (Deno as unknown as Record<symbol, { readonly core?: Core } | undefined>)[internal]?.core;
  if (core === undefined) return undefined;
  const functions = [
    core.__processTimers,
    core.createTimer,
    core.cancelTimer,
    core.setUpAsyncStub,
    core.getActiveImmediateCount,
  ];
  if (functions.some((used) => typeof used !== "function")) return undefined;
  try {
    return new RuntimeWork(core);
  } catch {
    return undefined;
  }
}
