/**
 * The routes, pools, upstreams and ports of a generation whose metrics are scraped, with their labels. Label values come from the
 * config, from a list of methods and from status classes, never from a client, so the number of samples has a bound.
 *
 * @module
 */

import { type RouteMetrics, WEBSOCKET_GROUP } from "../../exchange/route_metrics.ts";
import type { ListenerMetrics } from "../../listener/own/listener_metrics.ts";
import type { PortStatus } from "../../listener/port.ts";
import { Labels } from "../../metrics/labels.ts";
import type { MeasuredThing } from "../../metrics/metric_set.ts";
import type { Upstream } from "../../upstream/upstream.ts";
import type { PoolMetrics, UpstreamMetrics } from "../../upstream/upstream_metrics.ts";
import type { Generation } from "../generation.ts";

/** An upstream whose metrics are scraped. */
export interface MeasuredUpstream extends MeasuredThing {
  readonly upstream: Upstream;
}

const WEBSOCKET_ROUTE = [WEBSOCKET_GROUP];

/** All routes: requests refused before a site was chosen; then for each site, requests without a route, and its routes. */
export function* measuredRoutes({ metrics, sites }: Generation): Iterable<MeasuredThing> {
  if (metrics === undefined) return;
  yield metrics.refused;
  for (const { metrics: ofSite } of sites) {
    for (const route of ofSite?.routes ?? []) {
      yield ofSite?.socketRoutes.has(route) ? withSockets(route) : route;
    }
  }
}

function withSockets({ values, labels }: RouteMetrics): MeasuredThing {
  return { values, labels, groups: WEBSOCKET_ROUTE };
}

/** The tables of sites and routes that have a feature. */
export function* measuredFeature({ sites }: Generation, feature: string): Iterable<MeasuredThing> {
  for (const { metrics } of sites) yield* metrics?.featureTables(feature) ?? [];
}

/** All pools. */
export function* measuredPools({ metrics, sites }: Generation): Iterable<MeasuredThing> {
  if (metrics === undefined) return;
  for (const { config: { name: site }, pools } of sites) {
    for (const pool of pools.keys()) {
      const values = metrics.pool(site, pool);
      yield { values, labels: labelsOf(values, pool, () => Labels.of({ site, pool })) };
    }
  }
}

/** All upstreams, each once. Their label is their `url`, or their id where two of a pool have the same `url`. */
export function measuredUpstreams({ metrics, sites }: Generation): MeasuredUpstream[] {
  if (metrics === undefined) return [];
  return sites.flatMap(({ config: { name: site }, pools }) =>
    [...pools.values()].flatMap((pool) => {
      // Entries of the same id are one upstream, whose address a name server returned twice.
      const byId = new Map(pool.upstreams.map((upstream) => [upstream.id, upstream]));
      const taken = new Set<string>();
      const twice = new Set<string>();
      for (const { url } of byId.values()) (taken.has(url) ? twice : taken).add(url);
      return [...byId.values()].map((upstream) => {
        const values = metrics.upstream(site, pool.name, upstream.id);
        const name = twice.has(upstream.url) ? upstream.id : upstream.url;
        const labels = labelsOf(values, name, () => Labels.of({ site, pool: pool.name, upstream: name }));
        return { upstream, values, labels };
      });
    })
  );
}

/** The ports whose listener counts connections. `ports` are in the order of the generation's listeners. */
export function measuredPorts({ listeners }: Generation, ports: readonly PortStatus[]): MeasuredThing[] {
  return listeners.flatMap(({ metrics: values }, index) => {
    const { address, port, listener } = ports[index] ?? {};
    if (values === undefined || address === undefined || listener !== "own") return [];
    const number = String(port);
    return { values, labels: labelsOf(values, number, () => Labels.of({ address, port: number })) };
  });
}

/** Cached labels, so that no scrape creates them again; the name of an upstream may change. */
const cached = new WeakMap<NamedMetrics, { readonly name: string; readonly labels: Labels }>();

type NamedMetrics = PoolMetrics | UpstreamMetrics | ListenerMetrics;

function labelsOf(values: NamedMetrics, name: string, make: () => Labels): Labels {
  let known = cached.get(values);
  if (known?.name !== name) cached.set(values, known = { name, labels: make() });
  return known.labels;
}
