/**
 * The turns of a loop, side by side with the runtime's event loop.
 *
 * One turn handles one batch of events and ends, so that promises of callers settle between two batches. The runtime's reactor
 * wakes the loop ({@linkcode RuntimeWake}); then, for a slice of about a millisecond, turns follow each other without a round of
 * the runtime's event loop, which costs more than what a turn does, and wait in the system for what comes. The reactor waits
 * meanwhile: when it has something to do, when a slice is over, and when nothing comes, the loop waits in the reactor, where
 * timers, files and the runtime's own sockets get their turn too.
 *
 * @module
 */

import process from "node:process";
import { sharedTime } from "../../state/shared_time.ts";
import type { Deferred } from "./socket_loop.ts";

/** Where {@linkcode TurnLoop.takeEvents} cannot wait, so few events in a batch say that no more are to be expected at once. */
const FEW = 2;
/** How long turns follow each other before the runtime's reactor gets its turn. */
const SLICE_MS = 1;
/** Pause before another try where the system cannot wait for events. */
const RETRY_MS = 5;

/** The turns of one loop. */
export abstract class TurnLoop {
  /** Whether {@linkcode takeEvents} can wait. Otherwise all turns are rounds of the event loop. */
  protected waits = false;
  #deferred: Deferred[] = [];
  #proceeding: Deferred[] = [];
  #scheduled = false;
  #handling = false;
  #armed = false;
  #sliceEndMs = 0;
  /** Whether turns follow each other without the event loop. */
  #inSlice = false;
  /** Whether promises have settled since the loop was armed by {@linkcode woken}. */
  #settled = true;

  /** Calls `deferred` in the next turn. Once for each call. */
  defer(deferred: Deferred): void {
    this.#deferred.push(deferred);
    this.schedule();
  }

  /**
   * Takes one batch of events from the kernel and handles it.
   *
   * @param wait Whether to wait for about a millisecond until there are some, or the reactor has something to do.
   * @returns Their number.
   */
  protected abstract takeEvents(wait: boolean): number;

  /** Asks the kernel to wake the runtime at the next event, which may be at once. Returns whether it will. */
  protected abstract wait(): boolean;

  /** Takes back what {@linkcode wait} has asked for. Returns whether that can be done. */
  protected abstract disarm(): boolean;

  /** The reactor has something to do: this turn is the last one of the slice. */
  protected endSlice(): void {
    this.#sliceEndMs = 0;
  }

  /** Whether a turn is under way. */
  protected get handling(): boolean {
    return this.#handling;
  }

  /** Makes sure that there is a turn soon. */
  protected schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    if (this.#inSlice) queueMicrotask(this.#hop);
    else setImmediate(this.#turn);
  }

  /** Called by the runtime when it was woken. */
  protected readonly woken = (): void => {
    this.#armed = false;
    this.disarm();
    this.#sliceEndMs = sharedTime.realMs + SLICE_MS;
    if (this.waits) {
      this.#inSlice = !this.#scheduled;
      this.#handle(false);
      return this.schedule();
    }
    if (!this.#settled || this.#handle(false) > FEW || this.#deferred.length > 0) return this.schedule();
    // Little is going on, so that another turn would find nothing. The runtime is still reading the eventfd: where the
    // poll is ready at once, it wakes the loop again before promises have settled.
    this.#settled = false;
    queueMicrotask(this.#settle);
    this.arm();
  };

  /** Waits for the next event. */
  protected arm(): void {
    this.#armed = this.wait();
    if (this.#armed || this.#scheduled) return;
    this.#scheduled = true;
    setTimeout(this.#turn, RETRY_MS);
  }

  readonly #settle = (): void => {
    this.#settled = true;
  };

  // All promises settle before the queue of nextTick is looked at again; what they put into it comes before the next turn.
  readonly #hop = (): void => {
    process.nextTick(this.#secondHop);
  };

  readonly #secondHop = (): void => {
    queueMicrotask(this.#lastHop);
  };

  readonly #lastHop = (): void => {
    process.nextTick(this.#turn);
  };

  readonly #turn = (): void => {
    this.#scheduled = false;
    if (this.#armed && this.disarm()) this.#armed = false;
    const handled = this.#handle(this.#inSlice && this.#deferred.length === 0);
    const sliced = sharedTime.realMs < this.#sliceEndMs;
    this.#inSlice &&= sliced && handled > 0;
    if (this.#deferred.length > 0 || (sliced && handled > 0)) return this.schedule();
    if (!this.#armed) this.arm();
  };

  /** Handles what was deferred, and one batch of events. Returns their number. */
  #handle(wait: boolean): number {
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
    handled += this.takeEvents(wait);
    this.#handling = false;
    return handled;
  }
}
