/**
 * The retry budget of a pool: each request adds a fraction of a retry, each retry takes one. So the number of retries
 * stays a share of the traffic, and retries do not overload upstreams that fail.
 *
 * @module
 */

import type { RetryBudgetConfig } from "./config/retry_budget_schema.ts";
import { addToField, fieldAt, isShared, localFields, type TakeFields } from "../state/shared_state.ts";
import { sharedTime } from "../state/shared_time.ts";

/** A retry, in the unit of the balance. */
const RETRY = 1000;
/** Largest balance, in retries. */
const MOST_SAVED = 1000;
/** Initial balance, in seconds of `min_per_second`. */
const FIRST_SECONDS = 10;

/** The first two fields hold {@linkcode FILLED_AT}, a time of 64 bits. */
const FILLED_AT = 0;
const BALANCE = 2;
const BEGUN = 3;

/** A budget that workers share. */
export class RetryBudget {
  readonly #fields: Int32Array;
  readonly #shared: boolean;
  readonly #times: BigInt64Array;
  readonly #deposit: number;
  readonly #perMs: number;

  /** @param takeFields Allots the four fields of the balance. */
  constructor({ budget, min_per_second }: RetryBudgetConfig, takeFields: TakeFields = localFields) {
    this.#fields = takeFields(4);
    this.#shared = isShared(this.#fields);
    this.#times = new BigInt64Array(this.#fields.buffer, this.#fields.byteOffset, 1);
    this.#deposit = Math.round(budget * RETRY);
    this.#perMs = min_per_second * RETRY / 1000;
    if (Atomics.exchange(this.#fields, BEGUN, 1) === 0) {
      Atomics.store(this.#times, FILLED_AT, BigInt(sharedTime.refresh()));
      Atomics.add(this.#fields, BALANCE, Math.min(min_per_second * FIRST_SECONDS, MOST_SAVED) * RETRY);
    }
  }

  /** Adds the share of one request. */
  deposit(): void {
    const fields = this.#fields;
    const shared = this.#shared;
    if (fieldAt(fields, BALANCE, shared) < MOST_SAVED * RETRY) addToField(fields, BALANCE, this.#deposit, shared);
  }

  /** Takes a retry. Returns whether there was one. */
  withdraw(): boolean {
    this.#fill();
    for (;;) {
      const balance = Atomics.load(this.#fields, BALANCE);
      if (balance < RETRY) return false;
      if (Atomics.compareExchange(this.#fields, BALANCE, balance, balance - RETRY) === balance) return true;
    }
  }

  #fill(): void {
    const nowMs = sharedTime.refresh();
    const filledAt = Atomics.load(this.#times, FILLED_AT);
    const gained = Math.floor(Math.max(0, nowMs - Number(filledAt)) * this.#perMs);
    if (gained < RETRY) return;
    if (Atomics.compareExchange(this.#times, FILLED_AT, filledAt, BigInt(nowMs)) !== filledAt) return;
    const room = MOST_SAVED * RETRY - Atomics.load(this.#fields, BALANCE);
    if (room > 0) Atomics.add(this.#fields, BALANCE, Math.min(gained, room));
  }
}
