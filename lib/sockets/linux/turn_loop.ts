/**
 * The turns of a loop, side by side with the runtime's event loop.
 *
 * One turn handles one batch of events, and ends when promises of callers have settled. The runtime's reactor wakes the loop
 * ({@linkcode RuntimeWake}); then, for a slice of two milliseconds, or of up to 50 where little comes, turns follow each other
 * without a round of the runtime's event loop, which costs more than what a turn does, and wait in the system for what comes.
 * The reactor is watched meanwhile, and the runtime asked for what else it has to do ({@link RuntimeWork}): when there is
 * something, when a slice is over, and when nothing comes, the loop waits in the reactor, where timers, files and the
 * runtime's own sockets get their turn too. Where much comes, timers can be late by a slice.
 *
 * @module
 */

import process from "node:process";
import { sharedTime } from "../../state/shared_time.ts";
import { unseenWork } from "../../state/unseen_work.ts";
import { type RuntimeWork, runtimeWork } from "./runtime_work.ts";
import { promiseSettler } from "./settle_promises.ts";
import type { Deferred } from "./socket_loop.ts";
import { WaitRecord } from "./wait_record.ts";

/** How long turns follow each other before the runtime's reactor gets its turn. */
const SLICE_MS = 2;
/**
 * The same, where little comes: how often the runtime wakes the loop is a good part of what a request costs then. What the
 * runtime has to do ends the slice, as far as it tells.
 */
const QUIET_SLICE_MS = 50;
/** The same, where the runtime may have something to do of which it does not tell. */
const UNSEEN_SLICE_MS = 4;
/** As many events in a millisecond are little: one connection has up to 36, where each request waits for the one before. */
const QUIET_EVENTS_A_MS = 40;
/**
 * How long a turn waits for its first event where nothing was sent since the last one, so that nothing need come: the
 * runtime may have work of its own to do for what came, of which the reactor does not tell.
 */
const SHORT_WAIT_US = 250;
/** Pause before another try where the system cannot wait for events. */
const RETRY_MS = 5;

/** The turns of one loop. */
export abstract class TurnLoop {
  /** Set by sockets that have sent something, so that what they expect is waited for. */
  sent = false;
  /** Whether {@linkcode takeEvents} can wait. */
  protected waits = false;
  /** Settles promises. */
  #settle: (() => void) | undefined = promiseSettler();
  /** Whether it was tried. */
  #tried = false;
  /** What ends a slice where little comes. */
  #work: RuntimeWork | undefined;
  /** Whether it was sought: in the first slice, as it is not to be asked within a timer. */
  #sought = false;
  readonly #record = new WaitRecord();
  #waitPays = false;
  /** Whether the reactor is watched in this slice. */
  #watches = false;
  #deferred: Deferred[] = emptyList();
  #proceeding: Deferred[] = emptyList();
  /** Whether a slice will begin soon, by `setImmediate` or, if `waking`, by {@linkcode wakeSelf}. */
  #scheduled = false;
  #waking = false;
  #handling = false;
  #armed = false;
  #inSlice = false;
  /** When the slice began. */
  #startMs = 0;
  /** Whether the reactor has something to do. */
  #ended = false;
  /** When the last batch of events was taken from the kernel. */
  #batchMs = 0;
  /** Events of this slice. */
  #events = 0;

  /** Calls `deferred` in the next turn. Once for each call. */
  defer(deferred: Deferred): void {
    this.#deferred.push(deferred);
    this.schedule();
  }

  /** From now on, until {@linkcode wait}, the reactor ends a wait for events, and calls {@linkcode endSlice}. */
  protected abstract watchReactor(): void;

  /**
   * Takes one batch of events from the kernel, calls {@linkcode beginBatch}, and handles it.
   *
   * @param waitUs How long to wait until there are some, or the reactor has something to do; 0 not to wait.
   * @returns Their number, without that of the reactor.
   */
  protected abstract takeEvents(waitUs: number): number;

  /** Asks the kernel to wake the runtime at the next event, which may be at once. Returns whether it will. */
  protected abstract wait(): boolean;

  /** Takes back what {@linkcode wait} has asked for. Returns whether that can be done. */
  protected abstract disarm(): boolean;

  /** Wakes the runtime. */
  protected abstract wakeSelf(): void;

  /** The reactor has something to do: this turn is the last one of the slice. */
  protected endSlice(): void {
    this.#ended = true;
  }

  /** The kernel has given a batch of events: all of them have its time, so that the clock is read once for them. */
  protected beginBatch(): void {
    this.#batchMs = sharedTime.beginBatch();
  }

  /** Whether a turn is under way. */
  protected get handling(): boolean {
    return this.#handling;
  }

  /** Makes sure that there is a turn soon. */
  protected schedule(): void {
    if (this.#scheduled || this.#inSlice) return;
    this.#scheduled = true;
    setImmediate(this.#turn);
  }

  /** Called by the runtime when it was woken. */
  protected readonly woken = (): void => {
    this.#armed = false;
    this.disarm();
    if (this.#scheduled && !this.#waking) return;
    this.#waking = false;
    this.#scheduled = true;
    // The runtime goes on reading what wakes the loop until there is nothing, which the end of a slice may never let happen.
    process.nextTick(this.#turn);
  };

  /** Waits for the next event. */
  protected arm(): void {
    this.#armed = this.wait();
    if (this.#armed || this.#scheduled) return;
    this.#scheduled = true;
    // Within a timer the runtime does not tell when the next one is due.
    setTimeout(() => setImmediate(this.#turn), RETRY_MS);
  }

  readonly #turn = (): void => {
    this.#scheduled = false;
    if (this.#armed && this.disarm()) this.#armed = false;
    this.#runSlice();
  };

  #runSlice(): void {
    if (!this.#sought) {
      this.#sought = true;
      this.#work = runtimeWork();
    }
    this.#startMs = sharedTime.realMs;
    this.#ended = false;
    this.#inSlice = true;
    this.#events = 0;
    this.sent = false;
    this.#record.begin();
    // What wakes the runtime is not waited for here.
    this.#waitPays = this.waits && !this.#armed && this.#record.pays;
    this.#watches = false;
    for (let goesOn = this.handle(0) > 0; goesOn && this.#promisesSettled();) goesOn = this.#nextTurn();
    this.#inSlice = false;
    this.#work?.seen();
    if (this.#deferred.length === 0) {
      if (!this.#armed) this.arm();
    } else if (this.#armed) this.schedule();
    else this.#wakeSoon();
  }

  /** Returns whether something was handled. */
  #nextTurn(): boolean {
    const begun = this.#work?.begun === true;
    const leftMs = this.#leftMs(begun);
    if (leftMs <= 0) return false;
    if (this.#deferred.length > 0 || !this.#waitPays || begun) return this.handle(0) > 0;
    if (!this.#watches) {
      // Not before: under load a slice may be over with its first batch.
      this.#watches = true;
      this.watchReactor();
      const handled = this.handle(0);
      if (handled > 0) return true;
    }
    const waitUs = this.sent ? Math.ceil(leftMs * 1000) : SHORT_WAIT_US;
    this.sent = false;
    const handled = this.handle(waitUs);
    // Not where the reactor has ended the wait.
    if (!this.#ended) this.#record.add(handled > 0);
    this.#waitPays = this.#record.pays;
    return handled > 0;
  }

  /**
   * How much of the slice is left, in milliseconds.
   *
   * @param begun Whether the runtime has something to do since the slice began.
   */
  #leftMs(begun: boolean): number {
    if (this.#ended) return 0;
    const passedMs = this.#batchMs - this.#startMs;
    if (begun || this.#events > QUIET_EVENTS_A_MS * Math.max(SLICE_MS, passedMs)) return SLICE_MS - passedMs;
    const work = this.#work;
    if (work === undefined) return UNSEEN_SLICE_MS - passedMs;
    const sliceMs = unseenWork.possible ? UNSEEN_SLICE_MS : QUIET_SLICE_MS;
    return Math.min(sliceMs - passedMs, work.nextTimerMs - this.#batchMs);
  }

  /** Settles promises. Returns false if they settle after this callback alone. */
  #promisesSettled(): boolean {
    const settle = this.#settle;
    if (settle === undefined) return false;
    if (!this.#tried) {
      this.#tried = true;
      let settled = false;
      queueMicrotask(() => settled = true);
      settle();
      if (!settled) this.#settle = undefined;
      return settled;
    }
    settle();
    return true;
  }

  // Unlike `setImmediate`, with which the runtime would look at the reactor once in 61 rounds only.
  #wakeSoon(): void {
    if (this.#scheduled) return;
    this.#scheduled = this.#waking = true;
    this.wakeSelf();
  }

  /** Whether something was deferred, so that the next turn must not wait. */
  protected get hasDeferred(): boolean {
    return this.#deferred.length > 0;
  }

  /** Handles what was deferred, and one batch of events, for which it waits up to `waitUs`. Returns their number. */
  protected handle(waitUs: number): number {
    let handled = 0;
    this.#handling = true;
    if (this.#deferred.length > 0) {
      const proceeding = this.#deferred;
      this.#deferred = this.#proceeding;
      this.#proceeding = proceeding;
      handled = proceeding.length;
      for (let i = 0; i < handled; i++) {
        try {
          proceeding[i].proceed();
        } catch (error) {
          reportError(error);
        }
      }
      proceeding.length = 0;
    }
    handled += this.takeEvents(waitUs);
    sharedTime.endBatch();
    this.#events += handled;
    this.#handling = false;
    return handled;
  }
}

/** A list that V8 takes for one of objects. One that is empty from the start changes its kind later, which undoes optimized code. */
function emptyList(): Deferred[] {
  const list: Deferred[] = [{ proceed() {} }];
  list.length = 0;
  return list;
}
