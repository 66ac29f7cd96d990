/**
 * One server behind the proxy.
 *
 * @module
 */

import { localCells, type TakeCells } from "../state/cells.ts";
import type { CoarseClock } from "../state/coarse_clock.ts";
import { ConnectionPool, type ConnectionPoolOptions } from "../transport/connection_pool.ts";
import type { Endpoint } from "../transport/endpoint.ts";

/** What an upstream is made of. */
export interface UpstreamOptions extends ConnectionPoolOptions {
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
   * Where its counts live.
   *
   * @default {localCells}
   */
  readonly takeCells?: TakeCells;
}

/** One server of a pool, with its connections and its count of attempts in flight. Owned by its generation. */
export class Upstream {
  /** Its `url`, for logs. */
  readonly url: string;
  /** Where it listens. */
  readonly endpoint: Endpoint;
  /** Share of the load. */
  readonly weight: number;
  /** Most attempts at a time; 0 for no limit. */
  readonly maxConnections: number;
  /** Its connections. */
  readonly connections: ConnectionPool;
  /** Called when an attempt ended, so that one that waits for room can go on. */
  onReleased: (() => void) | undefined;
  readonly #inFlight: Int32Array;

  /** Makes an upstream; it dials when it is first needed. */
  constructor(options: UpstreamOptions) {
    this.url = options.url;
    this.endpoint = options.endpoint;
    this.weight = options.weight;
    this.maxConnections = options.maxConnections;
    this.connections = new ConnectionPool(options.endpoint, options, options.clock);
    this.#inFlight = (options.takeCells ?? localCells)(1);
  }

  /** Attempts under way. */
  get inFlight(): number {
    return Atomics.load(this.#inFlight, 0);
  }

  /** Whether it has no room for another attempt. */
  get full(): boolean {
    return this.maxConnections > 0 && this.inFlight >= this.maxConnections;
  }

  /** Whether it can take an attempt now. */
  get available(): boolean {
    return !this.full;
  }

  /** Counts an attempt in, until the slot is released. */
  acquire(): Slot {
    Atomics.add(this.#inFlight, 0, 1);
    return new Slot(this, this.#inFlight);
  }
}

/** An attempt's place in the in-flight count of its upstream; given back once, however often it is released. */
export class Slot {
  readonly #upstream: Upstream;
  readonly #inFlight: Int32Array;
  #held = true;

  /** Made by {@linkcode Upstream.acquire}. */
  constructor(upstream: Upstream, inFlight: Int32Array) {
    this.#upstream = upstream;
    this.#inFlight = inFlight;
  }

  /** Gives the place back. */
  release(): void {
    if (!this.#held) return;
    this.#held = false;
    Atomics.sub(this.#inFlight, 0, 1);
    this.#upstream.onReleased?.();
  }

  /** Gives the place back. */
  [Symbol.dispose](): void {
    this.release();
  }
}
