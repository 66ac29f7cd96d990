/**
 * What an upstream is made of.
 *
 * @module
 */

import type { TakeCells } from "../state/cells.ts";
import type { CoarseClock } from "../state/coarse_clock.ts";
import type { WorkerPlace } from "../state/worker_place.ts";
import type { ConnectionPoolOptions } from "./connection/connection_pool.ts";
import type { Endpoint } from "../sockets/endpoint.ts";
import type { CircuitBreakerOptions } from "./circuit_breaker.ts";
import type { PassiveHealthOptions } from "./passive_health.ts";

/** What an upstream is made of. */
export interface UpstreamOptions extends ConnectionPoolOptions {
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
  /** When its failures eject it; never without. */
  readonly passiveHealth?: PassiveHealthOptions;
  /** What is believed of it before its first probe; undefined when it is not probed. */
  readonly probedFirst?: "healthy" | "unhealthy";
  /** When its breaker trips; it has none without. */
  readonly circuitBreaker?: CircuitBreakerOptions;
  /**
   * How long it takes to its full share after it came back, in milliseconds; 0 for at once.
   *
   * @default {0}
   */
  readonly slowStartMs?: number;
  /**
   * Where its state lives.
   *
   * @default {localCells}
   */
  readonly takeCells?: TakeCells;
  /**
   * This worker among those that share the cells.
   *
   * @default {{ index: 0, count: 1 }}
   */
  readonly worker?: WorkerPlace;
}
