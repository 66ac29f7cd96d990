/**
 * Passive health: an upstream that fails several times in a row is ejected for a while, longer each time, and is then
 * on trial, one attempt at a time, until one succeeds.
 *
 * @module
 */

import { type StatusRange, within } from "../../http/status_range.ts";
import { fieldAt } from "../../state/shared_state.ts";
import { sharedTime } from "../../state/shared_time.ts";
import type { PassiveHealthConfig } from "../config/resilience_schema.ts";
import { FAILURE_CLASSES, type FailureClass } from "./failure_class.ts";
import {
  changeFlags,
  EJECTED_BY,
  EJECTED_FOR,
  EJECTED_UNTIL,
  EJECTIONS,
  FAILED_AT,
  FAILS,
  FLAGS,
  SLOW_START_AT,
  type UpstreamMemory,
} from "./condition_fields.ts";
import { Flag } from "./upstream_states.ts";

/** Counts the failures of one upstream. Its fields belong to the upstream. */
export class PassiveHealth {
  readonly #fields: Int32Array;
  readonly #shared: boolean;
  readonly #times: Float64Array;
  readonly #config: PassiveHealthConfig;
  readonly #failStatus: readonly StatusRange[];
  /** A response whose head takes longer is a failure. */
  readonly #slowAfterMs: number;

  /** Counts in `memory`, which other workers may share. */
  constructor(memory: UpstreamMemory, config: PassiveHealthConfig) {
    this.#fields = memory.fields;
    this.#shared = memory.shared;
    this.#times = memory.times;
    this.#config = config;
    this.#failStatus = config.fail_status;
    this.#slowAfterMs = config.slow_after || Infinity;
  }

  /** The failure that a response counts as; undefined for a good one. */
  failureClassOf(status: number, latencyMs: number): FailureClass | undefined {
    if (within(status, this.#failStatus)) return "status";
    return latencyMs > this.#slowAfterMs ? "slow" : undefined;
  }

  /** An attempt succeeded. Returns whether that ended `on_trial`. */
  succeeded(): boolean {
    const fields = this.#fields;
    if (fieldAt(fields, FAILS, this.#shared) !== 0) Atomics.store(fields, FAILS, 0);
    return (fieldAt(fields, FLAGS, this.#shared) & Flag.on_trial) !== 0 && this.#comeBack(Flag.on_trial);
  }

  /**
   * An attempt failed.
   *
   * @param mayEject Called before an ejection: whether the pool allows it.
   * @param trial Whether the attempt was a trial.
   * @returns Whether this call ejected it.
   */
  failed(failure: FailureClass, mayEject: (failure: FailureClass) => boolean, trial = true): boolean {
    const { max_fails, fail_window } = this.#config;
    if (max_fails === 0) return false;
    const fields = this.#fields;
    const nowMs = sharedTime.refresh();
    const flags = Atomics.load(fields, FLAGS);
    // The attempt began before the ejection and is no new evidence.
    if ((flags & Flag.on_trial) !== 0 && !trial) return false;
    const sinceLast = nowMs - this.#times[FAILED_AT];
    this.#times[FAILED_AT] = nowMs;
    if (sinceLast > fail_window && (flags & Flag.on_trial) === 0) Atomics.store(fields, FAILS, 0);
    const fails = Atomics.add(fields, FAILS, 1) + 1;
    if ((flags & Flag.ejected) !== 0) return false;
    if (fails < max_fails && (flags & Flag.on_trial) === 0) return false;
    return mayEject(failure) && this.#eject(failure, nowMs);
  }

  /** Ends the ejection if its time is over. Returns whether the upstream may be tried. */
  reconsider(nowMs: number): boolean {
    if (this.#times[EJECTED_UNTIL] > nowMs) return false;
    changeFlags(this.#fields, { from: Flag.ejected, clear: Flag.ejected, set: Flag.on_trial });
    return true;
  }

  /** Ends an ejection or `on_trial` early, as when probes find it healthy. Returns whether there was one. */
  restore(): boolean {
    const flags = Atomics.load(this.#fields, FLAGS);
    if ((flags & (Flag.ejected | Flag.on_trial)) === 0) return false;
    Atomics.store(this.#fields, FAILS, 0);
    return this.#comeBack(Flag.ejected | Flag.on_trial);
  }

  /** Why it was last ejected. */
  get ejectedBy(): FailureClass {
    return FAILURE_CLASSES[Atomics.load(this.#fields, EJECTED_BY)];
  }

  #eject(failure: FailureClass, nowMs: number): boolean {
    const fields = this.#fields;
    const times = this.#times;
    const { eject_for, max_eject_for } = this.#config;
    // A time in use as long as the last ejection cancels one earlier ejection.
    const lastMs = Math.max(times[EJECTED_FOR], eject_for);
    const usedMs = Math.max(0, nowMs - times[EJECTED_UNTIL]);
    const counted = Math.max(0, Atomics.load(fields, EJECTIONS) - Math.floor(usedMs / lastMs));
    const forMs = Math.round(Math.min(eject_for * 2 ** Math.min(counted, 30), Math.max(eject_for, max_eject_for)));
    // Published before the flag: a worker that sees the flag reads this time.
    times[EJECTED_UNTIL] = nowMs + forMs;
    if (!changeFlags(fields, { set: Flag.ejected, clear: Flag.on_trial | Flag.slow_start })) return false;
    times[EJECTED_FOR] = forMs;
    Atomics.store(fields, EJECTED_BY, FAILURE_CLASSES.indexOf(failure));
    Atomics.store(fields, EJECTIONS, counted + 1);
    return true;
  }

  #comeBack(clear: number): boolean {
    this.#times[SLOW_START_AT] = sharedTime.refresh();
    return changeFlags(this.#fields, { from: clear, clear, set: Flag.slow_start });
  }
}
