/**
 * The time that discovery goes by: an interface, so that tests can wind it forward.
 *
 * @module
 */

/** Time and chance. */
export interface DiscoveryTime {
  /** Milliseconds since some moment. */
  nowMs(): number;
  /** Calls `callback` once after `delayMs`; what comes back calls that off, and does nothing afterwards. */
  after(delayMs: number, callback: () => void): () => void;
  /** At least 0, less than 1. */
  random(): number;
}

/** The machine's. Its timers do not keep the process alive. */
export const SYSTEM_TIME: DiscoveryTime = {
  nowMs: () => performance.now(),
  after(delayMs, callback) {
    const timer = setTimeout(callback, delayMs);
    Deno.unrefTimer(timer as unknown as number);
    return () => clearTimeout(timer);
  },
  random: Math.random,
};
