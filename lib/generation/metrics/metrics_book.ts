/**
 * Where all figures are found by the names of what they belong to. Whoever asks for a name again gets the same figures,
 * so counts outlive a reload; workers that ask for the same names share them.
 *
 * @module
 */

import type { Numbers, TakeNumbers } from "../../metrics/numbers.ts";
import { WorkerFigures } from "../../metrics/worker_figures.ts";
import { PoolMetrics } from "./pool_metrics.ts";
import { RouteMetrics } from "./route_metrics.ts";
import { UpstreamMetrics } from "./upstream_metrics.ts";

/** All figures of this worker's runtime, which owns it. */
export class MetricsRegistry {
  /** Of requests that were refused before they belonged to a site. */
  readonly refused: RouteMetrics;
  readonly #take: TakeNumbers;
  readonly #routes = new Map<string, RouteMetrics>();
  readonly #pools = new Map<string, PoolMetrics>();
  readonly #upstreams = new Map<string, UpstreamMetrics>();
  #worker: WorkerFigures | undefined;
  #workerNumbers: Numbers | undefined;

  /** @param take Where they are counted. */
  constructor(take: TakeNumbers) {
    this.#take = take;
    this.refused = this.route("", "");
  }

  /** Of a route, or of what no route of a site took, with the path "". */
  route(site: string, path: string): RouteMetrics {
    return found(this.#routes, JSON.stringify([site, path]), () => new RouteMetrics(this.#take, site, path));
  }

  /** Of a pool. */
  pool(site: string, pool: string): PoolMetrics {
    return found(this.#pools, JSON.stringify([site, pool]), (name) => new PoolMetrics(this.#take, name));
  }

  /** Of an upstream, by its `id`. */
  upstream(site: string, pool: string, id: string): UpstreamMetrics {
    return found(this.#upstreams, JSON.stringify([site, pool, id]), (name) => new UpstreamMetrics(this.#take, name));
  }

  /** Heap and lateness of the workers. This one's are published from now on. */
  get worker(): WorkerFigures {
    return this.#worker ??= new WorkerFigures((count, name) => this.#workerNumbers = this.#take(count, name));
  }

  /** Exchanges under way in a worker, those of routes that the config has no more among them. */
  inFlightIn(worker: number): number {
    let sum = 0;
    for (const route of this.#routes.values()) sum += route.inFlightIn(worker);
    return sum;
  }

  /** Takes back what a worker that is gone had in flight, open or waiting. What it counted for good stays. */
  takeBack(worker: number): void {
    for (const figures of [this.#routes, this.#pools, this.#upstreams]) {
      for (const one of figures.values()) one.takeBack(worker);
    }
    this.#workerNumbers?.all[worker].fill(0);
  }

  /** Ends its timer. */
  close(): void {
    this.#worker?.[Symbol.dispose]();
    this.#worker = undefined;
  }
}

function found<T>(known: Map<string, T>, name: string, make: (name: string) => T): T {
  let one = known.get(name);
  if (one === undefined) known.set(name, one = make(name));
  return one;
}
