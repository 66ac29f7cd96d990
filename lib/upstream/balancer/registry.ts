/**
 * The policies by the names that a config gives them (`load_balancing.method`).
 *
 * @module
 */

import { CookieAffinity } from "./cookie_affinity.ts";
import { First } from "./first.ts";
import { HeaderHash } from "./header_hash.ts";
import { IpHash } from "./ip_hash.ts";
import { LeastConnections } from "./least_connections.ts";
import { LeastTime } from "./least_time.ts";
import type { Candidate, Policy, PolicyFactory, PolicyOptions } from "./policy.ts";
import { COOKIE_DEFAULTS } from "./policy_settings.ts";
import { PowerOfTwo } from "./power_of_two.ts";
import { Random } from "./random.ts";
import { RoundRobin } from "./round_robin.ts";
import { UriHash } from "./uri_hash.ts";
import { Weighted } from "./weighted.ts";

/** Name of a policy, as configs write it. */
export type PolicyName =
  | "round_robin"
  | "weighted"
  | "least_connections"
  | "weighted_round_robin"
  | "random"
  | "power_of_two"
  | "first"
  | "least_time"
  | "ip_hash"
  | "uri_hash"
  | "header_hash"
  | "cookie";

/** What makes each policy. */
export const POLICIES: Readonly<Record<PolicyName, PolicyFactory>> = {
  round_robin: (upstreams, options) => new RoundRobin(upstreams, options),
  weighted: (upstreams, options) => new Weighted(upstreams, options),
  least_connections: (upstreams, options) => new LeastConnections(upstreams, options),
  // An alias of round_robin, which uses weights.
  weighted_round_robin: (upstreams, options) => new RoundRobin(upstreams, options),
  random: (upstreams, options) => new Random(upstreams, options),
  power_of_two: (upstreams, options) => new PowerOfTwo(upstreams, options),
  first: (upstreams, options) => new First(upstreams, options),
  least_time: (upstreams, options) => new LeastTime(upstreams, options),
  ip_hash: (upstreams, options) => new IpHash(upstreams, options),
  uri_hash: (upstreams, options) => new UriHash(upstreams, options),
  header_hash: (upstreams, options) => new HeaderHash(upstreams, options),
  cookie: (upstreams, options) => new CookieAffinity(upstreams, createFallback(upstreams, options), options),
};

/** Whether `name` is the name of a policy. */
export function isPolicyName(name: string): name is PolicyName {
  return Object.hasOwn(POLICIES, name);
}

/**
 * Makes the policy called `name` for a pool.
 *
 * @param name One of the keys of {@linkcode POLICIES}.
 * @param upstreams Upstreams of the pool, in the order of the config.
 * @param options Its fields, random numbers and settings.
 * @throws {RangeError} If there is no policy of that name, or of the name of a cookie's fallback.
 *
 * @example
 * ```ts
 * const upstreams = [
 *   { id: "http://10.0.0.1", weight: 1, available: false, inFlight: 0, latencyMs: 0 },
 *   { id: "http://10.0.0.2", weight: 1, available: true, inFlight: 3, latencyMs: 12 },
 * ];
 * const policy = createPolicy("round_robin", upstreams);
 * if (policy.pick() !== upstreams[1]) throw new Error("expected the available upstream");
 * ```
 */
export function createPolicy<C extends Candidate>(
  name: string,
  upstreams: readonly C[],
  options?: PolicyOptions,
): Policy<C> {
  if (!isPolicyName(name)) {
    throw new RangeError(
      `Cannot create a balancing policy: method is "${name}", expected one of ${Object.keys(POLICIES).join(", ")}`,
    );
  }
  return POLICIES[name](upstreams, options);
}

function createFallback<C extends Candidate>(upstreams: readonly C[], options?: PolicyOptions): Policy<C> {
  const name = options?.settings?.cookie?.fallback ?? COOKIE_DEFAULTS.fallback;
  if (name === "cookie") {
    throw new RangeError(
      `Cannot create a balancing policy: the fallback of "cookie" is "cookie", expected another policy`,
    );
  }
  return createPolicy(name, upstreams, options);
}
