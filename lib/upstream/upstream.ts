/**
 * An upstream: one server of a pool, and the slots that attempts hold.
 *
 * @module
 */

import type { TransportFailure } from "../failure/failure.ts";
import { statusClassIndex } from "../metrics/status_class.ts";
import type { Endpoint } from "../sockets/endpoint.ts";
import type { CoarseClock } from "../state/coarse_clock.ts";
import { addToField, fieldAt, localFields, type TakeFields } from "../state/shared_state.ts";
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
  /** Name, stable and unique in the pool; without it, the `url`. */
  readonly id?: string;
  /** `url` as in the config, for logs. */
  readonly url: string;
  /** Where it listens. */
  readonly endpoint: Endpoint;
  /** Share of the load, 1 or more. */
  readonly weight: number;
  /** Most attempts at a time; 0 for no limit. */
  readonly maxConnections: number;
  /** The clock of its deadlines. */
  readonly clock: CoarseClock;
  /**
   * Whether it is used only when no primary upstream is available.
   *
   * @default {false}
   */
  readonly backup?: boolean;
  /**
   * Allots the fields of its state.
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
  /** Name, unique in the pool. */
  readonly id: string;
  /** `url` as in the config, for logs. */
  readonly url: string;
  /** Where it listens. */
  readonly endpoint: Endpoint;
  /** Most attempts at a time; 0 for no limit. */
  readonly maxConnections: number;
  /** Whether it is used only when no primary upstream is available. */
  readonly backup: boolean;
  readonly connections: ConnectionPool;
  /** Whether it may get attempts, and why not. */
  readonly condition: UpstreamCondition;
  /** undefined where no metrics are kept. */
  readonly metrics: UpstreamMetrics | undefined;
  /** Called when a slot is released, so that a queued exchange can use it. */
  onReleased: (() => void) | undefined;
  readonly #memory: UpstreamMemory;
  readonly #fields: Int32Array;
  readonly #shared: boolean;
  readonly #weight: number;
  /** Index of this worker's own counts; 0 when it is the only worker. */
  readonly #own: number;

  /** Makes an upstream; the first attempt opens the first connection. */
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
    this.#shared = this.#memory.shared;
    this.#own = ownCountsAt(worker);
    this.condition = new UpstreamCondition(this.#memory, options);
  }

  /** Weight from the config, or from an operator. */
  get weight(): number {
    return Atomics.load(this.#fields, WEIGHT) || this.#weight;
  }

  /** Weight from the config. */
  get configWeight(): number {
    return this.#weight;
  }

  /** Sets the weight; 0 for the config's. `Pool.update` must follow. */
  setWeight(weight: number): void {
    Atomics.store(this.#fields, WEIGHT, weight);
  }

  /** Attempts in flight, in all workers. */
  get inFlight(): number {
    return fieldAt(this.#fields, IN_FLIGHT, this.#shared);
  }

  /** Peak EWMA of the time to a response's head, in milliseconds; 0 before the first. */
  get latencyMs(): number {
    return latencyMs(this.#memory);
  }

  /** Whether `maxConnections` attempts are in flight. */
  get full(): boolean {
    return this.maxConnections > 0 && this.inFlight >= this.maxConnections;
  }

  /** Whether it can take an attempt now: healthy, not full, breaker closed. */
  get available(): boolean {
    return this.condition.healthy && !this.full;
  }

  get state(): UpstreamState {
    return this.condition.state;
  }

  /** A slot for an attempt; undefined when another worker took the last one in the meantime. */
  acquire(): Slot | undefined {
    const taken = addToField(this.#fields, IN_FLIGHT, 1, this.#shared);
    const full = this.maxConnections > 0 && taken >= this.maxConnections;
    const trial = full ? undefined : this.condition.beginTrial();
    if (trial !== undefined) return this.#slot(trial, false);
    addToField(this.#fields, IN_FLIGHT, -1, this.#shared);
    return undefined;
  }

  /** A slot whatever the condition, for the case that all upstreams are unavailable and one must be tried. */
  acquireAnyway(): Slot {
    addToField(this.#fields, IN_FLIGHT, 1, this.#shared);
    return this.#slot(false, true);
  }

  /** Ends an attempt; called by its slot, once. */
  release(): void {
    addToField(this.#fields, IN_FLIGHT, -1, this.#shared);
    if (this.#own !== 0) Atomics.sub(this.#fields, this.#own, 1);
    this.onReleased?.();
  }

  /** Ends a trial; called by its slot, once. */
  endTrial(): void {
    Atomics.sub(this.#fields, TRIALS, 1);
    if (this.#own !== 0) Atomics.sub(this.#fields, this.#own + 1, 1);
  }

  /**
   * An attempt got a response.
   *
   * @param tookMs Time to the head of the response.
   * @param untimed Whether that time is not a latency, as in a long poll.
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
   * @param trial Whether the attempt was a trial, which decides whether the upstream becomes available again.
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

/** What kind of attempt holds a slot. */
interface SlotKind {
  /** Whether it is a trial, which decides whether the upstream becomes available again. */
  readonly trial: boolean;
  /** Whether it was made although the upstream was unavailable. */
  readonly anyway: boolean;
}

const TRIAL: SlotKind = { trial: true, anyway: false };

/**
 * Longest time that an attempt counts as the current trial, in milliseconds. An upstream that needs longer may be
 * healthy, as in a long poll: the next attempt decides.
 */
const TRIAL_MS = 5000;

/** One attempt in the in-flight count of its upstream. Released once; further calls have no effect. */
export class Slot implements SlotKind {
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
   * @param untimed Whether the time is not a latency, as in a long poll.
   */
  responded(status: number, tookMs: number, untimed = false): void {
    this.upstream.responded(status, tookMs, untimed, this);
    // The head decides the trial. A client that reads the body slowly must not delay the next trial.
    this.endTrial();
  }

  /**
   * Allows another attempt to be the trial, as when this one waits for its client. Its outcome still counts as that of
   * a trial.
   */
  endTrial(): void {
    if (!this.#inTrial) return;
    this.#inTrial = false;
    clearTimeout(this.#trialTimer);
    this.upstream.endTrial();
  }

  /**
   * The attempt failed; the failure counts against the upstream if the upstream caused it.
   *
   * @param reused Whether the connection was used before.
   */
  failed(failure: TransportFailure, reused: boolean): void {
    const failureClass = failureClassOf(failure, reused);
    if (failureClass !== undefined) this.upstream.failed(failureClass, this.trial);
  }

  /** Releases the slot. */
  release(): void {
    if (!this.#held) return;
    this.#held = false;
    this.endTrial();
    this.upstream.release();
  }

  /** Releases the slot. */
  [Symbol.dispose](): void {
    this.release();
  }
}
