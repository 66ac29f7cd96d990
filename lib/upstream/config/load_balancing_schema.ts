/**
 * The table `[sites.proxy.load_balancing]`. Keys without a default here have it where the policies are made
 * (`upstream/balancer/policy_settings.ts`), since policies are also made without a config.
 *
 * @module
 */

import { z } from "zod";
import { COOKIE_DEFAULTS, SETTINGS_DEFAULTS } from "../balancer/policy_settings.ts";
import type { PolicyName } from "../balancer/registry.ts";
import { choice, duration, type Fault, flag, judged, matching, table, token } from "../../config/fields.ts";
import { isHostName, normalHost } from "../../config/host_pattern.ts";

const DOMAIN = 'a domain such as "example.com"';

/** The built-in policies. */
export const POLICY_NAMES = [
  ...["round_robin", "weighted", "least_connections", "weighted_round_robin", "random", "power_of_two", "first"],
  ...["least_time", "ip_hash", "uri_hash", "header_hash", "cookie"],
] as const satisfies readonly PolicyName[];

/** The policy where the config names none. */
export const DEFAULT_METHOD: PolicyName = "round_robin";

/** The policies for clients without a cookie. */
export const FALLBACK_NAMES = POLICY_NAMES.filter((name) => name !== "cookie");

// Browsers keep no cookie for longer (RFC 6265bis)
const MAX_COOKIE_AGE_MS = 400 * 86_400_000;
const MIN_SECRET_LENGTH = 16;
const SECRET_EXPECTED = `text of at least ${MIN_SECRET_LENGTH} characters`;

const cookieSchema = table({
  name: token("the name of a cookie").optional().meta({ default: COOKIE_DEFAULTS.name }).describe(
    "Name of the cookie; where a site has several pools, a mark of the pool follows it.",
  ),
  secret: z.string({ error: SECRET_EXPECTED }).min(MIN_SECRET_LENGTH, { error: SECRET_EXPECTED }).optional().describe(
    "Signs the cookies, so that they are valid after a restart and on several proxies; random without it.",
  ),
  path: matching(/^\/[!-:<-~]*$/, 'a path in ASCII that begins with "/" and holds no spaces and no ";"').optional()
    .meta({ default: COOKIE_DEFAULTS.path }).describe("Path below which clients send the cookie."),
  domain: judged(domainFault, DOMAIN).transform(normalHost).optional().describe(
    "Domain whose hosts get the cookie; without it, the host that set it.",
  ),
  max_age: duration({ maxMs: MAX_COOKIE_AGE_MS }).optional().describe(
    "How long clients keep the cookie; without it, until the browser is closed.",
  ),
  secure: z.union([flag(), z.literal("auto")], { error: 'true, false or "auto"' }).optional()
    .meta({ default: COOKIE_DEFAULTS.secure }).describe(
      'Send it over TLS only; "auto" where the client came over TLS.',
    ),
  http_only: flag().optional().meta({ default: COOKIE_DEFAULTS.http_only }).describe("Hide it from scripts."),
  same_site: choice(["lax", "strict", "none"]).optional().meta({ default: COOKIE_DEFAULTS.same_site }).describe(
    "Which requests from other sites carry it; none needs secure = true.",
  ),
  fallback: choice(FALLBACK_NAMES as [PolicyName, ...PolicyName[]]).optional()
    .meta({ default: COOKIE_DEFAULTS.fallback }).describe(
      "Policy for clients without a cookie, or whose upstream is not available.",
    ),
});

const FACTOR_EXPECTED = "0, or a number from 1 to 100";
// With a bound below the mean there would be no room for all requests
const factorSchema = z.number({ error: FACTOR_EXPECTED }).min(1, { error: FACTOR_EXPECTED })
  .max(100, { error: FACTOR_EXPECTED });

/** How pools choose. */
export const loadBalancingSchema = table({
  // Not an enum: embedders bring policies of their own, and a check compares with all of them
  method: z.string({ error: "the name of a policy" }).meta({ enum: [...POLICY_NAMES] }).default(DEFAULT_METHOD)
    .describe("How a pool chooses the upstream of the next attempt."),
  header: token("a header name").optional().describe("For header_hash: the header whose value is the key."),
  include_query: flag().optional().meta({ default: SETTINGS_DEFAULTS.include_query }).describe(
    "For uri_hash: whether the query belongs to the key, beside the path.",
  ),
  balance_factor: z.union([z.literal(0), factorSchema], { error: FACTOR_EXPECTED })
    .optional().meta({ default: SETTINGS_DEFAULTS.balance_factor }).describe(
      "For the hash policies: how many times the mean load an upstream may carry before keys overflow; 0 for no bound.",
    ),
  slow_start: duration({ zero: true, maxMs: 86_400_000 }).prefault(0).describe(
    "How long an upstream that is available again takes to reach its full share of the load; 0 for no slow start.",
  ),
  when_all_unhealthy: choice(["reject", "try_anyway"]).default("reject").describe(
    "When no upstream of a pool is healthy: respond with 503, or use unhealthy ones.",
  ),
  cookie: cookieSchema.optional().describe("For cookie: the cookie that binds a client to its upstream."),
});

/** How pools choose, after defaults. */
export type LoadBalancingConfig = z.output<typeof loadBalancingSchema>;

function domainFault(value: string): Fault | undefined {
  return isHostName(value) && !value.startsWith("[") && !value.endsWith(".") ? undefined : { expected: DOMAIN };
}
