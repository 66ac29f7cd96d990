/**
 * All metrics, by the names of the routes, pools and upstreams that they belong to. The same names always have the same
 * metrics, so counts outlive a reload, and workers share them.
 *
 * @module
 */

import { RouteMetrics } from "../../exchange/route_metrics.ts";
import { LISTENER_METRICS, type ListenerMetrics } from "../../listener/own/listener_metrics.ts";
import { Labels } from "../../metrics/labels.ts";
import type { TakeMetricFields } from "../../metrics/metric_fields.ts";
import type { MetricDeclarations, MetricSet, SnapshotOf } from "../../metrics/metric_set.ts";
import type { MetricValues } from "../../metrics/metric_values.ts";
import { WorkerMetrics } from "../../metrics/worker_metrics.ts";
import {
  POOL_METRICS,
  type PoolMetrics,
  UPSTREAM_METRICS,
  type UpstreamMetrics,
} from "../../upstream/upstream_metrics.ts";

/** The metrics of a feature for the table of a site or of a route. */
export interface FeatureTableMetrics {
  readonly values: MetricValues<unknown>;
  readonly labels: Labels;
}

/** All metrics that this worker counts. Owned by the process state. */
export class MetricsRegistry {
  /** Metrics of requests that were refused before a site was chosen. */
  readonly refused: RouteMetrics;
  readonly #take: TakeMetricFields;
  readonly #routes = new Map<string, RouteMetrics>();
  readonly #pools = new Map<string, PoolMetrics>();
  readonly #upstreams = new Map<string, UpstreamMetrics>();
  readonly #listeners = new Map<string, ListenerMetrics>();
  readonly #features = new Map<string, FeatureTableMetrics>();
  #worker: WorkerMetrics | undefined;

  /** @param take Allots the fields of the metrics. */
  constructor(take: TakeMetricFields) {
    this.#take = take;
    this.refused = this.route("", "");
  }

  /** Metrics of a route; with the path "" of requests that no route of the site took. */
  route(site: string, path: string): RouteMetrics {
    return found(this.#routes, [site, path], () => new RouteMetrics(this.#take, site, path));
  }

  pool(site: string, pool: string): PoolMetrics {
    return found(this.#pools, [site, pool], (name) => POOL_METRICS.take(this.#take, `pool ${name}`));
  }

  upstream(site: string, pool: string, id: string): UpstreamMetrics {
    return found(this.#upstreams, [site, pool, id], (name) => UPSTREAM_METRICS.take(this.#take, `upstream ${name}`));
  }

  /** Metrics of the connections to a port, by the key of its listener. */
  listener(key: string): ListenerMetrics {
    return found(this.#listeners, [key], (name) => LISTENER_METRICS.take(this.#take, `listener ${name}`));
  }

  /** Metrics of a feature, by the path of the route that has its table; "" for the table of the site. */
  feature<D extends MetricDeclarations>(
    feature: string,
    set: MetricSet<D>,
    { site, route }: { readonly site: string; readonly route: string },
  ): FeatureTableMetrics & { readonly values: MetricValues<SnapshotOf<D>> } {
    const made = found(this.#features, [feature, site, route], (name) => ({
      values: set.take(this.#take, `feature ${name}`),
      labels: Labels.of({ site, route }),
    }));
    // The cast is safe: a feature has one set.
    return made as FeatureTableMetrics & { readonly values: MetricValues<SnapshotOf<D>> };
  }

  /** Heap and event loop delay of the workers. The first access starts publishing those of this worker. */
  get worker(): WorkerMetrics {
    return this.#worker ??= new WorkerMetrics(this.#take);
  }

  /** Exchanges under way in a worker, including those of routes that the config no longer has. */
  inFlightIn(worker: number): number {
    let sum = 0;
    for (const route of this.#routes.values()) sum += route.inFlight(worker);
    return sum;
  }

  /** Clears the gauges of a worker that has ended. Its counters stay. */
  clearWorker(worker: number): void {
    for (const { values } of this.#routes.values()) values.clearGauges(worker);
    for (const metrics of [this.#pools, this.#upstreams, this.#listeners]) {
      for (const values of metrics.values()) values.clearGauges(worker);
    }
    for (const { values } of this.#features.values()) values.clearGauges(worker);
    this.#worker?.clear(worker);
  }

  /** Stops publishing. */
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
