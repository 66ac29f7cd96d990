/**
 * Budgets for what costs the receiver more than the sender: frames that are legal one by one, and an attack in number.
 * Each budget is refilled with time, and some by what was sent to the peer in between, so that busy connections are not
 * taken for attacks. One that is used up ends the connection with ENHANCE_YOUR_CALM (RFC 9113, section 10.5).
 *
 * @module
 */

import type { CoarseClock } from "../state/coarse_clock.ts";
import { ErrorCode, Http2Error } from "./error_code.ts";

/** What is limited, by the label of its metric. */
export const FLOOD_CAUSES = [
  /** Streams that the peer resets, or that it makes this side reset ("rapid reset"). */
  "reset",
  /** CONTINUATION frames, or a header block that is too large to be kept. */
  "continuation",
  "ping",
  "settings",
  /** Frames without content, and frames of unknown types and priorities, which are ignored. */
  "empty",
  /** WINDOW_UPDATE frames, and windows that allow a few bytes only. */
  "window",
  /** Frames on streams that have closed. */
  "closed",
  /** Streams above the limit of open streams. */
  "refused",
  /** Streams whose window stays closed until their time is over. */
  "stall",
] as const;

/** What is limited. */
export type FloodCause = typeof FLOOD_CAUSES[number];

/** How much each cause may use at once, and how much of that comes back in a second. */
const BUDGETS: Readonly<Record<FloodCause, { most: number; perSecond: number }>> = {
  reset: { most: 200, perSecond: 50 },
  continuation: { most: 0, perSecond: 0 },
  ping: { most: 200, perSecond: 20 },
  settings: { most: 50, perSecond: 5 },
  empty: { most: 400, perSecond: 50 },
  window: { most: 2000, perSecond: 200 },
  closed: { most: 1000, perSecond: 100 },
  refused: { most: 200, perSecond: 20 },
  stall: { most: 7, perSecond: 0.1 },
};

/** The budgets of one connection. */
export class FloodBudget {
  readonly #clock: CoarseClock;
  /** What is used of each budget; undefined until something is. */
  #used: Partial<Record<FloodCause, { amount: number; sinceMs: number }>> | undefined;

  constructor(clock: CoarseClock) {
    this.#clock = clock;
  }

  /**
   * Uses a part of a budget.
   *
   * @throws {Http2Error} ENHANCE_YOUR_CALM when that is more than is left.
   */
  use(cause: FloodCause, amount = 1): void {
    const { most, perSecond } = BUDGETS[cause];
    const { nowMs } = this.#clock;
    const used = (this.#used ??= {})[cause] ??= { amount: 0, sinceMs: nowMs };
    used.amount = Math.max(0, used.amount - (nowMs - used.sinceMs) * perSecond / 1000) + amount;
    used.sinceMs = nowMs;
    if (used.amount > most) throw new Http2Error(ErrorCode.ENHANCE_YOUR_CALM, `Too many: ${cause}`, cause);
  }

  /** Gives back a part of a budget, as for an exchange that took its normal course. */
  refill(cause: FloodCause, amount = 1): void {
    const used = this.#used?.[cause];
    if (used !== undefined) used.amount = Math.max(0, used.amount - amount);
  }
}
