/**
 * The keys of the original BWS, a Rust program whose configs run here unchanged, that this BWS does not have. They are listed
 * with name, type and a warning of what has no effect. Keys that have another name here, or can be replaced by other keys, are
 * in `original_meaning.ts`.
 *
 * When a feature is implemented, its table moves from here to the schema.
 *
 * @module
 */

import { z } from "zod";
import { flag, integer, list, size, table, text } from "./fields.ts";
import type { ProblemDetails } from "./problem_list.ts";
import { booleanOf, type KeyPath, type SourceNode, type TableNode } from "./source_tree.ts";

/** A key of the original that has no effect here. */
export interface OriginalKey {
  /** Type of its value; created when a config has the key, since most configs do not. */
  readonly holds: () => z.ZodType;
  /** What has no effect, worded to fit after the key, and what to do instead. Undefined if nothing is missing. */
  readonly missed?: (node: SourceNode, table: TableNode) => ProblemDetails | undefined;
}

const count = () => integer(0, Number.MAX_SAFE_INTEGER, "a whole number from 0");
const words = () => list(text());

const acme = () =>
  table({
    enabled: flag().optional(),
    email: z.string({ error: "an address" }).optional(),
    staging: flag().optional(),
    challenge_dir: text("the path of a folder").optional(),
  });

const ssl = () =>
  table({
    enabled: flag().optional(),
    auto_cert: flag().optional(),
    domains: words().optional(),
    cert_file: text("the path of a PEM file").optional(),
    key_file: text("the path of a PEM file").optional(),
    acme: acme().optional(),
  });

const compression = () =>
  table({
    enabled: flag().optional(),
    types: words().optional(),
    algorithms: words().optional(),
    level: integer(0, 9).optional(),
    min_size: size().optional(),
  });

const accessControl = () =>
  table({
    enabled: flag().optional(),
    allow_methods: words().optional(),
    allow_headers: words().optional(),
    allow_origins: words().optional(),
    allow_credentials: flag().optional(),
    max_age: count().optional(),
    allowed_ips: words().optional(),
    blocked_ips: words().optional(),
  });

const limits = () =>
  table({
    enabled: flag().optional(),
    requests_per_minute: count().optional(),
    burst_size: count().optional(),
    max_requests: count().optional(),
    window_seconds: count().optional(),
    block_duration: count().optional(),
    whitelist: words().optional(),
    blacklist: words().optional(),
  });

const siteSecurity = () =>
  table({
    enable_security_headers: flag().optional(),
    cors_enabled: flag().optional(),
    cors_origins: words().optional(),
  });

const performance = () =>
  table({
    worker_threads: count().optional(),
    workers: count().optional(),
    max_blocking_threads: count().optional(),
    max_connections: count().optional(),
    keep_alive_timeout: count().optional(),
    request_timeout: count().optional(),
    response_timeout: count().optional(),
    read_buffer_size: size().optional(),
    write_buffer_size: size().optional(),
    max_request_size: size().optional(),
    connection_pool_size: count().optional(),
    connection_pool_idle_timeout: count().optional(),
  });

const daemon = () =>
  table({
    user: text().optional(),
    group: text().optional(),
    pid_file: text().optional(),
    working_directory: text().optional(),
    daemonize: flag().optional(),
  });

const monitoring = () =>
  table({
    enabled: flag().optional(),
    health_endpoint: text().optional(),
    detailed_endpoint: text().optional(),
    metrics_endpoint: text().optional(),
    checks: z.record(z.string(), z.unknown()).optional(),
    prometheus: z.record(z.string(), z.unknown()).optional(),
  });

const caching = () =>
  table({
    enabled: flag().optional(),
    max_memory: size().optional(),
    ttl_default: count().optional(),
    ttl_static: count().optional(),
    max_file_size: size().optional(),
    cache_control_override: flag().optional(),
  });

const says = (message: string, expected?: string) => () => ({ message, expected });
/** Message for a switch that is on, or a table that is not switched off. */
const whenOn = (message: string, expected: string) => (node: SourceNode) =>
  isOff(node) ? undefined : { message, expected };
/** Message for a switch that is off, where the feature is always on. */
const whenOff = (message: string, expected: string) => (node: SourceNode) =>
  isOff(node) ? { message, expected } : undefined;

const LOG_FILES = "output in [logging], and access_log for another file of requests";
const ROTATION = "[logging.rotate]";

const TABLES: Readonly<Record<string, Readonly<Record<string, OriginalKey>>>> = {
  "": {
    performance: {
      holds: performance,
      missed: says(
        "has no effect",
        "server.workers, server.max_body_size, sites.proxy.timeout and sites.proxy.connections in its place",
      ),
    },
    security: {
      holds: () =>
        table({
          security_headers: z.record(z.string(), z.string()).optional(),
          hide_server_header: flag().optional(),
          max_request_size: size().optional(),
        }),
    },
    daemon: {
      holds: daemon,
      missed: says(
        "has no effect: BWS stays in the foreground, under the user and in the folder in which it was started",
        "a service manager such as systemd, see examples/deploy",
      ),
    },
    monitoring: {
      holds: monitoring,
      missed: whenOn("has no effect", "[management] enabled = true for metrics; /api/health is always there"),
    },
    caching: {
      holds: caching,
      missed: whenOn("has no effect yet: responses are not cached", "[sites.cache] for Cache-Control"),
    },
    // Taken as that of each site, in original_features.ts, as are the others without `missed`.
    compression: { holds: compression },
  },
  server: {
    version: { holds: text, missed: says("has no effect: BWS reports its own version") },
    description: { holds: () => z.string({ error: "text" }), missed: says("has no effect") },
  },
  logging: {
    error_log: { holds: text, missed: says("has no effect", LOG_FILES) },
    file_path: { holds: text, missed: says('has no effect without output = "file"', LOG_FILES) },
    // With max_size these are taken as keys of [logging.rotate], in original_meaning.ts.
    max_size: { holds: size },
    max_files: { holds: count, missed: says("has no effect without max_size", ROTATION) },
    compress: { holds: flag, missed: whenOn("has no effect without max_size", ROTATION) },
    include_fields: { holds: words, missed: says("has no effect", "fields in [logging.access_log]") },
  },
  security: {
    allowed_origins: { holds: words },
    rate_limiting: { holds: limits },
  },
  sites: {
    access_control: { holds: accessControl },
    // Its keys are taken as those of `tls`, in original_meaning.ts.
    ssl: { holds: ssl },
    security: { holds: siteSecurity },
    cors_enabled: { holds: flag },
    case_sensitive: {
      holds: flag,
      missed: whenOff("has no effect: paths are compared with their case", "case_sensitive = true"),
    },
  },
  "sites.rate_limit": {
    requests_per_minute: { holds: count },
    burst_size: { holds: count },
    max_requests: { holds: count },
    window_seconds: { holds: count },
    block_duration: { holds: count, missed: says("has no effect: who is above the rate is refused until it is below") },
    whitelist: { holds: words },
    blacklist: { holds: words, missed: says("has no effect", "deny in [sites.access]") },
  },
  "sites.cache": {
    enabled: { holds: flag },
    public: {
      holds: flag,
      missed: whenOff(
        'has no effect: max_age is sent as "public"',
        'control = "private, max-age=…" instead of max_age',
      ),
    },
    etag_enabled: { holds: flag, missed: whenOff("has no effect: ETag is always sent", "etag_enabled = true") },
    last_modified_enabled: {
      holds: flag,
      missed: whenOff("has no effect: Last-Modified is always sent", "last_modified_enabled = true"),
    },
    max_age_dynamic: {
      holds: count,
      missed: says(
        "has no effect: what an upstream says of caches reaches the client as it is",
        "Cache-Control in sites.proxy.headers.response.set",
      ),
    },
    cache_control: { holds: text, missed: says("has no effect beside max_age or control", "one of them") },
  },
  "sites.proxy.load_balancing": {
    sticky_sessions: {
      holds: flag,
      missed: whenOn("has no effect: clients do not stay with their upstream", 'method = "cookie"'),
    },
  },
};

/** The key of the original named `key` in the table at `path`, if this BWS does not have it. */
export function originalKey(path: KeyPath, key: string): OriginalKey | undefined {
  const keys = originalKeysOf(path);
  return Object.hasOwn(keys, key) ? keys[key] : undefined;
}

/** All keys of the table at `path` that only the original has. */
export function originalKeysOf(path: KeyPath): Readonly<Record<string, OriginalKey>> {
  const name = path.filter((step) => typeof step === "string").join(".");
  return Object.hasOwn(TABLES, name) ? TABLES[name] : {};
}

/** Whether a switch, or the table that has one, is off. */
function isOff(node: SourceNode): boolean {
  if (node.kind === "table") return !booleanOf(node, "enabled", true);
  return node.kind === "scalar" && node.value === false;
}
