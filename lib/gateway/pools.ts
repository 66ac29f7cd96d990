/**
 * The pools of one site, from its config.
 *
 * @module
 */

import { createPolicy, isPolicyName } from "../balancer/registry.ts";
import type { Policy } from "../balancer/policy.ts";
import type { ProxyConfig, UpstreamConfig } from "../config/schema.ts";
import type { CoarseClock } from "../state/coarse_clock.ts";
import { type EndpointTls, parseEndpoint } from "../transport/endpoint.ts";
import { Pool } from "../upstream/pool.ts";
import { Upstream } from "../upstream/upstream.ts";

/** Makes a policy of an embedder's own for the upstreams of a pool. */
export type OwnPolicyFactory = (upstreams: readonly Upstream[]) => Policy<Upstream>;

/** What pools need besides their config. */
export interface PoolsContext {
  /** The clock that deadlines go by. */
  readonly clock: CoarseClock;
  /** Policies besides the built-in ones, by name. */
  readonly policies: Readonly<Record<string, OwnPolicyFactory>>;
}

/**
 * The pools by name.
 *
 * @throws {Deno.errors.NotFound} And its like, when a CA file cannot be read.
 */
export function createPools(config: ProxyConfig, context: PoolsContext): Map<string, Pool> {
  const servers = new Map<string, Upstream[]>();
  for (const upstream of config.upstreams) {
    const members = servers.get(upstream.name) ?? [];
    members.push(createUpstream(upstream, config, context.clock));
    servers.set(upstream.name, members);
  }
  const pools = new Map<string, Pool>();
  for (const [name, upstreams] of servers) {
    pools.set(
      name,
      new Pool({
        name,
        upstreams,
        policy: choosePolicy(config.load_balancing.method, upstreams, context),
        queueSize: config.connections.queue_size,
        queueTimeoutMs: config.connections.queue_timeout,
      }),
    );
  }
  return pools;
}

function createUpstream(upstream: UpstreamConfig, config: ProxyConfig, clock: CoarseClock): Upstream {
  const { timeout, connections } = config;
  return new Upstream({
    url: upstream.url,
    endpoint: parseEndpoint(upstream.url, tlsOf(upstream)),
    weight: upstream.weight,
    maxConnections: upstream.max_connections || connections.max_connections,
    clock,
    connectTimeoutMs: timeout.connect,
    readTimeoutMs: timeout.read,
    writeTimeoutMs: timeout.write,
    clientTimeoutMs: timeout.client,
    idleTimeoutMs: connections.idle_timeout,
    maxIdle: connections.max_idle,
    maxHeadBytes: MAX_HEAD_BYTES,
  });
}

/** Heads of answers beyond this are refused. nginx stops at 4 to 8 KiB, Node at 16 KiB. */
const MAX_HEAD_BYTES = 64 * 1024;

function tlsOf({ tls }: UpstreamConfig): EndpointTls | undefined {
  if (tls === undefined) return undefined;
  return {
    caCertificates: tls.ca_file === undefined ? undefined : [Deno.readTextFileSync(tls.ca_file)],
    insecureSkipVerify: tls.insecure_skip_verify,
    serverName: tls.server_name,
  };
}

function choosePolicy(method: string, upstreams: Upstream[], context: PoolsContext): Policy<Upstream> {
  const own = context.policies[method];
  if (own !== undefined) return own(upstreams);
  if (isPolicyName(method)) return createPolicy(method, upstreams);
  throw new TypeError(`Cannot balance by "${method}": no such policy was given`);
}
