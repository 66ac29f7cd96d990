/**
 * One server behind the proxy.
 *
 * @module
 */

import { localCells } from "../state/cells.ts";
import { statusClassIndex } from "../metrics/status_class.ts";
import { sharedTime } from "../state/shared_time.ts";
import { ONLY_WORKER, type WorkerPlace } from "../state/worker_place.ts";
import { ConnectionPool } from "./connection/connection_pool.ts";
import type { Endpoint } from "../sockets/endpoint.ts";
import { type BreakerChange, CircuitBreaker } from "./circuit_breaker.ts";
import { FAILURE_STATUSES, within } from "./failure_status.ts";
import { latencyMs, observeLatency } from "./latency.ts";
import { PassiveHealth } from "./passive_health.ts";
import { risenShare } from "./slow_start.ts";
import { FAILURE_CLASSES, type FailureClass } from "./failure_class.ts";
import { readFacts, type UpstreamFacts } from "./upstream_facts.ts";
import {
  changeFlags,
  EJECTED_UNTIL,
  Flag,
  FLAGS,
  IN_FLIGHT,
  OPEN_UNTIL,
  OWN,
  OWN_CELLS,
  RISEN_AT,
  rowOf,
  TRIALS,
  UNAVAILABLE,
  upstreamCellCount,
  type UpstreamRow,
  WEIGHT,
} from "./upstream_cells.ts";
import { Slot } from "./slot.ts";
import type { UpstreamOptions } from "./upstream_options.ts";
import { UPSTREAM_METRICS, type UpstreamMetrics } from "./upstream_metrics.ts";
import type { UpstreamChange } from "./upstream_change.ts";
import type { AdminState, UpstreamState } from "./upstream_state.ts";

const { attempts, ejections, failures, headSeconds, statuses } = UPSTREAM_METRICS.metrics;

/** One server of a pool, with its connections and its state. Owned by its generation; the cells may outlive it. */
export class Upstream {
  /** Its name in its pool. */
  readonly id: string;
  /** Its `url`, for logs. */
  readonly url: string;
  /** Where it listens. */
  readonly endpoint: Endpoint;
  /** Most attempts at a time; 0 for no limit. */
  readonly maxConnections: number;
  /** Whether it serves only when no other can. */
  readonly backup: boolean;
  /** Its connections. */
  readonly connections: ConnectionPool;
  /** Where its attempts are counted; undefined where no metrics are kept. */
  readonly metrics: UpstreamMetrics | undefined;
  /** Called when an attempt ended, so that one that waits for room can go on. */
  onReleased: (() => void) | undefined;
  /** Called when it was ejected or returned, and when its breaker changed. */
  onChange: ((change: UpstreamChange) => void) | undefined;
  /** Asked before it is ejected: whether its pool can spare it. */
  mayEject: (strike: FailureClass) => boolean = () => true;
  readonly #row: UpstreamRow;
  readonly #cells: Int32Array;
  readonly #weight: number;
  readonly #passive: PassiveHealth | undefined;
  readonly #breaker: CircuitBreaker | undefined;
  readonly #slowStartMs: number;
  readonly #worker: WorkerPlace;
  /** Flags that no rule of this generation would ever clear. */
  #stale = 0;
  /** Where this worker's own counts are, or 0 when it is the only one. */
  readonly #own: number;

  /** Makes an upstream; it dials when it is first needed. */
  constructor(options: UpstreamOptions) {
    this.id = options.id ?? options.url;
    this.url = options.url;
    this.endpoint = options.endpoint;
    this.maxConnections = options.maxConnections;
    this.backup = options.backup === true;
    this.connections = new ConnectionPool(options.endpoint, options, options.clock);
    this.metrics = options.metrics;
    this.#weight = options.weight;
    this.#worker = options.worker ?? ONLY_WORKER;
    this.#row = rowOf((options.takeCells ?? localCells)(upstreamCellCount(this.#worker.count)));
    this.#cells = this.#row.cells;
    this.#own = this.#worker.count > 1 ? OWN + OWN_CELLS * this.#worker.index : 0;
    this.#slowStartMs = options.slowStartMs ?? 0;
    if (options.passiveHealth !== undefined) this.#passive = new PassiveHealth(this.#row, options.passiveHealth);
    if (options.circuitBreaker !== undefined) this.#breaker = new CircuitBreaker(this.#row, options.circuitBreaker);
    this.#begin(options.probedFirst);
  }

  /** Share of the load: the config's, or an operator's. */
  get weight(): number {
    return Atomics.load(this.#cells, WEIGHT) || this.#weight;
  }

  /** Share of the load that the config gives it. */
  get configWeight(): number {
    return this.#weight;
  }

  /** Attempts under way, in all workers. */
  get inFlight(): number {
    return Atomics.load(this.#cells, IN_FLIGHT);
  }

  /** Peak EWMA of the time to an answer's head, in milliseconds; 0 before the first. */
  get latencyMs(): number {
    return latencyMs(this.#row);
  }

  /** Whether it has no room for another attempt. */
  get full(): boolean {
    return this.maxConnections > 0 && this.inFlight >= this.maxConnections;
  }

  /** Whether it can take an attempt now: healthy, not full, breaker closed. */
  get available(): boolean {
    const flags = Atomics.load(this.#cells, FLAGS);
    return ((flags & UNAVAILABLE) === 0 || this.#reconsider()) && !this.full;
  }

  /** Whether it may be tried as the last resort, when no upstream is available: it was ejected, and nothing else. */
  get lastResort(): boolean {
    const flags = Atomics.load(this.#cells, FLAGS) & UNAVAILABLE;
    return flags !== 0 && (flags & ~(Flag.ejected | Flag.onTrial)) === 0 && !this.full;
  }

  /** Whether it may be tried in a panic, when no upstream is healthy: no operator took it out, and it has room. */
  get usableInPanic(): boolean {
    return (Atomics.load(this.#cells, FLAGS) & (Flag.draining | Flag.maintenance)) === 0 && !this.full;
  }

  /** Whether its failures have ejected it. */
  get ejected(): boolean {
    return (Atomics.load(this.#cells, FLAGS) & Flag.ejected) !== 0;
  }

  /** Whether it would be available if it had room. */
  get sound(): boolean {
    return (Atomics.load(this.#cells, FLAGS) & UNAVAILABLE) === 0 || this.#reconsider();
  }

  /** Share of its turns that it takes now: less than 1 while it comes back. */
  get share(): number {
    if ((Atomics.load(this.#cells, FLAGS) & Flag.rising) === 0) return 1;
    return risenShare(this.#row, this.#slowStartMs, sharedTime.nowMs);
  }

  /** Its state. */
  get state(): UpstreamState {
    return this.facts.state;
  }

  /** What is known of it, fact by fact, all read at once. */
  get facts(): UpstreamFacts {
    const nowMs = sharedTime.refresh();
    // Whoever asks finds out that an ejection, or an open breaker's time, is over.
    if ((Atomics.load(this.#cells, FLAGS) & UNAVAILABLE) !== 0) this.#reconsider();
    return readFacts(this.#row, this.#slowStartMs, nowMs);
  }

  /** Milliseconds until an ejection or an open breaker is over; 0 when there is neither. */
  get unavailableForMs(): number {
    const flags = Atomics.load(this.#cells, FLAGS);
    const until = (flags & Flag.ejected) !== 0 ? EJECTED_UNTIL : (flags & Flag.open) !== 0 ? OPEN_UNTIL : undefined;
    if (until === undefined) return 0;
    return Math.max(0, this.#row.times[until] - sharedTime.refresh());
  }

  /** Counts an attempt in, until the slot is released; undefined when another worker took the last place meanwhile. */
  acquire(): Slot | undefined {
    const cells = this.#cells;
    const taken = Atomics.add(cells, IN_FLIGHT, 1);
    const flags = Atomics.load(cells, FLAGS);
    const trial = (flags & (Flag.halfOpen | Flag.onTrial)) !== 0;
    const full = this.maxConnections > 0 && taken >= this.maxConnections;
    if (full || (trial && Atomics.add(cells, TRIALS, 1) >= this.#trialLimit(flags))) {
      if (trial && !full) Atomics.sub(cells, TRIALS, 1);
      Atomics.sub(cells, IN_FLIGHT, 1);
      return undefined;
    }
    return this.#slot(trial);
  }

  /** Counts an attempt in whatever its condition, as when all are out of use and one must be tried. */
  acquireAnyway(): Slot {
    Atomics.add(this.#cells, IN_FLIGHT, 1);
    return this.#slot(false, true);
  }

  /** Gives an attempt's place back; called by its slot, once. */
  release(): void {
    Atomics.sub(this.#cells, IN_FLIGHT, 1);
    if (this.#own !== 0) Atomics.sub(this.#cells, this.#own, 1);
    this.onReleased?.();
  }

  /** Gives the place of a trial back; called by its slot, once. */
  endTrial(): void {
    Atomics.sub(this.#cells, TRIALS, 1);
    if (this.#own !== 0) Atomics.sub(this.#cells, this.#own + 1, 1);
  }

  /**
   * An attempt got an answer; what its status and the time that it took say of the upstream.
   *
   * @param how Whether it was tried although it was out of use, and whether it was a trial, which alone decides the fate
   * of an upstream on trial, or of a half-open breaker; and whether the time says nothing.
   */
  answered(status: number, tookMs: number, { anyway = false, trial = true, untimed = false } = {}): void {
    const latencyMs = untimed ? 0 : tookMs;
    if (!untimed) observeLatency(this.#row, tookMs);
    this.#countResponse(status, tookMs);
    const strike = this.#passive?.failureClassOf(status, latencyMs);
    if (this.#breaker !== undefined) {
      // Slowness has a rule of its own in the breaker, which also works where failures eject nobody.
      const failed = this.#passive === undefined ? within(status, FAILURE_STATUSES) : strike === "status";
      this.#tell(this.#breaker.record(failed, latencyMs, trial));
    }
    if (strike !== undefined) return this.#strike(strike, trial);
    if (this.#passive?.succeeded() || (anyway && this.#passive?.restore())) this.onChange?.({ kind: "returned" });
  }

  /** An attempt failed in a way that counts against the upstream. */
  failed(strike: FailureClass, trial = true): void {
    if (this.#breaker !== undefined) this.#tell(this.#breaker.record(true, 0, trial));
    this.#strike(strike, trial);
  }

  /**
   * Probes have found it well or not. Probes that find it well again also end an ejection for being out of reach.
   *
   * @returns Whether this changed anything.
   */
  probed(healthy: boolean): boolean {
    if (!healthy) return changeFlags(this.#cells, { set: Flag.probedDown, clear: Flag.rising });
    if (this.#passive !== undefined && PROBE_TELLS.includes(this.#passive.ejectedBy) && this.#passive.restore()) {
      this.onChange?.({ kind: "returned" });
    }
    return this.#riseFrom(Flag.probedDown);
  }

  /** What an operator wants of it. */
  get adminState(): AdminState {
    const flags = Atomics.load(this.#cells, FLAGS);
    return (flags & Flag.maintenance) !== 0 ? "maintenance" : (flags & Flag.draining) !== 0 ? "draining" : "active";
  }

  /**
   * Takes it out of use, or back. Draining lets what it has go on, WebSockets included; so does maintenance, which in
   * addition ends probes' say in the matter.
   */
  setAdminState(state: AdminState): void {
    if (state === "active") {
      this.#riseFrom(Flag.draining | Flag.maintenance);
      return;
    }
    const other = state === "draining" ? Flag.maintenance : Flag.draining;
    changeFlags(this.#cells, { set: Flag[state], clear: other | Flag.rising });
  }

  /** Gives it another weight; 0 for the config's. The pool's policy must be told. */
  setWeight(weight: number): void {
    Atomics.store(this.#cells, WEIGHT, weight);
  }

  /** Begins its slow start, as for one that has just been found. */
  rise(): void {
    this.#row.times[RISEN_AT] = sharedTime.refresh();
    changeFlags(this.#cells, { set: Flag.rising });
  }

  // The cells may hold the state of an earlier generation: what no rule of this one would ever end is ended here.
  #begin(probedFirst: "healthy" | "unhealthy" | undefined): void {
    const first = changeFlags(this.#cells, { set: Flag.known });
    if (first && probedFirst === "unhealthy") changeFlags(this.#cells, { set: Flag.probedDown });
    if (probedFirst === undefined) this.#stale |= Flag.probedDown;
    if (this.#passive === undefined) this.#stale |= Flag.ejected | Flag.onTrial;
    if (this.#breaker === undefined) this.#stale |= Flag.open | Flag.halfOpen;
    changeFlags(this.#cells, { clear: this.#stale });
  }

  #slot(trial: boolean, anyway = false): Slot {
    if (this.#own !== 0) {
      Atomics.add(this.#cells, this.#own, 1);
      if (trial) Atomics.add(this.#cells, this.#own + 1, 1);
    }
    this.metrics?.add(attempts);
    return new Slot(this, trial, anyway);
  }

  // Whoever asks finds out that a time is over: no timer, and no worker whose end could leave an upstream barred for ever.
  #reconsider(): boolean {
    const cells = this.#cells;
    // What an earlier generation set since.
    changeFlags(cells, { from: this.#stale, clear: this.#stale });
    let flags = Atomics.load(cells, FLAGS);
    if ((flags & (Flag.draining | Flag.maintenance | Flag.probedDown)) !== 0) return false;
    const { nowMs } = sharedTime;
    if ((flags & Flag.ejected) !== 0 && this.#passive?.reconsider(nowMs) === false) return false;
    if ((flags & Flag.open) !== 0 && this.#breaker?.reconsider(nowMs) === false) return false;
    flags = Atomics.load(cells, FLAGS);
    if ((flags & (Flag.halfOpen | Flag.onTrial)) === 0) return (flags & UNAVAILABLE) === 0;
    return Atomics.load(cells, TRIALS) < this.#trialLimit(flags);
  }

  #trialLimit(flags: number): number {
    return (flags & Flag.onTrial) !== 0 ? 1 : this.#breaker?.trialRequests ?? 1;
  }

  #strike(strike: FailureClass, trial: boolean): void {
    this.metrics?.add(failures, 1, FAILURE_CLASSES.indexOf(strike));
    if (this.#passive?.failed(strike, this.mayEject, trial)) {
      this.metrics?.add(ejections);
      this.onChange?.({ kind: "ejected", strike, forMs: this.unavailableForMs });
    }
  }

  #countResponse(status: number, tookMs: number): void {
    const { metrics } = this;
    if (metrics === undefined) return;
    metrics.add(statuses, 1, statusClassIndex(status));
    metrics.observe(headSeconds, tookMs / 1000);
  }

  #tell(change: BreakerChange): void {
    if (change !== undefined) this.onChange?.({ kind: "breaker", change });
  }

  #riseFrom(flags: number): boolean {
    if ((Atomics.load(this.#cells, FLAGS) & flags) === 0) return false;
    this.#row.times[RISEN_AT] = sharedTime.refresh();
    return changeFlags(this.#cells, { clear: flags, set: Flag.rising });
  }
}

/** What a good probe disproves. An upstream that answers badly may answer its probes well all the same. */
const PROBE_TELLS: readonly FailureClass[] = ["unreachable", "timeout", "broken"];
