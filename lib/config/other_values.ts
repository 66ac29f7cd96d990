/**
 * Values of other servers, with what to write here. Data for messages only; none of these values is accepted.
 *
 * @module
 */

import type { KeyPath } from "./source_tree.ts";

const METHODS: Readonly<Record<string, string>> = {
  least_conn: "least_connections",
  leastconn: "least_connections",
  least_connection: "least_connections",
  least_request: "least_connections",
  lc: "least_connections",
  wlc: "least_connections",
  rr: "round_robin",
  roundrobin: "round_robin",
  static_rr: "round_robin",
  wrr: "weighted_round_robin",
  weighted_rr: "weighted_round_robin",
  iphash: "ip_hash",
  client_ip_hash: "ip_hash",
  source: "ip_hash",
  hash: "ip_hash",
  uri: "uri_hash",
  url_hash: "uri_hash",
  path_hash: "uri_hash",
  hdr: "header_hash",
  header: "header_hash",
  sticky: "cookie",
  sticky_cookie: "cookie",
  two: "power_of_two",
  p2c: "power_of_two",
  random_choose: "power_of_two",
  random_two: "power_of_two",
  power_of_two_choices: "power_of_two",
  latency: "least_time",
  least_latency: "least_time",
  failover: "first",
  priority: "first",
};

/** Values for a key, by its path without indices. */
const WORDS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "sites.proxy.load_balancing.method": METHODS,
  "sites.proxy.load_balancing.cookie.fallback": METHODS,
  "sites.proxy.load_balancing.when_all_unhealthy": { fail: "reject", panic: "try_anyway" },
  "sites.proxy.health_check.kind": { https: "http", httpchk: "http", tcp_check: "tcp" },
  "sites.try_files": {
    "404": "=404",
    "$uri": "$path",
    "$uri/": "$path/",
    "{path}": "$path",
    "{path}/": "$path/",
    "{file}": "$path",
    "$request_uri": "$path",
  },
  "logging.level": {
    warning: "warn",
    notice: "info",
    verbose: "debug",
    err: "error",
    crit: "error",
    critical: "error",
    fatal: "error",
    emerg: "error",
  },
  "logging.format": { common: "combined", clf: "combined", main: "combined", console: "combined", structured: "json" },
  "server.sockets": { io_uring: "uring", iouring: "uring", native: "auto", kqueue: "auto", deno: "runtime" },
  "server.listener": { deno: "runtime", bws: "own" },
  "server.workers": { max: "auto", cpus: "auto", all: "auto" },
};

/** What to write if a list is given for a key that takes one value. */
const ONE_EACH: Readonly<Record<string, string>> = {
  "sites.hostname": 'one host name; for several, hostnames = ["a.example", "b.example"]',
  "sites.port": "one port; a site for each further port",
  "sites.listen": "one address; without it, all of them",
  "sites.static_dir": "one folder; a site for each further folder",
  "sites.proxy.routes.path": "one path; a route for each further path",
  "sites.proxy.routes.upstream": "one pool; upstreams of one name share its load",
  "sites.proxy.upstreams.url": "one URL; a further [[sites.proxy.upstreams]] of the same name for each further URL",
};

/** The text to write in place of `value` at `path`; undefined if there is no advice. */
export function valueOfOtherTool(path: KeyPath, value: unknown): string | undefined {
  const name = keyName(path);
  if (!Object.hasOwn(WORDS, name)) return undefined;
  const words = WORDS[name];
  const word = String(value).trim().toLowerCase();
  for (const form of [word, word.replace(/[- ]/g, "_")]) {
    if (Object.hasOwn(words, form)) return words[form];
  }
  return undefined;
}

/** What is expected for a list at a key that takes one value. */
export function oneInsteadOfList(path: KeyPath): string | undefined {
  const name = keyName(path);
  return Object.hasOwn(ONE_EACH, name) ? ONE_EACH[name] : undefined;
}

function keyName(path: KeyPath): string {
  return path.filter((step) => typeof step === "string").join(".");
}
