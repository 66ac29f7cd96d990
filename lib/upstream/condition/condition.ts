/**
 * The condition of one upstream, from the operator, its probes, its attempts and its circuit breaker: whether it may
 * get attempts. All of it is in fields that workers share.
 *
 * @module
 */

import { within } from "../../http/status_range.ts";
import { fieldAt } from "../../state/shared_state.ts";
import { sharedTime } from "../../state/shared_time.ts";
import type { LoadBalancingConfig } from "../config/load_balancing_schema.ts";
import type { CircuitBreakerConfig, PassiveHealthConfig } from "../config/resilience_schema.ts";
import { FAILURE_STATUSES, type FailureClass } from "./failure_class.ts";
import { type BreakerChange, CircuitBreaker } from "./circuit_breaker.ts";
import {
  changeFlags,
  EJECTED_UNTIL,
  FLAGS,
  OPEN_UNTIL,
  SLOW_START_AT,
  TRIALS,
  type UpstreamMemory,
} from "./condition_fields.ts";
import { PassiveHealth } from "./passive_health.ts";
import {
  type AdminState,
  Flag,
  OPERATOR_FLAGS,
  stateOf,
  UNAVAILABLE,
  type UpstreamFacts,
  type UpstreamState,
} from "./upstream_states.ts";

/** A change of an upstream's condition; reported once, by the worker that made it. */
export type ConditionChange =
  | { readonly kind: "ejected"; readonly by: FailureClass; readonly forMs: number }
  | { readonly kind: "returned" }
  | { readonly kind: "breaker"; readonly change: "opened" | "closed" };

/** The rules that a condition follows. */
export interface ConditionOptions {
  /** When failures eject it; never without, or where it is not enabled. */
  readonly passiveHealth?: PassiveHealthConfig;
  /** State before the first probe; undefined when it is not probed. */
  readonly probedFirst?: "healthy" | "unhealthy" | undefined;
  /** When its breaker opens; no breaker without, or where it is not enabled. */
  readonly circuitBreaker?: CircuitBreakerConfig;
  /** Duration of slow start after it became available again; none without it. */
  readonly loadBalancing?: Pick<LoadBalancingConfig, "slow_start">;
}

/** The condition of one upstream, which owns it; the memory may outlive it. */
export class UpstreamCondition {
  /** Called after an ejection, after its end, and after a change of the breaker. */
  onChange: ((change: ConditionChange) => void) | undefined;
  /** Called before an ejection: whether the pool allows it. */
  mayEject: (failure: FailureClass) => boolean = () => true;
  readonly #memory: UpstreamMemory;
  readonly #fields: Int32Array;
  readonly #passive: PassiveHealth | undefined;
  readonly #breaker: CircuitBreaker | undefined;
  readonly #slowStartMs: number;
  /** Flags of an earlier generation that no rule of this one would clear. */
  #stale = 0;

  /** Takes over the state in `memory`, which other workers may share. */
  constructor(memory: UpstreamMemory, options: ConditionOptions) {
    const { passiveHealth, circuitBreaker, loadBalancing } = options;
    this.#memory = memory;
    this.#fields = memory.fields;
    this.#slowStartMs = loadBalancing?.slow_start ?? 0;
    if (passiveHealth?.enabled) this.#passive = new PassiveHealth(memory, passiveHealth);
    if (circuitBreaker?.enabled) this.#breaker = new CircuitBreaker(memory, circuitBreaker);
    this.#begin(options.probedFirst);
  }

  /**
   * Whether it may get attempts: not in maintenance or draining, not unhealthy or ejected, and its breaker is closed.
   */
  get healthy(): boolean {
    return (fieldAt(this.#fields, FLAGS, this.#memory.shared) & UNAVAILABLE) === 0 || this.#reconsider();
  }

  /** Whether it may be tried when no upstream is available: it is ejected, and nothing else. */
  get lastResort(): boolean {
    const flags = Atomics.load(this.#fields, FLAGS) & UNAVAILABLE;
    return flags !== 0 && (flags & ~(Flag.ejected | Flag.on_trial)) === 0;
  }

  /** Whether it may be used in panic mode, when no upstream is healthy: not in maintenance or draining. */
  get usableInPanic(): boolean {
    return (Atomics.load(this.#fields, FLAGS) & OPERATOR_FLAGS) === 0;
  }

  /** Whether it is ejected. */
  get ejected(): boolean {
    return (Atomics.load(this.#fields, FLAGS) & Flag.ejected) !== 0;
  }

  /** Whether its probes fail. */
  get unhealthy(): boolean {
    return (Atomics.load(this.#fields, FLAGS) & Flag.unhealthy) !== 0;
  }

  /** Share of its turns that it takes now: 1, or from 0.1 upwards during slow start. */
  get share(): number {
    if ((fieldAt(this.#fields, FLAGS, this.#memory.shared) & Flag.slow_start) === 0) return 1;
    const leftMs = this.#slowStartLeftMs(sharedTime.nowMs);
    if (leftMs > 0) return Math.max(FIRST_SHARE, (this.#slowStartMs - leftMs) / this.#slowStartMs);
    changeFlags(this.#fields, { clear: Flag.slow_start });
    return 1;
  }

  /** The state and its reasons, from one read of the flags. */
  get facts(): UpstreamFacts {
    const nowMs = sharedTime.refresh();
    // There is no timer: the end of an ejection or of an open breaker is noticed when the state is read.
    if ((Atomics.load(this.#fields, FLAGS) & UNAVAILABLE) !== 0) this.#reconsider();
    const flags = Atomics.load(this.#fields, FLAGS);
    const { times } = this.#memory;
    const open = (flags & Flag.breaker_open) !== 0;
    const slowStartMs = (flags & Flag.slow_start) !== 0 ? this.#slowStartLeftMs(nowMs) : 0;
    return {
      state: stateOf(slowStartMs > 0 ? flags : flags & ~Flag.slow_start),
      ejectedForMs: (flags & Flag.ejected) !== 0 ? Math.max(0, times[EJECTED_UNTIL] - nowMs) : null,
      breaker: open ? "open" : (flags & Flag.breaker_half_open) !== 0 ? "half_open" : "closed",
      breakerRetryMs: open ? Math.max(0, times[OPEN_UNTIL] - nowMs) : null,
      slowStartMs: slowStartMs > 0 ? slowStartMs : null,
    };
  }

  get state(): UpstreamState {
    return this.facts.state;
  }

  /** Milliseconds until both the ejection and the open breaker have ended; 0 when there is neither. */
  get unavailableForMs(): number {
    const flags = Atomics.load(this.#fields, FLAGS);
    const ejected = (flags & Flag.ejected) !== 0;
    const open = (flags & Flag.breaker_open) !== 0;
    if (!ejected && !open) return 0;
    const { times } = this.#memory;
    const untilMs = Math.max(ejected ? times[EJECTED_UNTIL] : 0, open ? times[OPEN_UNTIL] : 0);
    return Math.max(0, untilMs - sharedTime.refresh());
  }

  /**
   * Counts an attempt as a trial, if the upstream is on trial or its breaker is half open.
   *
   * @returns Whether the attempt is a trial; undefined when all trials are taken, so that it must not be made.
   */
  beginTrial(): boolean | undefined {
    const flags = fieldAt(this.#fields, FLAGS, this.#memory.shared);
    if ((flags & (Flag.breaker_half_open | Flag.on_trial)) === 0) return false;
    if (Atomics.add(this.#fields, TRIALS, 1) < this.#trialLimit(flags)) return true;
    Atomics.sub(this.#fields, TRIALS, 1);
    return undefined;
  }

  /**
   * An attempt got a response; its status and latency count for or against the upstream.
   *
   * @param failure Result of {@linkcode failureOf}.
   * @param latencyMs Time to the head; 0 where it is not a latency.
   * @param how Whether the attempt was made although the upstream was unavailable, and whether it was a trial; only a
   * trial ends `on_trial` or a half-open breaker.
   * @returns Whether the response ejected the upstream.
   */
  responded(
    failure: FailureClass | undefined,
    status: number,
    latencyMs: number,
    how: { readonly anyway: boolean; readonly trial: boolean },
  ): boolean {
    if (this.#breaker !== undefined) {
      // The breaker has its own rule for slow responses, which also works without passive health checks.
      const failed = this.#passive === undefined ? within(status, FAILURE_STATUSES) : failure === "status";
      this.#report(this.#breaker.record(failed, latencyMs, how.trial));
    }
    if (failure !== undefined) return this.#count(failure, how.trial);
    if (this.#passive?.succeeded() || (how.anyway && this.#passive?.restore())) this.onChange?.({ kind: "returned" });
    return false;
  }

  /** The failure that a response counts as; undefined for a good one. */
  failureOf(status: number, latencyMs: number): FailureClass | undefined {
    return this.#passive?.failureClassOf(status, latencyMs);
  }

  /**
   * An attempt failed in a way that counts against the upstream.
   *
   * @returns Whether the failure ejected the upstream.
   */
  failed(failure: FailureClass, trial: boolean): boolean {
    if (this.#breaker !== undefined) this.#report(this.#breaker.record(true, 0, trial));
    return this.#count(failure, trial);
  }

  /**
   * Sets the result of its probes. Healthy also ends an ejection because of connection failures.
   *
   * @returns Whether the condition changed.
   */
  probed(healthy: boolean): boolean {
    if (!healthy) return changeFlags(this.#fields, { set: Flag.unhealthy, clear: Flag.slow_start });
    if (
      this.#passive !== undefined && DISPROVED_BY_PROBE.includes(this.#passive.ejectedBy) && this.#passive.restore()
    ) {
      this.onChange?.({ kind: "returned" });
    }
    return this.#comeBack(Flag.unhealthy);
  }

  /** The state that an operator set. */
  get adminState(): AdminState {
    const flags = Atomics.load(this.#fields, FLAGS);
    return (flags & Flag.maintenance) !== 0 ? "maintenance" : (flags & Flag.draining) !== 0 ? "draining" : "active";
  }

  /**
   * Makes it unavailable, or available again. In both draining and maintenance, exchanges in flight go on, WebSockets
   * included. In maintenance its probes do not count either.
   */
  setAdminState(state: AdminState): void {
    if (state === "active") return void this.#comeBack(OPERATOR_FLAGS);
    const other = state === "draining" ? Flag.maintenance : Flag.draining;
    changeFlags(this.#fields, { set: Flag[state], clear: other | Flag.slow_start });
  }

  /** Begins slow start, as for an upstream that was just discovered. */
  startSlowly(): void {
    this.#memory.times[SLOW_START_AT] = sharedTime.refresh();
    changeFlags(this.#fields, { set: Flag.slow_start });
  }

  // The memory may hold the state of an earlier generation: flags that no rule of this one would clear are cleared
  // here.
  #begin(probedFirst: "healthy" | "unhealthy" | undefined): void {
    const first = changeFlags(this.#fields, { set: Flag.known });
    if (first && probedFirst === "unhealthy") changeFlags(this.#fields, { set: Flag.unhealthy });
    if (probedFirst === undefined) this.#stale |= Flag.unhealthy;
    if (this.#passive === undefined) this.#stale |= Flag.ejected | Flag.on_trial;
    if (this.#breaker === undefined) this.#stale |= Flag.breaker_open | Flag.breaker_half_open;
    changeFlags(this.#fields, { clear: this.#stale });
  }

  // Called on reads instead of by a timer: the end of the worker with the timer could leave an upstream unavailable for
  // ever.
  #reconsider(): boolean {
    const fields = this.#fields;
    // Flags that an earlier generation set after this one began.
    changeFlags(fields, { from: this.#stale, clear: this.#stale });
    let flags = Atomics.load(fields, FLAGS);
    if ((flags & (OPERATOR_FLAGS | Flag.unhealthy)) !== 0) return false;
    const { nowMs } = sharedTime;
    if ((flags & Flag.ejected) !== 0 && this.#passive?.reconsider(nowMs) === false) return false;
    if ((flags & Flag.breaker_open) !== 0 && this.#breaker?.reconsider(nowMs) === false) return false;
    flags = Atomics.load(fields, FLAGS);
    if ((flags & (Flag.breaker_half_open | Flag.on_trial)) === 0) return (flags & UNAVAILABLE) === 0;
    return Atomics.load(fields, TRIALS) < this.#trialLimit(flags);
  }

  #trialLimit(flags: number): number {
    return (flags & Flag.on_trial) !== 0 ? 1 : this.#breaker?.trialRequests ?? 1;
  }

  // 0 when it is over, also if the clock of another worker is ahead.
  #slowStartLeftMs(nowMs: number): number {
    const ageMs = nowMs - this.#memory.times[SLOW_START_AT];
    return ageMs >= 0 ? Math.max(0, this.#slowStartMs - ageMs) : 0;
  }

  #count(failure: FailureClass, trial: boolean): boolean {
    if (this.#passive?.failed(failure, this.mayEject, trial) !== true) return false;
    this.onChange?.({ kind: "ejected", by: failure, forMs: this.unavailableForMs });
    return true;
  }

  #report(change: BreakerChange): void {
    if (change !== undefined) this.onChange?.({ kind: "breaker", change });
  }

  #comeBack(flags: number): boolean {
    if ((Atomics.load(this.#fields, FLAGS) & flags) === 0) return false;
    this.#memory.times[SLOW_START_AT] = sharedTime.refresh();
    return changeFlags(this.#fields, { clear: flags, set: Flag.slow_start });
  }
}

/** Share at the beginning of slow start. */
const FIRST_SHARE = 0.1;

/**
 * Failures whose ejection a good probe ends. An upstream with bad or slow responses may pass its probes nevertheless.
 */
const DISPROVED_BY_PROBE: readonly FailureClass[] = ["unreachable", "timeout", "broken"];
