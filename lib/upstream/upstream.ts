/**
 * One server behind the proxy, and the slots that attempts hold at it.
 *
 * @module
 */

import type { TransportFailure } from "../failure/failure.ts";
import { statusClassIndex } from "../metrics/status_class.ts";
import type { Endpoint } from "../sockets/endpoint.ts";
import type { CoarseClock } from "../state/coarse_clock.ts";
import { localFields, type TakeFields } from "../state/shared_state.ts";
import { ONLY_WORKER, type WorkerPlace } from "../state/worker_place.ts";
import { type ConditionOptions, UpstreamCondition } from "./condition/condition.ts";
import {
  IN_FLIGHT,
  memoryOf,
  ownCountsAt,
  TRIALS,
  upstreamFieldCount,
  type UpstreamMemory,
  WEIGHT,
} from "./condition/condition_fields.ts";
import type { UpstreamState } from "./condition/upstream_states.ts";
import { ConnectionPool, type ConnectionPoolOptions } from "./connection/connection_pool.ts";
import { FAILURE_CLASSES, type FailureClass, failureClassOf } from "./condition/failure_class.ts";
import { latencyMs, observeLatency } from "./latency.ts";
import { UPSTREAM_METRICS, type UpstreamMetrics } from "./upstream_metrics.ts";

const { attempts, ejections, failures, headSeconds, statuses } = UPSTREAM_METRICS.metrics;

/** What an upstream is made of. */
export interface UpstreamOptions extends ConnectionPoolOptions, ConditionOptions {
  /** Its name, stable and unique in its pool; without it, its `url`. */
  readonly id?: string;
  /** Its `url`, as the config has it, for logs. */
  readonly url: string;
  /** Where it listens. */
  readonly endpoint: Endpoint;
  /** Share of the load, 1 or more. */
  readonly weight: number;
  /** Most attempts at a time; 0 for no limit. */
  readonly maxConnections: number;
  /** The clock that its deadlines go by. */
  readonly clock: CoarseClock;
  /**
   * Whether it serves only when no other can.
   *
   * @default {false}
   */
  readonly backup?: boolean;
  /**
   * Where its state lives.
   *
   * @default {localFields}
   */
  readonly takeFields?: TakeFields;
  /**
   * This worker among those that share the fields.
   *
   * @default {{ index: 0, count: 1 }}
   */
  readonly worker?: WorkerPlace;
}

/** One server of a pool, with its connections and its condition. Owned by its generation; its fields may outlive it. */
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
  /** Whether it may be given attempts, and why not. */
  readonly condition: UpstreamCondition;
  /** Where its attempts are counted; undefined where no metrics are kept. */
  readonly metrics: UpstreamMetrics | undefined;
  /** Called when an attempt ended, so that one that waits for room can go on. */
  onReleased: (() => void) | undefined;
  readonly #memory: UpstreamMemory;
  readonly #fields: Int32Array;
  readonly #weight: number;
  /** Where this worker's own counts are, or 0 when it is the only one. */
  readonly #own: number;

  /** Makes an upstream; it dials when it is first needed. */
  constructor(options: UpstreamOptions) {
    const { worker = ONLY_WORKER, takeFields = localFields } = options;
    this.id = options.id ?? options.url;
    this.url = options.url;
    this.endpoint = options.endpoint;
    this.maxConnections = options.maxConnections;
    this.backup = options.backup === true;
    this.connections = new ConnectionPool(options.endpoint, options, options.clock);
    this.metrics = options.metrics;
    this.#weight = options.weight;
    this.#memory = memoryOf(takeFields(upstreamFieldCount(worker.count)));
    this.#fields = this.#memory.fields;
    this.#own = ownCountsAt(worker);
    this.condition = new UpstreamCondition(this.#memory, options);
  }

  /** Share of the load: the config's, or an operator's. */
  get weight(): number {
    return Atomics.load(this.#fields, WEIGHT) || this.#weight;
  }

  /** Share of the load that the config gives it. */
  get configWeight(): number {
    return this.#weight;
  }

  /** Gives it another weight; 0 for the config's. The pool's policy must be told. */
  setWeight(weight: number): void {
    Atomics.store(this.#fields, WEIGHT, weight);
  }

  /** Attempts under way, in all workers. */
  get inFlight(): number {
    return Atomics.load(this.#fields, IN_FLIGHT);
  }

  /** Peak EWMA of the time to a response's head, in milliseconds; 0 before the first. */
  get latencyMs(): number {
    return latencyMs(this.#memory);
  }

  /** Whether it has no room for another attempt. */
  get full(): boolean {
    return this.maxConnections > 0 && this.inFlight >= this.maxConnections;
  }

  /** Whether it can take an attempt now: healthy, not full, breaker closed. */
  get available(): boolean {
    return this.condition.healthy && !this.full;
  }

  /** Its state. */
  get state(): UpstreamState {
    return this.condition.state;
  }

  /** Counts an attempt in, until the slot is released; undefined when another worker took the last place meanwhile. */
  acquire(): Slot | undefined {
    const taken = Atomics.add(this.#fields, IN_FLIGHT, 1);
    const full = this.maxConnections > 0 && taken >= this.maxConnections;
    const trial = full ? undefined : this.condition.beginTrial();
    if (trial !== undefined) return this.#slot(trial, false);
    Atomics.sub(this.#fields, IN_FLIGHT, 1);
    return undefined;
  }

  /** Counts an attempt in whatever its condition, as when all are unavailable and one must be tried. */
  acquireAnyway(): Slot {
    Atomics.add(this.#fields, IN_FLIGHT, 1);
    return this.#slot(false, true);
  }

  /** Counts an attempt out; called by its slot, once. */
  release(): void {
    Atomics.sub(this.#fields, IN_FLIGHT, 1);
    if (this.#own !== 0) Atomics.sub(this.#fields, this.#own, 1);
    this.onReleased?.();
  }

  /** Counts a trial out; called by its slot, once. */
  endTrial(): void {
    Atomics.sub(this.#fields, TRIALS, 1);
    if (this.#own !== 0) Atomics.sub(this.#fields, this.#own + 1, 1);
  }

  /**
   * An attempt got a response.
   *
   * @param tookMs Time to its head.
   * @param untimed Whether that time says nothing of the upstream, as in a long poll.
   * @param how The slot of the attempt.
   */
  responded(status: number, tookMs: number, untimed = false, how: SlotKind = TRIAL): void {
    if (!untimed) observeLatency(this.#memory, tookMs);
    const { metrics } = this;
    if (metrics !== undefined) {
      metrics.add(statuses, 1, statusClassIndex(status));
      metrics.observe(headSeconds, tookMs / 1000);
    }
    const latencyMs = untimed ? 0 : tookMs;
    const failure = this.condition.failureOf(status, latencyMs);
    if (failure !== undefined) this.#countFailure(failure);
    if (this.condition.responded(failure, status, latencyMs, how)) metrics?.add(ejections);
  }

  /**
   * An attempt failed in a way that counts against the upstream.
   *
   * @param trial Whether it was one that decides whether the upstream may serve again.
   */
  failed(failure: FailureClass, trial = true): void {
    this.#countFailure(failure);
    if (this.condition.failed(failure, trial)) this.metrics?.add(ejections);
  }

  #slot(trial: boolean, anyway: boolean): Slot {
    if (this.#own !== 0) {
      Atomics.add(this.#fields, this.#own, 1);
      if (trial) Atomics.add(this.#fields, this.#own + 1, 1);
    }
    this.metrics?.add(attempts);
    return new Slot(this, trial, anyway);
  }

  #countFailure(failure: FailureClass): void {
    this.metrics?.add(failures, 1, FAILURE_CLASSES.indexOf(failure));
  }
}

/** What an attempt says of its upstream. */
interface SlotKind {
  /** Whether it decides whether the upstream may serve again. */
  readonly trial: boolean;
  /** Whether it was made although the upstream was unavailable. */
  readonly anyway: boolean;
}

const TRIAL: SlotKind = { trial: true, anyway: false };

/**
 * Longest time that an attempt holds a place for a trial, in milliseconds. An upstream that needs longer may be well, as in a
 * long poll: the next attempt is to find out.
 */
const TRIAL_MS = 5000;

/** An attempt's place in the in-flight count of its upstream, released once, however often that is asked for. */
export class Slot implements SlotKind {
  /** The upstream. */
  readonly upstream: Upstream;
  readonly trial: boolean;
  readonly anyway: boolean;
  #held = true;
  #inTrial: boolean;
  #trialTimer: ReturnType<typeof setTimeout> | undefined;

  /** Made by {@linkcode Upstream.acquire}. */
  constructor(upstream: Upstream, trial: boolean, anyway: boolean) {
    this.upstream = upstream;
    this.trial = trial;
    this.anyway = anyway;
    this.#inTrial = trial;
    if (!trial) return;
    this.#trialTimer = setTimeout(() => this.endTrial(), TRIAL_MS);
    Deno.unrefTimer(this.#trialTimer as unknown as number);
  }

  /**
   * The upstream responded with `status`, `tookMs` after the attempt began.
   *
   * @param untimed Whether the time says nothing of the upstream, as in a long poll.
   */
  responded(status: number, tookMs: number, untimed = false): void {
    this.upstream.responded(status, tookMs, untimed, this);
    // The head has decided. How long the client takes for the body must keep no other attempt waiting.
    this.endTrial();
  }

  /**
   * Lets another attempt be the trial, as when this one waits for its client. What comes of it counts as a trial's outcome
   * all the same.
   */
  endTrial(): void {
    if (!this.#inTrial) return;
    this.#inTrial = false;
    clearTimeout(this.#trialTimer);
    this.upstream.endTrial();
  }

  /**
   * The attempt failed; it counts against the upstream if it is its fault.
   *
   * @param reused Whether the connection had served before.
   */
  failed(failure: TransportFailure, reused: boolean): void {
    const failureClass = failureClassOf(failure, reused);
    if (failureClass !== undefined) this.upstream.failed(failureClass, this.trial);
  }

  /** Releases the place. */
  release(): void {
    if (!this.#held) return;
    this.#held = false;
    this.endTrial();
    this.upstream.release();
  }

  /** Releases the place. */
  [Symbol.dispose](): void {
    this.release();
  }
}
