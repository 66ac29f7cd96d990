/**
 * What the tunnels of a thread may queue, all together: clients that take nothing, each of them with a fast upstream, must
 * not fill the memory.
 *
 * @module
 */

const BUDGET_BYTES = 64 * 1024 * 1024;
/** More would not make a tunnel faster: the system's own buffers hold as much. */
const MOST_BYTES = 256 * 1024;
/** One direction gets one part of so many of what is left. */
const SHARES = 8;

/** Bytes that are queued in all tunnels of a thread. */
export class TunnelBudget {
  readonly #maxBytes: number;
  #queuedBytes = 0;

  /** @param maxBytes How many may be queued. */
  constructor(maxBytes = BUDGET_BYTES) {
    this.#maxBytes = maxBytes;
  }

  /** Bytes that are queued. */
  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  /** The queue of one direction has changed from `before` to `now` bytes. */
  change(before: number, now: number): void {
    this.#queuedBytes += now - before;
  }

  /** Bytes that may be queued in one direction before its sender is paused: the fewer, the more are queued in all. */
  allowance(maxBuffered: number): number {
    const share = (this.#maxBytes - this.#queuedBytes) / SHARES;
    return Math.min(maxBuffered, MOST_BYTES, Math.max(share, 0));
  }
}

/** The budget of this thread. */
export const tunnelBudget: TunnelBudget = new TunnelBudget();
