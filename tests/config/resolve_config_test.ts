// @ts-types="../../types/std/assert.d.ts"
import { assertEquals, assertThrows } from "@std/assert";
import { LISTENER_LIMITS } from "../../lib/listener/own/limits_schema.ts";
import { ConfigError } from "../../lib/config/config_error.ts";
import { sentenceOf } from "../../lib/config/problem.ts";
import { resolveConfig } from "../../lib/generation/config/resolve_config.ts";
import type { ConfigInput } from "../../lib/generation/config/config_types.ts";

const INPUT: ConfigInput = {
  sites: [{
    proxy: {
      upstreams: [{ name: "app", url: "http://127.0.0.1:3000" }],
      routes: [{ path: "/", upstream: "app" }],
    },
  }],
};

Deno.test("resolveConfig() fills in every default", () => {
  assertEquals(resolveConfig(INPUT).config, {
    server: {
      name: "bws",
      trusted_proxies: [],
      name_servers: [],
      workers: 1,
      limits: LISTENER_LIMITS,
      stream_close_delay: 5000,
      sockets: "auto",
      reuse_port: false,
      shutdown_delay: 0,
      shutdown_timeout: 30_000,
    },
    logging: {
      level: "info",
      format: "json",
      output: "stdout",
      access: true,
      syslog: { facility: "local7", app_name: "bws" },
    },
    management: { enabled: false, host: "127.0.0.1", port: 7654, metrics: true },
    acme: {
      ...{ agree_tos: true, directories: [], staging: false, key_type: "p256", http_port: 80 },
      ...{ dns_timeout: 60_000, propagation_delay: 10_000 },
    },
    sites: [{
      name: "site-1",
      hostnames: [],
      port: 8080,
      default: false,
      proxy_protocol: false,
      index_files: ["index.html"],
      browse: false,
      try_files: [],
      dotfiles: false,
      follow_symlinks: false,
      precompressed: true,
      media_types: {},
      api_only: false,
      file_rules: [],
      intercept_errors: [],
      headers: {},
      request_id: { header: "X-Request-Id", trust: true },
      error_pages: {},
      redirects: [],
      rewrite: [],
      respond: [],
      internal_api: true,
      cache: { rules: [] },
      redirect_slash: true,
      proxy: {
        enabled: true,
        preserve_host: true,
        upstreams: [{ name: "app", url: "http://127.0.0.1:3000", weight: 1, max_connections: 0, backup: false }],
        routes: [{
          ...{ path: "/", upstream: "app", strip_prefix: false, websocket: false },
          ...{ exact: false, pattern: false, streaming: false },
        }],
        load_balancing: { method: "round_robin", slow_start: 0, when_all_unhealthy: "reject" },
        timeout: { connect: 5000, read: 60_000, write: 30_000, client: 60_000, min_upload_rate: 500 },
        headers: {
          add_x_forwarded: true,
          add_forwarded: false,
          add: {},
          remove: [],
          request: { set: {}, add: {}, remove: [] },
          response: { set: {}, add: {}, remove: [] },
        },
        connections: {
          ...{ max_idle: 256, idle_timeout: 4000, max_streams: 100, ping_interval: 300_000 },
          ...{ max_connections: 0, queue_size: 1024, queue_timeout: 5000 },
        },
        websocket: {
          ping_interval: 30_000,
          idle_timeout: 60_000,
          max_buffered: 4 * 1024 * 1024,
          max_message: 64 * 1024 * 1024,
          drain: 5000,
        },
        health_check: {
          enabled: false,
          kind: "http",
          path: "/",
          method: "GET",
          headers: {},
          interval: 10_000,
          timeout: 2000,
          healthy_after: 2,
          initial: "healthy",
          unhealthy_after: 3,
        },
        passive_health: {
          enabled: true,
          max_fails: 5,
          fail_window: 30_000,
          eject_for: 10_000,
          max_eject_for: 300_000,
          max_ejected_percent: 50,
          fail_status: [[500, 500], [502, 504], [506, 507], [509, 509], [511, 599]],
        },
        circuit_breaker: {
          enabled: false,
          failure_ratio: 0.5,
          min_requests: 20,
          window: 10_000,
          open_for: 10_000,
          trial_requests: 3,
          slow_ratio: 0.5,
          max_in_flight: 0,
        },
        retries: {
          attempts: 3,
          try_for: 0,
          backoff: 25,
          max_backoff: 1000,
          retry_on: [],
          retry_buffer: 65_536,
          budget: 0.2,
          min_per_second: 10,
          show_attempts: false,
        },
      },
    }],
  });
});

Deno.test("resolveConfig() names key paths in the problems of an object", () => {
  const input = structuredClone(INPUT);
  input.sites[0].proxy?.routes?.push({ path: "/x", upstream: "ap" }, { path: "y", upstream: "app" });
  const error = assertThrows(() => resolveConfig(input), ConfigError);
  assertEquals(error.problems.map(({ path, line, column, file }) => [path, line, column, file]), [
    ["sites[0].proxy.routes[2].path", 0, 0, ""],
    ["sites[0].proxy.routes[1].upstream", 0, 0, ""],
  ]);
  assertEquals(error.message.split("\n"), [
    'sites[0].proxy.routes[2].path: error: path is "y", expected a path that begins with "/" and holds no spaces',
    'sites[0].proxy.routes[1].upstream: error: unknown upstream "ap", expected "app"',
  ]);
});

Deno.test("resolveConfig() does not change its input and takes undefined for absent", () => {
  const input: ConfigInput = { sites: [{ static_dir: ".", name: undefined, headers: { a: "${HOME}" } }] };
  const before = structuredClone(input);
  const { config } = resolveConfig(input, { baseDir: "/tmp" });
  assertEquals(input, before);
  assertEquals([config.sites[0].name, config.sites[0].headers.a], ["site-1", "${HOME}"]);
});

Deno.test("resolveConfig() takes TOML text as well", () => {
  assertEquals(resolveConfig('[[sites]]\nstatic_dir = "/"').config.sites[0].static_dir, "/");
  assertThrows(() => resolveConfig("[[sites]]\nport = 1"), ConfigError, "config.toml:1:1: error: the site neither");
});

Deno.test("resolveConfig() refuses unknown keys, and only warns of them where it reads leniently", () => {
  const input = { ...INPUT, serverr: {} };
  assertThrows(() => resolveConfig(input), ConfigError, "serverr: error");
  assertEquals(resolveConfig(input, { lenient: true }).warnings.map(sentenceOf), [
    'unknown key "serverr" in the file (did you mean "server"?)',
  ]);
});

Deno.test("resolveConfig() refuses cycles and functions without harm", () => {
  const cycle: Record<string, unknown> = { static_dir: "/" };
  cycle.headers = cycle;
  const hostile: ConfigInput = JSON.parse('{"sites":[]}');
  Object.assign(hostile, { sites: [cycle, { static_dir: "/", port: 1, browse: () => true }] });
  const error = assertThrows(() => resolveConfig(hostile), ConfigError);
  assertEquals(error.problems.map(({ path }) => path), ["sites[0].headers.headers", "sites[1].browse"]);
});
