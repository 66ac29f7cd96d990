/**
 * Translates tables of the original BWS to features of this one: `access_control`, `security`, `rate_limit`, `compression` and
 * `cors_enabled`. The original tables stay, so that the types of their keys are checked.
 *
 * @module
 */

import type { ProblemList } from "./problem_list.ts";
import {
  child,
  type Place,
  type ScalarNode,
  type SourceNode,
  type TableNode,
  tableOf,
  textNodesOf,
} from "./source_tree.ts";
import { openTable, switchOf } from "./tree_changes.ts";

/** Names of algorithms in the original that have another one here; undefined for those that no browser has. */
const ALGORITHMS: Readonly<Record<string, string | undefined>> = { brotli: "br", deflate: undefined };
const ALL_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
/** Longest time that a browser keeps a preflight. */
const DAY_SECONDS = 86_400;

/** Gives sites the features that tables of the original mean. */
export function translateFeatures(root: TableNode, sites: readonly TableNode[], problems: ProblemList): void {
  const security = tableOf(root, "security");
  const compression = tableOf(root, "compression");
  for (const site of sites) {
    translateAccessControl(site, problems);
    translateSiteSecurity(site, problems);
    translateLimit(tableOf(site, "rate_limit"), problems);
    if (compression !== undefined && child(site, "compression") === undefined) {
      site.entries.set("compression", { node: { ...compression, entries: new Map(compression.entries) } });
    }
    translateCompression(tableOf(site, "compression"), problems);
  }
  if (compression !== undefined) {
    warn(compression, "compression of the original BWS is taken as that of each site", problems);
  }
  if (security !== undefined) translateGlobal(security, sites, problems);
}

function translateGlobal(security: TableNode, sites: readonly TableNode[], problems: ProblemList): void {
  const limit = tableOf(security, "rate_limiting");
  if (limit !== undefined && isOn(limit)) {
    for (const site of sites) {
      if (child(site, "rate_limit") !== undefined) continue;
      const own = openTable(site, "rate_limit");
      if (own !== undefined) giveLimit(limit, own, site);
    }
    warn(limit, "rate_limiting, a table of the original BWS, is taken as [sites.rate_limit] of each site", problems);
  }
  const origins = security.entries.get("allowed_origins");
  if (origins === undefined || isEmpty(origins.node)) return;
  for (const site of sites) {
    if (child(site, "cors") === undefined) openTable(site, "cors")?.entries.set("origins", origins);
  }
  problems.warning({ path: origins.node.path, span: origins.keySpan }, {
    message: "allowed_origins, a key of the original BWS, is taken as origins in [sites.cors] of each site",
  });
}

function translateAccessControl(site: TableNode, problems: ProblemList): void {
  const control = tableOf(site, "access_control");
  if (control === undefined || !isOn(control)) return;
  const allowed = control.entries.get("allowed_ips");
  const blocked = control.entries.get("blocked_ips");
  const origins = control.entries.get("allow_origins");
  const made: string[] = [];
  if (child(site, "access") === undefined) {
    if (allowed !== undefined && !isEmpty(allowed.node)) openTable(site, "access")?.entries.set("allow", allowed);
    if (blocked !== undefined && !isEmpty(blocked.node)) openTable(site, "access")?.entries.set("deny", blocked);
    if (child(site, "access") !== undefined) made.push("[sites.access]");
  }
  if (child(site, "cors") === undefined && origins !== undefined && !isEmpty(origins.node)) {
    const cors = openTable(site, "cors");
    if (cors !== undefined) giveCors(control, cors, problems);
    made.push("[sites.cors]");
  }
  if (made.length === 0) return;
  warn(control, `access_control, a table of the original BWS, is taken as ${made.join(" and ")}`, problems);
}

function giveCors(control: TableNode, cors: TableNode, problems: ProblemList): void {
  copy(control, "allow_origins", cors, "origins");
  const any = textNodesOf(control, "allow_origins").some(({ value }) => value === "*");
  const methods = control.entries.get("allow_methods");
  if (methods !== undefined && !isEmpty(methods.node)) {
    const all = textNodesOf(control, "allow_methods").some(({ value }) => value === "*");
    cors.entries.set("methods", all ? { ...methods, node: listOf(ALL_METHODS, methods.node) } : methods);
  }
  copy(control, "allow_headers", cors, "headers");
  const credentials = child(control, "allow_credentials");
  if (switchOf(credentials) === true && any) {
    problems.warning(credentials as SourceNode, {
      message:
        'allow_credentials has no effect beside allow_origins = ["*"]: every page of the web could act as its visitor',
      expected: "the origins that are trusted",
    });
  } else copy(control, "allow_credentials", cors, "credentials");
  const age = child(control, "max_age");
  if (age?.kind !== "scalar" || typeof age.value !== "number") return;
  cors.entries.set("max_age", { node: { ...age, value: Math.min(age.value, DAY_SECONDS) } });
}

function translateSiteSecurity(site: TableNode, problems: ProblemList): void {
  const security = tableOf(site, "security");
  const made: string[] = [];
  const enabled = child(security, "enable_security_headers");
  if (security !== undefined && switchOf(enabled) === true && child(site, "security_headers") === undefined) {
    copy(security, "enable_security_headers", site, "security_headers");
    made.push("security_headers = true");
  }
  const own = child(site, "cors_enabled");
  const switched = own ?? child(security, "cors_enabled");
  if (switched !== undefined && switchOf(switched) === true && child(site, "cors") === undefined) {
    const origins = security?.entries.get("cors_origins");
    const given = origins !== undefined && !isEmpty(origins.node);
    openTable(site, "cors")?.entries.set("origins", given ? origins : { node: listOf(["*"], switched) });
    made.push("[sites.cors]");
    if (own !== undefined) warn(own, "cors_enabled, a key of the original BWS, is taken as [sites.cors]", problems);
  }
  if (security === undefined || made.length === 0) return;
  warn(security, `security, a table of the original BWS, is taken as ${made.join(" and ")}`, problems);
}

function translateLimit(limit: TableNode | undefined, problems: ProblemList): void {
  if (limit === undefined || OWN_LIMIT.some((key) => child(limit, key) !== undefined)) return;
  if (!giveLimit(limit, limit)) return;
  warn(limit, "rate_limit of the original BWS is taken as rate, burst and exempt in it", problems);
}

/** Keys that the original does not have. */
const OWN_LIMIT: readonly string[] = ["rate", "max_in_flight", "burst", "key", "exempt", "max_keys", "dry_run"];

/** Gives `own` the keys that `limit` means, and `site` the addresses that it refuses. Returns whether there was a rate. */
function giveLimit(limit: TableNode, own: TableNode, site?: TableNode): boolean {
  const [perMinute, most, seconds] = ["requests_per_minute", "max_requests", "window_seconds"].map((key) =>
    numberOf(child(limit, key))
  );
  const rate = perMinute !== undefined
    ? `${perMinute}/m`
    : most !== undefined
    ? `${most}/${seconds ?? 60}s`
    : undefined;
  if (rate === undefined) {
    // Without a rate the original limits nobody.
    own.entries.set("enabled", { node: { kind: "scalar", value: false, ...placeOf(limit) } });
    own.entries.set("rate", { node: { kind: "scalar", value: "1/s", ...placeOf(limit) } });
    return false;
  }
  own.entries.set("rate", { node: { kind: "scalar", value: rate, ...placeOf(limit) } });
  const burst = numberOf(child(limit, "burst_size")) ?? most;
  if (burst !== undefined) own.entries.set("burst", { node: { kind: "scalar", value: burst, ...placeOf(limit) } });
  copy(limit, "whitelist", own, "exempt");
  const refused = limit.entries.get("blacklist");
  if (refused !== undefined && !isEmpty(refused.node) && site !== undefined && child(site, "access") === undefined) {
    openTable(site, "access")?.entries.set("deny", refused);
  }
  return true;
}

function translateCompression(table: TableNode | undefined, problems: ProblemList): void {
  if (table === undefined) return;
  if (numberOf(child(table, "level"), 0) === 0) {
    table.entries.delete("level");
    table.entries.set("enabled", { node: { kind: "scalar", value: false, ...placeOf(table) } });
  }
  const algorithms = child(table, "algorithms");
  if (algorithms?.kind !== "list") return;
  const names = textNodesOf(table, "algorithms");
  if (!names.some(({ value }) => Object.hasOwn(ALGORITHMS, value))) return;
  const known = names.flatMap(({ value }) => Object.hasOwn(ALGORITHMS, value) ? ALGORITHMS[value] ?? [] : value);
  table.entries.set("algorithms", { node: listOf(known.length === 0 ? ["gzip"] : known, algorithms) });
  warn(algorithms, `algorithms, in words of the original BWS, is taken as ${known.join(", ") || "gzip"}`, problems);
}

function isOn(table: TableNode): boolean {
  return switchOf(child(table, "enabled")) !== false;
}

function isEmpty(node: SourceNode): boolean {
  return node.kind === "list" && node.items.length === 0;
}

function numberOf(node: SourceNode | undefined, least = 1): number | undefined {
  return node?.kind === "scalar" && typeof node.value === "number" && node.value >= least ? node.value : undefined;
}

function listOf(values: readonly string[], place: SourceNode): SourceNode {
  const items = values.map((value): ScalarNode => ({ kind: "scalar", value, ...placeOf(place) }));
  return { kind: "list", items, ...placeOf(place) };
}

function placeOf({ path, span }: Place): Place {
  return { path, span };
}

function copy(from: TableNode, key: string, to: TableNode, name: string): void {
  const entry = from.entries.get(key);
  if (entry !== undefined && !isEmpty(entry.node)) to.entries.set(name, entry);
}

function warn(place: Place, message: string, problems: ProblemList): void {
  problems.warning(place, { message });
}
