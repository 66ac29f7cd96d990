/**
 * A pool: the upstreams of one name, the choice of an upstream for an attempt, and the queue for when none has room.
 *
 * @module
 */

import type { CoarseClock } from "../state/coarse_clock.ts";
import { sharedTime } from "../state/shared_time.ts";
import type { Policy, PolicyRequest } from "./balancer/policy.ts";
import type { RetryBudget } from "./retry_budget.ts";
import type { FailureClass } from "./condition/failure_class.ts";
import type { Slot, Upstream } from "./upstream.ts";
import type { LoadBalancingConfig } from "./config/load_balancing_schema.ts";
import type { PassiveHealthConfig } from "./config/resilience_schema.ts";
import { type QueueBudget, type QueueConfig, RequestQueue } from "./request_queue.ts";
import { POOL_METRICS, type PoolMetrics } from "./upstream_metrics.ts";

const { waiting: waitingRequests } = POOL_METRICS.metrics;

/** What a pool is made of. */
export interface PoolOptions {
  /** Name that routes refer to. */
  readonly name: string;
  readonly upstreams: readonly Upstream[];
  /** Makes the policy of the primary upstreams, and, with a second call, that of the backups. */
  readonly createPolicy: (upstreams: readonly Upstream[], part: "primary" | "backup") => Policy<Upstream>;
  /** Limits the queue. */
  readonly connections: QueueConfig;
  /** Limits ejections. */
  readonly passiveHealth: Pick<PassiveHealthConfig, "max_ejected_percent">;
  /** Whether upstreams that are not healthy are used when none is. */
  readonly loadBalancing: Pick<LoadBalancingConfig, "when_all_unhealthy">;
  /**
   * Whether a second upstream is dialled while the first one is silent. Not with session affinity.
   *
   * @default {false}
   */
  readonly races?: boolean;
  /** Limits retries; undefined for no limit. */
  readonly retryBudget?: RetryBudget;
  /** Given where other workers or generations may release slots: the pool then checks for room on each tick. */
  readonly clock?: CoarseClock;
  /**
   * Whether other workers acquire and release slots at the same time.
   *
   * @default {false}
   */
  readonly shared?: boolean;
  /**
   * Metrics of the pool.
   *
   * @default {nowhere}
   */
  readonly metrics?: PoolMetrics | undefined;
  /**
   * Uniform random numbers in [0, 1).
   *
   * @default {Math.random}
   */
  readonly random?: () => number;
}

/** How often a pick is repeated: when another worker took the slot, or an upstream in slow start skips its turn. */
const PICKS = 8;

/** Upstreams of one name. Owned by its generation. */
export class Pool {
  /** Name that routes refer to. */
  readonly name: string;
  /** Limits retries; undefined for no limit. */
  readonly retryBudget: RetryBudget | undefined;
  readonly #options: PoolOptions;
  readonly #primary: Policy<Upstream>;
  readonly #queue: RequestQueue;
  readonly #random: () => number;
  #backup: Policy<Upstream> | undefined;
  #upstreams: readonly Upstream[] = [];

  /** Makes a pool and takes over its upstreams' `onReleased` and `mayEject`. */
  constructor(options: PoolOptions) {
    this.name = options.name;
    this.retryBudget = options.retryBudget;
    this.#options = options;
    this.#queue = new RequestQueue(options.connections);
    this.#random = options.random ?? Math.random;
    this.#primary = options.createPolicy(options.upstreams.filter((upstream) => !upstream.backup), "primary");
    this.#adopt(options.upstreams);
  }

  /** All upstreams, backups included. */
  get upstreams(): readonly Upstream[] {
    return this.#upstreams;
  }

  /**
   * Replaces the upstreams. Attempts at removed ones go on; their owner closes them.
   *
   * Also called with the same upstreams when a weight has changed.
   */
  update(upstreams: readonly Upstream[]): void {
    this.#primary.update(upstreams.filter((upstream) => !upstream.backup));
    this.#adopt(upstreams);
    for (const upstream of upstreams) if (upstream.available) this.#queue.call(upstream);
  }

  /** A slot for the next attempt; undefined when there is none. Never at an upstream in `avoid`. */
  acquire(request: PolicyRequest, avoid?: readonly Upstream[]): Slot | undefined {
    // The first attempt uses the time at which the exchange began; a later one takes the time again.
    if (avoid !== undefined) sharedTime.refresh();
    return this.#take(this.#primary, request, avoid) ??
      (this.#backup === undefined ? undefined : this.#take(this.#backup, request, avoid)) ??
      this.#takeLast(avoid);
  }

  /**
   * A slot at an upstream outside `avoid`, for a parallel dial. Unavailable upstreams are never used for that.
   */
  acquireAnother(request: PolicyRequest, avoid: readonly Upstream[]): Slot | undefined {
    sharedTime.refresh();
    return this.#take(this.#primary, request, avoid) ??
      (this.#backup === undefined ? undefined : this.#take(this.#backup, request, avoid));
  }

  /** Whether a second upstream may be dialled while the first one is silent. */
  get races(): boolean {
    return this.#options.races === true && this.#upstreams.length > 1;
  }

  /** The Set-Cookie value that binds the client to `upstream`; undefined when none is needed. */
  affinity(request: PolicyRequest, upstream: Upstream): string | undefined {
    return (upstream.backup ? this.#backup : this.#primary)?.affinity?.(request, upstream);
  }

  /** Number of queued exchanges. */
  get waitingCount(): number {
    return this.#queue.length;
  }

  /** Whether some upstream outside `avoid` is healthy but full, so that waiting in the queue makes sense. */
  busy(avoid: readonly Upstream[] | undefined): boolean {
    // Another worker may have released a slot since. The exchange is queued nevertheless and is woken on the next tick.
    const lacksRoom = (upstream: Upstream) =>
      upstream.full || (this.#options.shared === true && upstream.maxConnections > 0);
    return this.#upstreams.some((upstream) =>
      lacksRoom(upstream) && upstream.condition.healthy && !avoid?.includes(upstream)
    );
  }

  /**
   * Waits in the queue until an upstream has room.
   *
   * @param signal Ends the wait, as when the client has left.
   * @param avoid Upstreams that must not be used.
   * @param queueBudget Limits the sum of all waits of the exchange.
   * @returns Whether to try again: false when the queue or the wait was too long, or `signal` fired.
   */
  waitForRoom(
    signal: AbortSignal,
    avoid: readonly Upstream[] | undefined,
    queueBudget: QueueBudget = { waitedMs: 0 },
  ): Promise<boolean> {
    const waiting = this.#queue.wait(signal, avoid, queueBudget);
    const { metrics } = this.#options;
    if (metrics !== undefined) {
      metrics.change(waitingRequests, 1);
      // After the queued request was woken: otherwise another request could take the slot first.
      waiting.then(() => metrics.change(waitingRequests, -1));
    }
    if (this.#queue.length === 1) this.#options.clock?.watch(this);
    return waiting;
  }

  /** Why no upstream is available, for the log: the number of upstreams in each state. */
  get shortage(): string {
    if (this.#upstreams.length === 0) return `pool ${this.name} has none`;
    const states = Map.groupBy(
      this.#upstreams,
      (upstream) => upstream.full && upstream.condition.healthy ? "full" : upstream.state.replaceAll("_", " "),
    );
    const counts = [...states].map(([state, upstreams]) => `${upstreams.length} ${state}`).join(", ");
    const queued = this.#queue.full ? "; the queue is full" : "";
    return `pool ${this.name}: ${counts}${queued}`;
  }

  /** Value of Retry-After when no upstream is available, in whole seconds; 1 or more. */
  get retryAfterSeconds(): number {
    const waits = this.#upstreams.map((upstream) => upstream.condition.unavailableForMs).filter((ms) => ms > 0);
    return waits.length === 0 ? 1 : Math.max(1, Math.ceil(Math.min(...waits) / 1000));
  }

  /** Checks for slots that other workers have released. */
  tick(): void {
    for (const upstream of this.#upstreams) {
      const { maxConnections, inFlight } = upstream;
      for (
        let room = maxConnections - inFlight;
        room > 0 && upstream.condition.healthy && this.#queue.call(upstream);
        room--
      );
    }
    if (this.#queue.length === 0) this.#options.clock?.unwatch(this);
  }

  /** Closes idle connections; those in use close after their exchange. */
  close(): void {
    for (const upstream of this.#upstreams) upstream.connections.close();
  }

  #adopt(upstreams: readonly Upstream[]): void {
    this.#upstreams = [...upstreams];
    const backups = upstreams.filter((upstream) => upstream.backup);
    if (this.#backup !== undefined) this.#backup.update(backups);
    else if (backups.length > 0) this.#backup = this.#options.createPolicy(backups, "backup");
    for (const upstream of upstreams) {
      upstream.onReleased = () => {
        if (this.#queue.length > 0) this.#queue.call(upstream);
      };
      upstream.condition.mayEject = (failure) => this.#canSpare(failure);
    }
  }

  #take(policy: Policy<Upstream>, request: PolicyRequest, avoid: readonly Upstream[] | undefined): Slot | undefined {
    let starting: Upstream | undefined;
    for (let pick = 0; pick < PICKS; pick++) {
      const upstream = policy.pick(request, avoid);
      if (upstream === undefined) break;
      const share = upstream.condition.share;
      // A client with session affinity stays with its upstream during slow start.
      if (share === 1 || policy.affinity !== undefined || this.#random() < share) {
        const slot = upstream.acquire();
        if (slot !== undefined) return slot;
      } else {
        starting ??= upstream;
      }
      avoid = avoid === undefined ? [upstream] : [...avoid, upstream];
    }
    return starting?.acquire();
  }

  // An ejected upstream is tried before the client gets an error: it may have recovered, and otherwise the request
  // would fail anyway.
  #takeLast(avoid: readonly Upstream[] | undefined): Slot | undefined {
    if (this.busy(avoid)) return undefined;
    const panics = this.#options.loadBalancing.when_all_unhealthy === "try_anyway";
    const usable = this.#upstreams.filter((upstream) =>
      !upstream.full && !avoid?.includes(upstream) &&
      (upstream.condition.lastResort || (panics && upstream.condition.usableInPanic))
    );
    if (usable.length === 0) return undefined;
    return usable[Math.floor(this.#random() * usable.length)].acquireAnyway();
  }

  #canSpare(failure: FailureClass): boolean {
    const count = this.#upstreams.length;
    if (count < 2) return false;
    if (failure === "unreachable") return true;
    const percent = this.#options.passiveHealth.max_ejected_percent;
    if (percent === 0) return false;
    // An ejection whose time is over is still set if no request has checked it since.
    const ejected =
      this.#upstreams.filter((upstream) => upstream.condition.ejected && upstream.condition.unavailableForMs > 0)
        .length;
    // Above 0 %, one may always be ejected.
    return ejected < Math.max(1, Math.floor(count * percent / 100));
  }
}
