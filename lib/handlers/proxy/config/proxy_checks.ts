/**
 * Checks that involve several keys of a proxy. Like the checks of sites, they use the tree as written.
 *
 * @module
 */

import type { ConfigCheck } from "../../../config/composed_config.ts";
import { checkLoadBalancing } from "./load_balancing_checks.ts";
import { isIpAddress } from "../../../http/ip_address.ts";
import { nearestName, oneOf } from "../../../config/nearest_name.ts";
import { lineOf, type ProblemList, quoted } from "../../../config/problem_list.ts";
import { checkResilience } from "./resilience_checks.ts";
import { checkReach } from "./route_reach_checks.ts";
import { checkRoutes } from "./route_checks.ts";
import { checkProtocols } from "./protocol_checks.ts";
import { checkTls } from "./tls_checks.ts";
import {
  booleanOf,
  child,
  type TableNode,
  tableOf,
  tablesOf,
  type TextNode,
  textNode,
} from "../../../config/source_tree.ts";
import { usesSrv } from "../../../upstream/upstream_url.ts";

// Each suggestion compares a name with all others: their number is limited
const MAX_HINTS = 200;

/** Checks the proxy of each site. A disabled one is not checked: it may be incomplete. */
export const checkProxies: ConfigCheck = (root, problems, { policies }) => {
  for (const site of tablesOf(root, "sites")) {
    const proxy = tableOf(site, "proxy");
    if (proxy === undefined || !booleanOf(proxy, "enabled", true)) continue;
    checkLoadBalancing(proxy, problems, policies);
    checkTls(proxy, problems);
    checkProtocols(proxy, problems);
    checkInterval(proxy, problems);
    checkResilience(proxy, problems);
    checkLookUps(proxy, problems);
    checkRoutes(proxy, problems);
    checkReach(site, proxy, problems);
    checkUpstreamNames(proxy, problems);
    checkTwins(proxy, problems);
  }
};

function checkInterval(proxy: TableNode, problems: ProblemList): void {
  const check = tableOf(proxy, "health_check");
  const twin = check?.entries.get("interval_seconds");
  if (twin === undefined || child(check, "interval") === undefined) return;
  problems.error({ path: twin.node.path, span: twin.keySpan }, {
    message: "health_check has both interval and interval_seconds",
    expected: "one of them",
  });
}

function checkLookUps(proxy: TableNode, problems: ProblemList): void {
  for (const upstream of tablesOf(proxy, "upstreams")) {
    const url = textNode(upstream, "url");
    if (url === undefined || usesSrv(url.value)) continue;
    const [, host] = /^(?:https?|h2c):\/\/(\[[^\]]*\]|[^/:?#]*)/i.exec(url.value) ?? [];
    const looked = booleanOf(upstream, "resolve", upstream.entries.has("resolve_interval"));
    if (!looked || (host !== undefined && !isIpAddress(host.replace(/^\[|\]$/g, "")))) continue;
    const key = upstream.entries.get("resolve") ?? upstream.entries.get("resolve_interval");
    if (key === undefined) continue;
    problems.error({ path: key.node.path, span: key.keySpan }, {
      message: `${quoted(url)} has no name to look up`,
      expected: "a URL with a host name, or no resolve",
    });
  }
}

/** Reports servers that are in a pool twice, most likely because a table was pasted. */
function checkTwins(proxy: TableNode, problems: ProblemList): void {
  const first = new Map<string, TextNode>();
  for (const upstream of tablesOf(proxy, "upstreams")) {
    const [name, url] = [textNode(upstream, "name"), textNode(upstream, "url")];
    if (name === undefined || url === undefined) continue;
    const key = `${name.value} ${url.value}`;
    const earlier = first.get(key);
    if (earlier === undefined) first.set(key, url);
    else {
      problems.warning(url, {
        message: `the pool ${quoted(name)} has ${quoted(url)} already${lineOf(earlier)}`,
        expected: "another URL, or one entry with a weight",
      });
    }
  }
}

/** Reports routes whose `upstream` is not the name of a pool. */
function checkUpstreamNames(proxy: TableNode, problems: ProblemList): void {
  const routes = tablesOf(proxy, "routes");
  const upstreams = tablesOf(proxy, "upstreams");
  const list = child(proxy, "upstreams");
  const names = upstreams.map((upstream) => textNode(upstream, "name"));
  // A name that is missing or has a wrong type is reported already; the routes that use it are not reported too
  if ((list !== undefined && list.kind !== "list") || names.includes(undefined)) return;
  const known = new Set(names.flatMap((name) => name?.value ?? []));
  const used = new Set<string>();
  let sure = routes.length > 0;
  let wrong = 0;
  const expected = known.size === 0
    ? "a name of [[sites.proxy.upstreams]], of which there are none"
    : oneOf([...known]);
  for (const route of routes) {
    const upstream = textNode(route, "upstream");
    if (upstream !== undefined && known.has(upstream.value)) {
      used.add(upstream.value);
      continue;
    }
    sure = false;
    if (upstream === undefined || upstream.value === "") continue;
    problems.error(upstream, {
      message: `unknown upstream ${quoted(upstream)}`,
      expected: upstream.value.includes("://")
        ? "the name of a pool; the URL belongs into [[sites.proxy.upstreams]]"
        : expected,
      // Where there is one name only, it is named already
      suggestion: known.size === 1 || ++wrong > MAX_HINTS ? undefined : nearestName(upstream.value, known),
    });
  }
  if (!sure) return;
  for (const name of names) {
    if (name === undefined || used.has(name.value)) continue;
    used.add(name.value);
    problems.warning(name, { message: `no route uses the upstream ${quoted(name)}` });
  }
}
