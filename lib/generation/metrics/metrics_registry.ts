/**
 * Where all metrics are found by the names of what they belong to. Whoever asks for a name again gets the same metrics, so
 * counts outlive a reload; workers that ask for the same names share them.
 *
 * @module
 */

import { RouteMetrics } from "../../exchange/route_metrics.ts";
import type { TakeMetricFields } from "../../metrics/metric_fields.ts";
import { WorkerMetrics } from "../../metrics/worker_metrics.ts";
import {
  POOL_METRICS,
  type PoolMetrics,
  UPSTREAM_METRICS,
  type UpstreamMetrics,
} from "../../upstream/upstream_metrics.ts";

/** All metrics that this worker counts. Owned by the state of the process. */
export class MetricsRegistry {
  /** Of requests that were refused before they belonged to a site. */
  readonly refused: RouteMetrics;
  readonly #take: TakeMetricFields;
  readonly #routes = new Map<string, RouteMetrics>();
  readonly #pools = new Map<string, PoolMetrics>();
  readonly #upstreams = new Map<string, UpstreamMetrics>();
  #worker: WorkerMetrics | undefined;

  /** @param take Allots their fields. */
  constructor(take: TakeMetricFields) {
    this.#take = take;
    this.refused = this.route("", "");
  }

  /** Of a route, or of what no route of a site took, with the path "". */
  route(site: string, path: string): RouteMetrics {
    return found(this.#routes, [site, path], () => new RouteMetrics(this.#take, site, path));
  }

  /** Of a pool. */
  pool(site: string, pool: string): PoolMetrics {
    return found(this.#pools, [site, pool], (name) => POOL_METRICS.take(this.#take, `pool ${name}`));
  }

  /** Of an upstream, by its `id`. */
  upstream(site: string, pool: string, id: string): UpstreamMetrics {
    return found(this.#upstreams, [site, pool, id], (name) => UPSTREAM_METRICS.take(this.#take, `upstream ${name}`));
  }

  /** Heap and lateness of the workers. This one's are published from now on. */
  get worker(): WorkerMetrics {
    return this.#worker ??= new WorkerMetrics(this.#take);
  }

  /** Exchanges under way in a worker, those of routes that the config has no more among them. */
  inFlightIn(worker: number): number {
    let sum = 0;
    for (const route of this.#routes.values()) sum += route.inFlight(worker);
    return sum;
  }

  /** Sets to zero what a worker that is gone had in flight, open or waiting. Its counters stay. */
  clearWorker(worker: number): void {
    for (const { values } of this.#routes.values()) values.clearGauges(worker);
    for (const metrics of [this.#pools, this.#upstreams]) {
      for (const values of metrics.values()) values.clearGauges(worker);
    }
    this.#worker?.clear(worker);
  }

  /** Ends its timer. */
  close(): void {
    this.#worker?.[Symbol.dispose]();
    this.#worker = undefined;
  }
}

function found<T>(known: Map<string, T>, names: readonly string[], make: (name: string) => T): T {
  const name = JSON.stringify(names);
  let one = known.get(name);
  if (one === undefined) known.set(name, one = make(name));
  return one;
}
