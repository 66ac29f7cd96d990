/**
 * Checks that involve several keys of `[sites.proxy.load_balancing]`. Like the checks of sites, they use the tree as
 * written.
 *
 * @module
 */

import { COOKIE_DEFAULTS } from "../../../upstream/balancer/policy_settings.ts";
import { DEFAULT_METHOD, POLICY_NAMES } from "../../../upstream/config/load_balancing_schema.ts";
import { nearestName, oneOf } from "../../../config/nearest_name.ts";
import { valueOfOtherTool } from "../../../config/other_values.ts";
import { type ProblemList, quoted } from "../../../config/problem_list.ts";
import { booleanOf, child, type TableNode, tableOf, tablesOf, textNode } from "../../../config/source_tree.ts";

/** The policies that each key is for. */
const USED_BY: Readonly<Record<string, readonly string[]>> = {
  header: ["header_hash"],
  include_query: ["uri_hash"],
  balance_factor: ["ip_hash", "uri_hash", "header_hash"],
  cookie: ["cookie"],
};

/** The policies that ignore weights. */
const WITHOUT_WEIGHTS = ["random", "first"];

/**
 * Checks how the pools of one proxy choose.
 *
 * @param policies Names of an embedder's policies.
 */
export function checkLoadBalancing(proxy: TableNode, problems: ProblemList, policies: readonly string[]): void {
  const table = tableOf(proxy, "load_balancing");
  if (table === undefined) return;
  checkMethod(table, problems, [...POLICY_NAMES, ...policies]);
  checkUse(table, problems, policies);
  checkWeights(proxy, table, problems, policies);
  const cookie = tableOf(table, "cookie");
  if (cookie === undefined) return;
  checkSameSite(cookie, problems);
  checkPrefix(cookie, problems);
}

function checkMethod(table: TableNode, problems: ProblemList, names: readonly string[]): void {
  const method = textNode(table, "method");
  if (method === undefined || names.includes(method.value)) return;
  problems.error(method, {
    message: `unknown policy ${quoted(method)}`,
    expected: oneOf(names),
    suggestion: valueOfOtherTool(method.path, method.value) ?? nearestName(method.value, names),
  });
}

/** Reports keys that no policy in use reads, and a policy without its required key. */
function checkUse(table: TableNode, problems: ProblemList, policies: readonly string[]): void {
  const node = child(table, "method");
  const method = textNode(table, "method");
  const name = method?.value ?? DEFAULT_METHOD;
  // The keys of an invalid method, or of an embedder's policy, are not known
  if ((node !== undefined && method === undefined) || policies.includes(name)) return;
  if (!POLICY_NAMES.some((known) => known === name)) return;
  const used = [name, ...(name === "cookie" ? [fallbackOf(table)] : [])];
  if (used.includes("header_hash") && child(table, "header") === undefined) {
    problems.error(textNode(tableOf(table, "cookie"), "fallback") ?? method ?? table, {
      message: "header_hash has no header to go by",
      expected: 'header, such as header = "X-Tenant"',
    });
  }
  for (const [key, users] of Object.entries(USED_BY)) {
    const entry = table.entries.get(key);
    if (entry === undefined || users.some((user) => used.includes(user))) continue;
    problems.warning({ path: entry.node.path, span: entry.keySpan }, {
      message: `${key} has no effect with the method ${method === undefined ? JSON.stringify(name) : quoted(method)}`,
      expected: `the method ${users.map((user) => JSON.stringify(user)).join(", ").replace(/, ([^,]*)$/, " or $1")}`,
    });
  }
}

/** Reports weights that the policy ignores. */
function checkWeights(proxy: TableNode, table: TableNode, problems: ProblemList, policies: readonly string[]): void {
  const name = textNode(table, "method")?.value ?? DEFAULT_METHOD;
  if (!WITHOUT_WEIGHTS.includes(name) || policies.includes(name)) return;
  for (const upstream of tablesOf(proxy, "upstreams")) {
    const entry = upstream.entries.get("weight");
    if (entry === undefined) continue;
    problems.warning({ path: entry.node.path, span: entry.keySpan }, {
      message: `weight has no effect with the method ${JSON.stringify(name)}`,
      expected: name === "random" ? 'the method "weighted"' : "the upstreams in the order of preference",
    });
  }
}

function fallbackOf(table: TableNode): string {
  return textNode(tableOf(table, "cookie"), "fallback")?.value ?? COOKIE_DEFAULTS.fallback;
}

/** Browsers refuse a cookie with SameSite=None but without Secure. */
function checkSameSite(cookie: TableNode, problems: ProblemList): void {
  const sameSite = textNode(cookie, "same_site");
  if (sameSite?.value !== "none" || booleanOf(cookie, "secure", false)) return;
  problems.error(sameSite, {
    message: 'same_site is "none" for a cookie that is not secure, which browsers refuse',
    expected: "secure = true as well",
  });
}

/** Browsers refuse a cookie whose name has a prefix that its attributes do not satisfy (RFC 6265bis, section 4.1.3). */
function checkPrefix(cookie: TableNode, problems: ProblemList): void {
  const name = textNode(cookie, "name");
  const prefix = name === undefined ? undefined : /^__(?:secure|host)-/i.exec(name.value)?.[0];
  if (name === undefined || prefix === undefined) return;
  const host = prefix.toLowerCase() === "__host-";
  const secure = booleanOf(cookie, "secure", false);
  const rooted = (textNode(cookie, "path")?.value ?? "/") === "/" && child(cookie, "domain") === undefined;
  if (secure && (!host || rooted)) return;
  problems.error(name, {
    message: `the name of the cookie begins with ${JSON.stringify(prefix)}, so that browsers would refuse it`,
    expected: host ? 'secure = true, path = "/" and no domain' : "secure = true",
  });
}
