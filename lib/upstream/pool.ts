/**
 * The upstreams of one name: who takes the next attempt, and what is done when none can.
 *
 * @module
 */

import type { CoarseClock } from "../state/coarse_clock.ts";
import { sharedTime } from "../state/shared_time.ts";
import type { Policy, PolicyRequest } from "./balancer/policy.ts";
import type { RetryBudget } from "./retry_budget.ts";
import type { FailureClass } from "./condition/failure_class.ts";
import type { Slot, Upstream } from "./upstream.ts";
import { type QueueBudget, RequestQueue } from "./request_queue.ts";
import { POOL_METRICS, type PoolMetrics } from "./upstream_metrics.ts";

const { waiting: waitingRequests } = POOL_METRICS.metrics;

/** What a pool is made of. */
export interface PoolOptions {
  /** Name that routes refer to. */
  readonly name: string;
  /** Its servers. */
  readonly upstreams: readonly Upstream[];
  /** Makes what chooses among those that are no backups, and, with another call, among the backups. */
  readonly createPolicy: (upstreams: readonly Upstream[], part: "primary" | "backup") => Policy<Upstream>;
  /** Most exchanges that wait for room at a time. */
  readonly queueSize: number;
  /** Longest wait, in milliseconds. */
  readonly queueTimeoutMs: number;
  /**
   * Share of its upstreams that may be ejected for what they answer, in percent; above 0, one may be in any case. One that
   * cannot be reached is ejected in any case: it serves no request.
   *
   * @default {50}
   */
  readonly maxEjectedPercent?: number;
  /**
   * Whether upstreams that are not healthy are tried when none is.
   *
   * @default {false}
   */
  readonly panics?: boolean;
  /**
   * Whether another upstream is dialled beside one that is silent. Not where a client belongs to one of them.
   *
   * @default {false}
   */
  readonly races?: boolean;
  /** Bounds retries; without one there is no bound. */
  readonly retryBudget?: RetryBudget;
  /** Looked at when other workers, or other generations, may make room here; without it, only this pool's own attempts do. */
  readonly clock?: CoarseClock;
  /**
   * Whether other workers take and make room at the same time.
   *
   * @default {false}
   */
  readonly shared?: boolean;
  /**
   * Where it is counted.
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

/** How often a pick is made again: when another worker took the place, or the turn of one that starts slowly is given away. */
const PICKS = 8;

/** Upstreams of one name. Owned by its generation. */
export class Pool {
  /** Name that routes refer to. */
  readonly name: string;
  /** Bounds retries. */
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
    this.#queue = new RequestQueue({ size: options.queueSize, timeoutMs: options.queueTimeoutMs });
    this.#random = options.random ?? Math.random;
    this.#primary = options.createPolicy(options.upstreams.filter((upstream) => !upstream.backup), "primary");
    this.#adopt(options.upstreams);
  }

  /** Its servers, backups included. */
  get upstreams(): readonly Upstream[] {
    return this.#upstreams;
  }

  /**
   * Replaces its servers. Those that are gone finish what they have; who made them closes them.
   *
   * Also to be called with the same ones when a weight has changed.
   */
  update(upstreams: readonly Upstream[]): void {
    this.#primary.update(upstreams.filter((upstream) => !upstream.backup));
    this.#adopt(upstreams);
    for (const upstream of upstreams) if (upstream.available) this.#queue.call(upstream);
  }

  /** A place at the upstream for the next attempt, or undefined when there is none. Never at one in `avoid`. */
  acquire(request: PolicyRequest, avoid?: readonly Upstream[]): Slot | undefined {
    // The time was taken when the exchange began; a later attempt takes it anew.
    if (avoid !== undefined) sharedTime.refresh();
    return this.#take(this.#primary, request, avoid) ??
      (this.#backup === undefined ? undefined : this.#take(this.#backup, request, avoid)) ??
      this.#takeLast(avoid);
  }

  /**
   * A place at another upstream than those in `avoid`, for a dial beside theirs. None that is unavailable is tried for that.
   */
  acquireAnother(request: PolicyRequest, avoid: readonly Upstream[]): Slot | undefined {
    sharedTime.refresh();
    return this.#take(this.#primary, request, avoid) ??
      (this.#backup === undefined ? undefined : this.#take(this.#backup, request, avoid));
  }

  /** Whether another upstream may be dialled beside one that is silent. */
  get races(): boolean {
    return this.#options.races === true && this.#upstreams.length > 1;
  }

  /** The Set-Cookie value that makes the client come back to `upstream`, if there is need of one. */
  affinity(request: PolicyRequest, upstream: Upstream): string | undefined {
    return (upstream.backup ? this.#backup : this.#primary)?.affinity?.(request, upstream);
  }

  /** Exchanges that wait for room. */
  get waitingCount(): number {
    return this.#queue.length;
  }

  /** Whether an upstream outside `avoid` lacks nothing but room: it will have some again, or has it just now. */
  busy(avoid: readonly Upstream[] | undefined): boolean {
    // Another worker may have made room since it was looked for. Whoever has been told that there was none waits all the
    // same, and is called on the next tick.
    const lacksRoom = (upstream: Upstream) =>
      upstream.full || (this.#options.shared === true && upstream.maxConnections > 0);
    return this.#upstreams.some((upstream) =>
      lacksRoom(upstream) && upstream.condition.healthy && !avoid?.includes(upstream)
    );
  }

  /**
   * Waits until some upstream has room.
   *
   * @param signal Ends the wait, as when the client has left.
   * @param avoid Upstreams whose room is of no use.
   * @param queueBudget Bounds all waits of the exchange together, whoever takes the room that it is called for.
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
      // Not before the request that waits is told of room, or another would take it meanwhile.
      waiting.then(() => metrics.change(waitingRequests, -1));
    }
    if (this.#queue.length === 1) this.#options.clock?.watch(this);
    return waiting;
  }

  /** Why no upstream is available, for the log: how many are in which state. */
  get shortage(): string {
    if (this.#upstreams.length === 0) return `pool ${this.name} has none`;
    const states = Map.groupBy(
      this.#upstreams,
      (upstream) => upstream.full && upstream.condition.healthy ? "full" : upstream.state.replaceAll("_", " "),
    );
    const told = [...states].map(([state, upstreams]) => `${upstreams.length} ${state}`).join(", ");
    const queued = this.#queue.length >= this.#options.queueSize ? "; the line is full" : "";
    return `pool ${this.name}: ${told}${queued}`;
  }

  /** Whole seconds after which it is worth while to ask again when nothing was available; 1 or more. */
  get retryAfterSeconds(): number {
    const waits = this.#upstreams.map((upstream) => upstream.condition.unavailableForMs).filter((ms) => ms > 0);
    return waits.length === 0 ? 1 : Math.max(1, Math.ceil(Math.min(...waits) / 1000));
  }

  /** Looks for room that other workers have made. */
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
      // A client that belongs to an upstream is not sent elsewhere because that one is still warming up.
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

  // Before the client is told of an error, an ejected upstream is tried: it may be back already, and when it is all that
  // there is, one failed request more does no harm.
  #takeLast(avoid: readonly Upstream[] | undefined): Slot | undefined {
    if (this.busy(avoid)) return undefined;
    const usable = this.#upstreams.filter((upstream) =>
      !upstream.full && !avoid?.includes(upstream) &&
      (upstream.condition.lastResort || (this.#options.panics === true && upstream.condition.usableInPanic))
    );
    if (usable.length === 0) return undefined;
    return usable[Math.floor(this.#random() * usable.length)].acquireAnyway();
  }

  #canSpare(failure: FailureClass): boolean {
    const count = this.#upstreams.length;
    if (count < 2) return false;
    if (failure === "unreachable") return true;
    const percent = this.#options.maxEjectedPercent ?? 50;
    if (percent === 0) return false;
    // One whose time is over is still marked where no request has come its way since.
    const ejected =
      this.#upstreams.filter((upstream) => upstream.condition.ejected && upstream.condition.unavailableForMs > 0)
        .length;
    return ejected < Math.max(1, Math.floor(count * percent / 100));
  }
}
