/**
 * The condition of one upstream: what an operator, its probes, its attempts and its circuit breaker say of it, and whether it
 * may be given attempts. All that is known lies in fields that workers share.
 *
 * @module
 */

import { within } from "../../http/status_range.ts";
import { sharedTime } from "../../state/shared_time.ts";
import { FAILURE_STATUSES, type FailureClass } from "./failure_class.ts";
import { type BreakerChange, CircuitBreaker, type CircuitBreakerOptions } from "./circuit_breaker.ts";
import {
  changeFlags,
  EJECTED_UNTIL,
  FLAGS,
  OPEN_UNTIL,
  SLOW_START_AT,
  TRIALS,
  type UpstreamMemory,
} from "./condition_fields.ts";
import { PassiveHealth, type PassiveHealthOptions } from "./passive_health.ts";
import {
  type AdminState,
  Flag,
  OPERATOR_FLAGS,
  stateOf,
  UNAVAILABLE,
  type UpstreamFacts,
  type UpstreamState,
} from "./upstream_states.ts";

/** What may happen to an upstream; told once, by the worker that saw it first. */
export type ConditionChange =
  | { readonly kind: "ejected"; readonly by: FailureClass; readonly forMs: number }
  | { readonly kind: "returned" }
  | { readonly kind: "breaker"; readonly change: "opened" | "closed" };

/** The rules that a condition follows. */
export interface ConditionOptions {
  /** When its failures eject it; never without. */
  readonly passiveHealth?: PassiveHealthOptions | undefined;
  /** What is believed of it before its first probe; undefined when it is not probed. */
  readonly probedFirst?: "healthy" | "unhealthy" | undefined;
  /** When its breaker trips; it has none without. */
  readonly circuitBreaker?: CircuitBreakerOptions | undefined;
  /**
   * How long it takes to its full share after it came back, in milliseconds; 0 for at once.
   *
   * @default {0}
   */
  readonly slowStartMs?: number | undefined;
}

/** The condition of one upstream. Owned by it; the memory may outlive it. */
export class UpstreamCondition {
  /** Called when it was ejected or returned, and when its breaker changed. */
  onChange: ((change: ConditionChange) => void) | undefined;
  /** Asked before it is ejected: whether its pool can spare it. */
  mayEject: (failure: FailureClass) => boolean = () => true;
  readonly #memory: UpstreamMemory;
  readonly #fields: Int32Array;
  readonly #passive: PassiveHealth | undefined;
  readonly #breaker: CircuitBreaker | undefined;
  readonly #slowStartMs: number;
  /** Flags that no rule of this generation would ever clear. */
  #stale = 0;

  /** Takes over what is known in `memory`, which other workers may share. */
  constructor(memory: UpstreamMemory, options: ConditionOptions) {
    const { passiveHealth, circuitBreaker, slowStartMs = 0 } = options;
    this.#memory = memory;
    this.#fields = memory.fields;
    this.#slowStartMs = slowStartMs;
    if (passiveHealth !== undefined) this.#passive = new PassiveHealth(memory, passiveHealth);
    if (circuitBreaker !== undefined) this.#breaker = new CircuitBreaker(memory, circuitBreaker);
    this.#begin(options.probedFirst);
  }

  /** Whether it may be given attempts: no operator took it out, it is not unhealthy or ejected, its breaker is closed. */
  get healthy(): boolean {
    return (Atomics.load(this.#fields, FLAGS) & UNAVAILABLE) === 0 || this.#reconsider();
  }

  /** Whether it may be tried as the last resort, when no upstream is available: it was ejected, and nothing else. */
  get lastResort(): boolean {
    const flags = Atomics.load(this.#fields, FLAGS) & UNAVAILABLE;
    return flags !== 0 && (flags & ~(Flag.ejected | Flag.on_trial)) === 0;
  }

  /** Whether it may be tried in a panic, when no upstream is healthy: no operator took it out. */
  get usableInPanic(): boolean {
    return (Atomics.load(this.#fields, FLAGS) & OPERATOR_FLAGS) === 0;
  }

  /** Whether its failures have ejected it. */
  get ejected(): boolean {
    return (Atomics.load(this.#fields, FLAGS) & Flag.ejected) !== 0;
  }

  /** Whether its probes fail. */
  get unhealthy(): boolean {
    return (Atomics.load(this.#fields, FLAGS) & Flag.unhealthy) !== 0;
  }

  /** Share of its turns that it takes now: 1, or from 0.1 on while it starts slowly. */
  get share(): number {
    if ((Atomics.load(this.#fields, FLAGS) & Flag.slow_start) === 0) return 1;
    const leftMs = this.#slowStartLeftMs(sharedTime.nowMs);
    if (leftMs > 0) return Math.max(FIRST_SHARE, (this.#slowStartMs - leftMs) / this.#slowStartMs);
    changeFlags(this.#fields, { clear: Flag.slow_start });
    return 1;
  }

  /** The state, and what it follows from, all read at once. */
  get facts(): UpstreamFacts {
    const nowMs = sharedTime.refresh();
    // Whoever asks finds out that an ejection, or an open breaker's time, is over.
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

  /** The state. */
  get state(): UpstreamState {
    return this.facts.state;
  }

  /** Milliseconds until ejection and open breaker are both over; 0 when there is neither. */
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
   * Counts an attempt into the trial of an upstream that is on trial, or whose breaker is half open.
   *
   * @returns Whether it is a trial; undefined when others have taken all trials meanwhile, so that it may not be made.
   */
  beginTrial(): boolean | undefined {
    const flags = Atomics.load(this.#fields, FLAGS);
    if ((flags & (Flag.breaker_half_open | Flag.on_trial)) === 0) return false;
    if (Atomics.add(this.#fields, TRIALS, 1) < this.#trialLimit(flags)) return true;
    Atomics.sub(this.#fields, TRIALS, 1);
    return undefined;
  }

  /**
   * An attempt got a response; what its status and the time that it took say of the upstream.
   *
   * @param failure What {@linkcode failureOf} says of it.
   * @param latencyMs Time to the head; 0 where it says nothing.
   * @param how Whether it was made although the upstream was unavailable, and whether it was a trial, which alone decides the
   * fate of an upstream on trial, or of a half-open breaker.
   * @returns Whether it ejected the upstream.
   */
  responded(
    failure: FailureClass | undefined,
    status: number,
    latencyMs: number,
    how: { readonly anyway: boolean; readonly trial: boolean },
  ): boolean {
    if (this.#breaker !== undefined) {
      // Slowness has a rule of its own in the breaker, which also works without passive health checks.
      const failed = this.#passive === undefined ? within(status, FAILURE_STATUSES) : failure === "status";
      this.#tell(this.#breaker.record(failed, latencyMs, how.trial));
    }
    if (failure !== undefined) return this.#count(failure, how.trial);
    if (this.#passive?.succeeded() || (how.anyway && this.#passive?.restore())) this.onChange?.({ kind: "returned" });
    return false;
  }

  /** What of a response counts against the upstream; undefined when nothing does. */
  failureOf(status: number, latencyMs: number): FailureClass | undefined {
    return this.#passive?.failureClassOf(status, latencyMs);
  }

  /**
   * An attempt failed in a way that counts against the upstream.
   *
   * @returns Whether that ejected it.
   */
  failed(failure: FailureClass, trial: boolean): boolean {
    if (this.#breaker !== undefined) this.#tell(this.#breaker.record(true, 0, trial));
    return this.#count(failure, trial);
  }

  /**
   * Probes have found it healthy or not. Probes that find it healthy also end an ejection for being out of reach.
   *
   * @returns Whether this changed anything.
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

  /** What an operator wants of it. */
  get adminState(): AdminState {
    const flags = Atomics.load(this.#fields, FLAGS);
    return (flags & Flag.maintenance) !== 0 ? "maintenance" : (flags & Flag.draining) !== 0 ? "draining" : "active";
  }

  /**
   * Makes it unavailable, or available again. While draining, exchanges under way go on, WebSockets included; so they do in maintenance, in which its
   * probes do not count either.
   */
  setAdminState(state: AdminState): void {
    if (state === "active") return void this.#comeBack(OPERATOR_FLAGS);
    const other = state === "draining" ? Flag.maintenance : Flag.draining;
    changeFlags(this.#fields, { set: Flag[state], clear: other | Flag.slow_start });
  }

  /** Begins its slow start, as for one that has just been found. */
  startSlowly(): void {
    this.#memory.times[SLOW_START_AT] = sharedTime.refresh();
    changeFlags(this.#fields, { set: Flag.slow_start });
  }

  // The memory may hold the state of an earlier generation: what no rule of this one would ever end is ended here.
  #begin(probedFirst: "healthy" | "unhealthy" | undefined): void {
    const first = changeFlags(this.#fields, { set: Flag.known });
    if (first && probedFirst === "unhealthy") changeFlags(this.#fields, { set: Flag.unhealthy });
    if (probedFirst === undefined) this.#stale |= Flag.unhealthy;
    if (this.#passive === undefined) this.#stale |= Flag.ejected | Flag.on_trial;
    if (this.#breaker === undefined) this.#stale |= Flag.breaker_open | Flag.breaker_half_open;
    changeFlags(this.#fields, { clear: this.#stale });
  }

  // Whoever asks finds out that a time is over: no timer, and no worker whose end could leave an upstream unavailable for ever.
  #reconsider(): boolean {
    const fields = this.#fields;
    // What an earlier generation set since.
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

  // 0 when it is over, also where the time of another worker's clock lies ahead.
  #slowStartLeftMs(nowMs: number): number {
    const ageMs = nowMs - this.#memory.times[SLOW_START_AT];
    return ageMs >= 0 ? Math.max(0, this.#slowStartMs - ageMs) : 0;
  }

  #count(failure: FailureClass, trial: boolean): boolean {
    if (this.#passive?.failed(failure, this.mayEject, trial) !== true) return false;
    this.onChange?.({ kind: "ejected", by: failure, forMs: this.unavailableForMs });
    return true;
  }

  #tell(change: BreakerChange): void {
    if (change !== undefined) this.onChange?.({ kind: "breaker", change });
  }

  #comeBack(flags: number): boolean {
    if ((Atomics.load(this.#fields, FLAGS) & flags) === 0) return false;
    this.#memory.times[SLOW_START_AT] = sharedTime.refresh();
    return changeFlags(this.#fields, { clear: flags, set: Flag.slow_start });
  }
}

/** The share that slow start begins with. */
const FIRST_SHARE = 0.1;

/** What a good probe disproves. An upstream that answers requests badly may answer its probes well all the same. */
const DISPROVED_BY_PROBE: readonly FailureClass[] = ["unreachable", "timeout", "broken"];
