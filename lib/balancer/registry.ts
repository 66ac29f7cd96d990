/**
 * The policies by the names that a config gives them (`load_balancing.method`).
 *
 * @module
 */

import { First } from "./first.ts";
import { LeastConnections } from "./least_connections.ts";
import type { Candidate, Policy, PolicyFactory, PolicyOptions } from "./policy.ts";
import { PowerOfTwo } from "./power_of_two.ts";
import { Random } from "./random.ts";
import { RoundRobin } from "./round_robin.ts";
import { Weighted } from "./weighted.ts";
import { WeightedRoundRobin } from "./weighted_round_robin.ts";

/** Name of a policy, as configs write it. */
export type PolicyName =
  | "round_robin"
  | "weighted"
  | "least_connections"
  | "weighted_round_robin"
  | "random"
  | "power_of_two"
  | "first";

/** What makes each policy. */
export const POLICIES: Readonly<Record<PolicyName, PolicyFactory>> = {
  round_robin: (upstreams, options) => new RoundRobin(upstreams, options),
  weighted: (upstreams, options) => new Weighted(upstreams, options),
  least_connections: (upstreams, options) => new LeastConnections(upstreams, options),
  weighted_round_robin: (upstreams, options) => new WeightedRoundRobin(upstreams, options),
  random: (upstreams, options) => new Random(upstreams, options),
  power_of_two: (upstreams, options) => new PowerOfTwo(upstreams, options),
  first: (upstreams, options) => new First(upstreams, options),
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
 * @param options Where its counters live, and its random numbers.
 * @throws {RangeError} If there is no policy of that name.
 *
 * @example
 * ```ts
 * const upstreams = [
 *   { weight: 1, available: false, inFlight: 0 },
 *   { weight: 1, available: true, inFlight: 3 },
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
