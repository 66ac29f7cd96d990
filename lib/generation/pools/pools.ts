/**
 * The pools of one site, from its config.
 *
 * @module
 */

import type { Candidate, Policy } from "../../upstream/balancer/policy.ts";
import { createPolicy, isPolicyName } from "../../upstream/balancer/registry.ts";
import type { ProxyConfig } from "../../handlers/proxy/config/proxy_schema.ts";
import type { UpstreamConfig } from "../../handlers/proxy/config/upstream_schema.ts";
import { fieldsWithin, type SharedState } from "../../state/shared_state.ts";
import { Pool } from "../../upstream/pool.ts";
import { RetryBudget } from "../../upstream/retry_budget.ts";
import type { Upstream } from "../../upstream/upstream.ts";
import { DynamicUpstreams, isDynamic } from "./dynamic_upstreams.ts";
import { PoolMembers } from "./pool_members.ts";
import type { ProcessState } from "../process_state.ts";
import { UpstreamFactory } from "./upstream_factory.ts";
import type { MetricsRegistry } from "../metrics/metrics_registry.ts";
import { logChanges } from "../../upstream/upstream_log.ts";

/** Policies with a fixed upstream for each key: their pools do not race connections. */
const KEYED: readonly string[] = ["cookie", "ip_hash", "uri_hash", "header_hash"];

/** Creates an embedder's own policy for the upstreams of a pool. The policy picks one of the upstreams last given to it. */
export type OwnPolicyFactory = (upstreams: readonly Candidate[]) => Policy;

/** What pools need besides their config. */
export interface PoolsContext {
  readonly processState: ProcessState;
  readonly sharedState: SharedState;
  /** Undefined where no metrics are kept. */
  readonly metrics: MetricsRegistry | undefined;
  /** Name of their site. */
  readonly site: string;
  /** URLs of upstreams with secrets masked; only those that have any. */
  readonly shownUrls: ReadonlyMap<UpstreamConfig, string>;
  /** Policies besides the built-in ones, by name. */
  readonly policies: Readonly<Record<string, OwnPolicyFactory>>;
}

/** The pools of a site and their members. */
export interface Pools {
  /** Pools by name. */
  readonly byName: ReadonlyMap<string, Pool>;
  /** Upstreams whose addresses are looked up. */
  readonly dynamic: readonly DynamicUpstreams[];
  /** Members of each pool, by the pool's name. */
  readonly members: ReadonlyMap<string, PoolMembers>;
}

/**
 * Builds the pools.
 *
 * @throws {Deno.errors.NotFound} And its like, when a CA file cannot be read.
 */
export function createPools(config: ProxyConfig, context: PoolsContext): Pools {
  const byName = new Map<string, Pool>();
  const dynamic: DynamicUpstreams[] = [];
  const members = new Map<string, PoolMembers>();
  for (const [name, entries] of Map.groupBy(config.upstreams, (upstream) => upstream.name)) {
    byName.set(name, createPool(name, entries, { config, context, dynamic, members }));
  }
  return { byName, dynamic, members };
}

function createPool(
  name: string,
  entries: readonly UpstreamConfig[],
  { config, context, dynamic, members }: {
    config: ProxyConfig;
    context: PoolsContext;
    dynamic: DynamicUpstreams[];
    members: Map<string, PoolMembers>;
  },
): Pool {
  const { processState, site, metrics } = context;
  const { load_balancing } = config;
  const prefix = `${site}/${name}`;
  const factory = new UpstreamFactory(
    config,
    { ...context, metrics: (id) => metrics?.upstream(site, name, id) },
    prefix,
  );
  const fixed = entries.filter((entry) => !isDynamic(entry)).map((entry) => factory.create(entry));
  for (const upstream of fixed) logChanges(upstream, processState.log, { site, pool: name });
  const pool = new Pool({
    name,
    upstreams: fixed,
    createPolicy: (upstreams, part) => choosePolicy(config, upstreams, { context, pool: name, part }),
    connections: config.connections,
    passiveHealth: config.passive_health,
    loadBalancing: load_balancing,
    races: !KEYED.includes(load_balancing.method),
    retryBudget: new RetryBudget(config.retries, fieldsWithin(context.sharedState, `${prefix}/retries`)),
    clock: processState.clock,
    shared: processState.worker.count > 1,
    metrics: metrics?.pool(site, name),
  });
  const own = new PoolMembers({ pool, fixed, entries, factory, log: processState.log, site });
  members.set(name, own);
  const looked = entries.filter(isDynamic);
  if (looked.length > 0) {
    dynamic.push(new DynamicUpstreams(looked, { members: own, factory, processState, where: { site, pool: name } }));
  }
  return pool;
}

function choosePolicy(
  { load_balancing, upstreams: entries }: ProxyConfig,
  upstreams: readonly Upstream[],
  { context, pool, part }: { context: PoolsContext; pool: string; part: "primary" | "backup" },
): Policy<Upstream> {
  const { method } = load_balancing;
  const own = context.policies[method];
  // The cast is safe: a policy reads no more than a `Candidate` has, and returns one of those that it was given.
  if (own !== undefined) return own(upstreams) as Policy<Upstream>;
  if (!isPolicyName(method)) throw new TypeError(`Cannot balance by "${method}": no such policy was given`);
  const { processState, site } = context;
  return createPolicy(method, upstreams, {
    takeFields: fieldsWithin(context.sharedState, `${site}/${pool}/${part}`),
    settings: load_balancing,
    secret: processState.secret,
    // Part of the cookie's name, which is not needed if there is only one pool.
    pool: entries.some(({ name }) => name !== pool) ? pool : undefined,
  });
}
