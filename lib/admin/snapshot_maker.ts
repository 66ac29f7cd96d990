/**
 * Creates snapshots of the running server: rates from the sampler's counters, all other values as of now.
 *
 * @module
 */

import type { Site } from "../generation/site.ts";
import type { PoolCounts } from "../generation/metrics/metrics_snapshot.ts";
import type { MemberSource } from "../generation/pools/pool_members.ts";
import type { Pool } from "../upstream/pool.ts";
import type { Verdict } from "../upstream/health/probe_target.ts";
import type { Upstream } from "../upstream/upstream.ts";
import { takesRequests } from "../upstream/condition/upstream_states.ts";
import { VERSION } from "../version.ts";
import type { FailureList } from "./failure_list.ts";
import { type FlowCounts, rate, sumCounts } from "./flow.ts";
import { siteAddresses } from "./listed_site.ts";
import type { Managed, ManagedConfig } from "./managed.ts";
import { routeKey, type Sample } from "./sample.ts";
import type { Sampler } from "./sampler.ts";
import { certificateSnapshots } from "./certificate_snapshots.ts";
import type {
  Flow,
  PoolSnapshot,
  ProcessSnapshot,
  SiteSnapshot,
  Snapshot,
  Totals,
  UpstreamSnapshot,
  WorkerSnapshot,
} from "./snapshot.ts";
import { readUnderWay, type UnderWay } from "./under_way.ts";
import { poolId, upstreamId } from "./upstream_id.ts";

/** The sources of snapshots. */
export interface SnapshotSources {
  /** The running server. */
  readonly managed: Managed;
  readonly config: ManagedConfig;
  /** Current rates. */
  readonly sampler: Sampler;
  /** Recent failures. */
  readonly failures: FailureList;
  /** Open files and sockets of the process; null where unknown. */
  readonly openFiles: () => number | null;
}

/** An upstream as the API lists it. */
export interface ListedUpstream extends UpstreamSnapshot {
  /** Its source. Upstreams added by the API are lost at a reload or a restart. */
  readonly source: MemberSource;
}

/** A pool as the API lists it. */
export interface ListedPool extends PoolSnapshot {
  readonly upstreams: readonly ListedUpstream[];
  /** Upstreams that the API has removed, until a reload or a restart. */
  readonly removed: readonly string[];
}

/** Creates snapshots. Owned by the management listener. */
export class SnapshotMaker {
  readonly #sources: SnapshotSources;

  constructor(sources: SnapshotSources) {
    this.#sources = sources;
  }

  /** @param history Whether to include the last minutes. */
  make({ history = false }: { history?: boolean } = {}): Snapshot {
    const { managed, config, sampler, failures } = this.#sources;
    const now = readUnderWay(managed);
    const { generation, file, loadedAtMs, refused } = config;
    return {
      version: VERSION,
      atMs: Date.now(),
      uptimeMs: Math.round(performance.now()),
      metrics: managed.generation.metrics !== undefined,
      config: { generation, file, loadedAtMs, refused: refused ?? null },
      process: this.#process(now),
      ports: managed.ports.map(({ closedAtMs, failingAtMs, ...port }, index) => ({
        ...port,
        connections: port.listener === "own" ? managed.generation.listeners[index].metrics?.snapshot() ?? null : null,
        closedForMs: passedMs(closedAtMs),
        failingForMs: passedMs(failingAtMs),
      })),
      certificates: certificateSnapshots(managed),
      totals: this.#totals(now),
      sites: this.sites(now),
      pools: this.pools(now),
      failures: failures.failures,
      ...(history ? { history: sampler.history } : {}),
    };
  }

  /** In the order of the config. */
  sites(now: UnderWay = readUnderWay(this.#sources.managed)): SiteSnapshot[] {
    const { managed } = this.#sources;
    return managed.generation.sites.map((site) => this.#site(site, now));
  }

  /** In the order of the config. */
  pools(now: UnderWay = readUnderWay(this.#sources.managed)): ListedPool[] {
    const { managed, sampler } = this.#sources;
    const counted = new Map<string, PoolCounts>();
    for (const { site, pools } of sampler.newest.metrics?.sites ?? []) {
      for (const counts of pools) counted.set(poolId(site, counts.pool), counts);
    }
    return managed.generation.sites.flatMap((site) =>
      [...site.pools.values()].map((pool) =>
        this.#pool(site, pool, { now, counts: counted.get(poolId(site.config.name, pool.name)) })
      )
    );
  }

  #process(now: UnderWay): ProcessSnapshot {
    const { sampler, managed: { socketChoice: { driver, reason } } } = this.#sources;
    const { newest, oldest, seconds } = sampler;
    return {
      memoryBytes: newest.memoryBytes,
      cpuCores: rate(newest.cpuSeconds, oldest.cpuSeconds, seconds),
      openFiles: this.#sources.openFiles(),
      sockets: { driver, reason },
      workers: this.#workers(now),
    };
  }

  #workers(now: UnderWay): WorkerSnapshot[] {
    const { managed, sampler } = this.#sources;
    const { newest, oldest, seconds } = sampler;
    const snapshots = managed.generation.metrics?.worker.snapshots() ?? [];
    const delayMs = (index: number) =>
      Math.round((snapshots.find(({ worker }) => worker === index)?.loopDelayMaxSeconds ?? 0) * 1e4) / 10;
    const requestRate = (index: number) => rate(newest.ended[index] ?? 0, oldest.ended[index] ?? 0, seconds);
    if (managed.workers === undefined) {
      return [{
        ...{ index: 0, state: "serving", requestRate: requestRate(0), inFlight: now.total },
        ...{ loopDelayMs: delayMs(0), restarts: 0 },
      }];
    }
    return managed.workers.map((worker, index) => ({
      index,
      // A worker that has ended is being replaced.
      state: worker?.state ?? "starting",
      requestRate: requestRate(index),
      inFlight: now.workers[index] ?? 0,
      loopDelayMs: delayMs(index),
      restarts: managed.restarts?.[index] ?? 0,
    }));
  }

  #totals(now: UnderWay): Totals {
    const { sampler } = this.#sources;
    const { newest, oldest, seconds } = sampler;
    const [, ...classes] = newest.statuses.map((count, index) => rate(count, oldest.statuses[index], seconds));
    return {
      ...sampler.flow(({ totals }) => totals, now.total),
      requests: newest.totals.requests,
      errors: newest.totals.errors,
      statusRates: [classes[0], classes[1], classes[2], classes[3], classes[4]],
      receivedRate: rate(newest.receivedBytes, oldest.receivedBytes, seconds),
      sentRate: rate(newest.sentBytes, oldest.sentBytes, seconds),
      openSockets: newest.openSockets,
    };
  }

  #site(site: Site, now: UnderWay): SiteSnapshot {
    const { managed, sampler } = this.#sources;
    const { config } = site;
    const { name } = config;
    const flowOfRoute = (key: string) => sampler.flow(({ routes }) => routes.get(key), now.routes.get(key) ?? 0);
    return {
      ...sampler.flow(({ sites }) => sites.get(name), now.sites.get(name) ?? 0),
      name,
      hosts: site.hosts,
      addresses: siteAddresses(managed, site),
      routes: config.proxy?.enabled !== true ? [] : config.proxy.routes.map((route) => ({
        ...flowOfRoute(routeKey(name, route.path)),
        path: route.path,
        kind: route.exact ? "exact" : route.pattern ? "pattern" : "prefix",
        poolId: poolId(name, route.upstream),
        websocket: route.websocket,
      })),
      files: config.static_dir !== undefined,
    };
  }

  #pool(site: Site, pool: Pool, { now, counts }: { now: UnderWay; counts: PoolCounts | undefined }): ListedPool {
    const { managed, sampler } = this.#sources;
    const { name, proxy } = site.config;
    const members = site.members.get(pool.name);
    const idle = new Map(counts?.upstreams.map(({ upstream, connections }) => [upstream, connections.idle]));
    const upstreams = pool.upstreams.map((upstream) => ({
      ...this.#upstream(upstream, { site: name, pool: pool.name, now }),
      idleConnections: idle.get(upstream) ?? upstream.connections.idleCount,
      source: members?.sourceOf(upstream) ?? "config",
    }));
    const routes = proxy?.routes.filter((route) => route.upstream === pool.name) ?? [];
    const keys = [...new Set(routes.map(({ path }) => routeKey(name, path)))];
    const inFlight = managed.generation.metrics === undefined
      ? pool.upstreams.reduce((sum, upstream) => sum + (now.upstreams.get(upstream) ?? 0), 0)
      : keys.reduce((sum, key) => sum + (now.routes.get(key) ?? 0), 0);
    return {
      // All samples are summed over the current routes, so that a route moved from another pool causes no jump of the rate.
      ...sampler.flow((sample) => countsOf(sample, keys), inFlight),
      id: poolId(name, pool.name),
      name: pool.name,
      site: name,
      policy: proxy?.load_balancing.method ?? "",
      waiting: now.waiting.get(poolId(name, pool.name)) ?? pool.waitingCount,
      triesAnyway: proxy?.load_balancing.when_all_unhealthy === "try_anyway",
      probed: proxy?.health_check.enabled === true,
      available: upstreams.filter(({ state }) => takesRequests(state)).length,
      upstreams,
      removed: [...members?.removed ?? []],
    };
  }

  #upstream(upstream: Upstream, { site, pool, now }: UpstreamContext): Omit<UpstreamSnapshot, "idleConnections"> {
    const { managed, sampler, failures } = this.#sources;
    const status = managed.generation.processState.prober?.statusOf(upstream);
    const id = upstreamId(site, pool, upstream);
    const flow: Flow = sampler.flow(({ upstreams }) => upstreams.get(id), now.upstreams.get(upstream) ?? 0);
    const probed = status?.last?.result;
    return {
      ...flow,
      ...upstream.condition.facts,
      health: healthOf(upstream, status?.verdict),
      ...{ id, url: upstream.url, backup: upstream.backup },
      ...{ weight: upstream.weight, configWeight: upstream.configWeight, maxConnections: upstream.maxConnections },
      lastFailure: probed?.healthy === false
        ? probed.reason
        : failures.lastFailureOf({ site, pool, url: upstream.url }) ?? null,
    };
  }
}

interface UpstreamContext {
  readonly site: string;
  readonly pool: string;
  readonly now: UnderWay;
}

/** Undefined if the sample lacks one of the routes. */
function countsOf({ routes }: Sample, keys: readonly string[]): FlowCounts | undefined {
  const counts = keys.flatMap((key) => routes.get(key) ?? []);
  return counts.length < keys.length ? undefined : sumCounts(counts);
}

function healthOf({ condition }: Upstream, verdict: Verdict | undefined): Verdict {
  return condition.unhealthy ? "unhealthy" : verdict === "healthy" ? "healthy" : "unknown";
}

function passedMs(sinceMs: number | null): number | null {
  return sinceMs === null ? null : Math.max(0, Date.now() - sinceMs);
}
