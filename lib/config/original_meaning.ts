/**
 * Translates keys of the original BWS to keys of this BWS. Works on the tree before the schema reads it, so that the values
 * are checked like any others. Each use is a warning with the name to use here.
 *
 * @module
 */

import type { ProblemList } from "./problem_list.ts";
import { openTable, switchOf, taken } from "./tree_changes.ts";
import { translateFeatures } from "./original_features.ts";
import { translateSsl } from "./original_ssl.ts";
import {
  child,
  isTextNode,
  type KeyPath,
  type ScalarNode,
  type SourceNode,
  type TableNode,
  tableOf,
  tablesOf,
  textNode,
} from "./source_tree.ts";

/** Keys that have another name here, in the same table. */
const RENAMED: Readonly<Record<"logging" | "site" | "cache" | "upstream" | "health_check", Record<string, string>>> = {
  logging: { log_requests: "access", log_level: "level", log_format: "format" },
  site: { index_file: "index_files", enable_directory_listing: "browse" },
  cache: { max_age_static: "max_age" },
  upstream: { max_conns: "max_connections" },
  health_check: { retries: "unhealthy_after" },
};

/** Keys of the original's `[logging]` that are keys of `[logging.rotate]` here. */
const ROTATION = { max_size: "size", max_files: "keep", compress: "compress" };

/** Changes keys of the original below `root` to keys of the schema. */
export function giveOriginalMeaning(root: TableNode, problems: ProblemList): void {
  const sites = tablesOf(root, "sites");
  translateLogging(tableOf(root, "logging"), problems);
  for (const site of sites) {
    rename(site, RENAMED.site, problems);
    translateCache(tableOf(site, "cache"), problems);
    translateProxy(tableOf(site, "proxy"), problems);
    translateSsl(site, root, problems);
  }
  translateSecurity(root, sites, problems);
  translateFeatures(root, sites, problems);
}

function translateLogging(logging: TableNode | undefined, problems: ProblemList): void {
  if (logging === undefined) return;
  const output = textNode(logging, "output");
  if (output?.value === "file" && textNode(logging, "file_path") !== undefined) {
    logging.entries.delete("output");
    rename(logging, { file_path: "output" }, problems);
  }
  rename(logging, RENAMED.logging, problems);
  const rotate = child(logging, "max_size") === undefined ? undefined : openTable(logging, "rotate");
  for (const [from, to] of rotate === undefined ? [] : Object.entries(ROTATION)) {
    move({ table: logging, key: from }, { table: rotate as TableNode, key: to }, problems);
  }
  replaceValue(textNode(logging, "level"), "trace", "debug", problems);
  replaceValue(textNode(logging, "format"), "text", "combined", problems);
}

function translateCache(cache: TableNode | undefined, problems: ProblemList): void {
  if (cache === undefined) return;
  if (switchOf(child(cache, "enabled")) === false) return cache.entries.clear();
  rename(cache, RENAMED.cache, problems);
  if (child(cache, "max_age") === undefined) rename(cache, { cache_control: "control" }, problems);
}

function translateProxy(proxy: TableNode | undefined, problems: ProblemList): void {
  if (proxy === undefined) return;
  for (const upstream of tablesOf(proxy, "upstreams")) rename(upstream, RENAMED.upstream, problems);
  const check = tableOf(proxy, "health_check");
  if (check !== undefined) rename(check, RENAMED.health_check, problems);
  const headers = tableOf(proxy, "headers");
  if (headers !== undefined) {
    move({ table: headers, key: "preserve_host" }, { table: proxy, key: "preserve_host" }, problems);
  }
}

function translateSecurity(root: TableNode, sites: readonly TableNode[], problems: ProblemList): void {
  const security = tableOf(root, "security");
  if (security === undefined) return;
  const limit = textNode(security, "max_request_size");
  // In the original, KB and the other units are powers of two.
  if (limit !== undefined) limit.value = limit.value.replace(/^\s*(\d+)\s*([kmg])b\s*$/i, "$1$2iB");
  const server = openTable(root, "server");
  if (server !== undefined) {
    move({ table: security, key: "max_request_size" }, { table: server, key: "max_body_size" }, problems);
  }
  hideServer(security, sites, problems);
  const fields = tableOf(security, "security_headers");
  if (fields === undefined) return;
  for (const site of sites) addFields(site, fields);
  taken(security, "security_headers", "[sites.headers] of each site", problems);
}

/** This BWS sends no Server field of its own, so the field of upstreams is removed. */
function hideServer(security: TableNode, sites: readonly TableNode[], problems: ProblemList): void {
  const entry = security.entries.get("hide_server_header");
  if (entry === undefined || switchOf(entry.node) !== true) return;
  const proxies = sites.flatMap((site) => tableOf(site, "proxy") ?? []);
  for (const proxy of proxies) {
    const headers = openTable(proxy, "headers");
    const response = headers === undefined ? undefined : openTable(headers, "response");
    if (response !== undefined) addName(response, "remove", { path: entry.node.path, span: entry.node.span });
  }
  taken(security, "hide_server_header", 'headers.response.remove = ["Server"] of each proxy', problems);
}

function addName(table: TableNode, key: string, place: { path: KeyPath; span: TableNode["span"] }): void {
  const names = child(table, key);
  const scalar = (value: unknown): ScalarNode => ({ kind: "scalar", value, ...place });
  if (names === undefined) {
    table.entries.set(key, { node: { kind: "list", items: [scalar("server")], ...place } });
  } else if (names.kind === "list") {
    names.items.push(scalar("server"));
  } else if (names.kind === "table") {
    names.entries.set("server", { node: scalar(true) });
  }
}

/** As in the original, these fields replace fields of the site with the same name. */
function addFields(site: TableNode, fields: TableNode): void {
  const headers = openTable(site, "headers");
  if (headers === undefined) return;
  const names = new Set([...fields.entries.keys()].map((name) => name.toLowerCase()));
  for (const name of [...headers.entries.keys()]) if (names.has(name.toLowerCase())) headers.entries.delete(name);
  for (const [name, { node, keySpan }] of fields.entries) headers.entries.set(name, { node: { ...node }, keySpan });
}

function rename(table: TableNode, names: Readonly<Record<string, string>>, problems: ProblemList): void {
  for (const [from, to] of Object.entries(names)) move({ table, key: from }, { table, key: to }, problems);
}

/** A key of a table. */
interface KeyPlace {
  readonly table: TableNode;
  readonly key: string;
}

function move(from: KeyPlace, to: KeyPlace, problems: ProblemList): void {
  const entry = from.table.entries.get(from.key);
  if (entry === undefined) return;
  const name = to.table === from.table
    ? to.key
    : [...to.table.path.filter((step) => typeof step === "string"), to.key].join(".");
  if (to.table.entries.has(to.key)) {
    from.table.entries.delete(from.key);
    const place = { path: entry.node.path, span: entry.keySpan };
    return problems.warning(place, { message: `${from.key} has no effect beside ${name}`, expected: "one of them" });
  }
  to.table.entries.set(to.key, { ...entry, node: to.key === "index_files" ? listOf(entry.node) : entry.node });
  taken(from.table, from.key, name, problems);
}

function listOf(node: SourceNode): SourceNode {
  return isTextNode(node) ? { kind: "list", path: node.path, span: node.span, items: [node] } : node;
}

function replaceValue(node: ScalarNode | undefined, from: string, to: string, problems: ProblemList): void {
  if (node?.value !== from) return;
  node.value = to;
  problems.warning(node, {
    message: `"${from}", a word of the original BWS, is taken as "${to}"`,
  });
}
