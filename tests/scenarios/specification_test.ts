// @ts-types="../../types/std/assert.d.ts"
import { assertEquals, assertExists } from "@std/assert";
import { loadConfig } from "../../lib/generation/config/load_config.ts";
import { parseConfig } from "../../lib/generation/config/parse_config.ts";
import { sentenceOf } from "../../lib/config/problem.ts";
import type { Config } from "../../lib/generation/config/config_types.ts";
import { scriptTest } from "../support/specification_script.ts";

const TESTS = new URL("../", import.meta.url);
const SCRIPT_PORTS = [8080, 8081, 8082, 3001, 3002, 3003];

scriptTest("test_load_balance.sh", SCRIPT_PORTS);

Deno.test("test_load_balancing.toml is accepted without a warning", async () => {
  const { config, warnings } = await loadConfig(new URL("test_load_balancing.toml", TESTS).pathname);
  assertEquals(warnings, []);
  assertEquals(config.sites.map(({ name, port }) => `${name}:${port}`), [
    "roundrobin.example.com:8080",
    "proxy.localhost:8080",
    "weighted.example.com:8081",
    "leastconn.example.com:8082",
  ]);
});

// The folders that the specification names are its author's.
function parse(text: string) {
  return parseConfig(text, { checkFiles: false, baseDir: "/" });
}

function accepted(text: string): Config {
  const { config, problems, warnings } = parse(text);
  assertEquals([...problems, ...warnings].map(sentenceOf), []);
  assertExists(config);
  return config;
}

const UPSTREAMS = `
[[sites.proxy.upstreams]]
name = "backend-pool"
url = "http://127.0.0.1:3001"
weight = 3

[[sites.proxy.upstreams]]
name = "backend-pool"
url = "http://127.0.0.1:3002"
weight = 1
`;
const ROUTE = `
[[sites.proxy.routes]]
path = "/api/"
upstream = "backend-pool"
strip_prefix = false
`;

Deno.test("Specification, configuration structure: every key means what it says", () => {
  const { proxy } = accepted(`
[[sites]]
[sites.proxy]
enabled = true
${UPSTREAMS}${ROUTE}
[sites.proxy.load_balancing]
method = "round_robin"

[sites.proxy.timeout]
read = 30
write = 30

[sites.proxy.headers]
add_x_forwarded = true
add_forwarded = true

[sites.proxy.headers.add]
"X-Powered-By" = "BWS"

[sites.proxy.headers.remove]
"X-Internal-Header" = true
`).sites[0];
  assertExists(proxy);
  assertEquals(proxy.upstreams.map(({ name, url, weight }) => [name, url, weight]), [
    ["backend-pool", "http://127.0.0.1:3001", 3],
    ["backend-pool", "http://127.0.0.1:3002", 1],
  ]);
  assertEquals(proxy.routes.map(({ path, upstream, strip_prefix }) => [path, upstream, strip_prefix]), [
    ["/api/", "backend-pool", false],
  ]);
  assertEquals(proxy.load_balancing.method, "round_robin");
  assertEquals([proxy.timeout.read, proxy.timeout.write], [30_000, 30_000]);
  assertEquals([proxy.headers.add_x_forwarded, proxy.headers.add_forwarded], [true, true]);
  assertEquals([proxy.headers.add, proxy.headers.remove], [{ "X-Powered-By": "BWS" }, ["x-internal-header"]]);
});

for (const method of ["round_robin", "weighted", "least_connections"]) {
  Deno.test(`Specification, load balancing algorithms: ${method} is accepted`, () => {
    const config = accepted(`
[[sites]]
[sites.proxy.load_balancing]
method = "${method}"
${UPSTREAMS}${ROUTE}`);
    assertEquals(config.sites[0].proxy?.load_balancing.method, method);
  });
}

Deno.test("Specification, basic API proxy: accepted", () => {
  const config = accepted(`
[[sites]]
name = "api.example.com"
hostname = "api.example.com"
port = 80

[sites.proxy]
enabled = true

[[sites.proxy.upstreams]]
name = "api-backend"
url = "http://127.0.0.1:3000"

[[sites.proxy.routes]]
path = "/v1/"
upstream = "api-backend"
`);
  assertEquals([config.sites[0].port, config.sites[0].static_dir], [80, undefined]);
});

const LOAD_BALANCED = (first: string, second: string) => `
[[sites]]
name = "app.example.com"
hostname = "app.example.com"
port = 80

[sites.proxy]
enabled = true

[[sites.proxy.upstreams]]
name = "${first}"
url = "http://10.0.1.10:8080"
weight = 2

[[sites.proxy.upstreams]]
name = "${second}"
url = "http://10.0.1.11:8080"
weight = 1

[[sites.proxy.routes]]
path = "/"
upstream = "app-servers"

[sites.proxy.load_balancing]
method = "weighted"

[sites.proxy.health_check]
enabled = true
interval_seconds = 15
path = "/health"
`;

Deno.test("Specification, load balanced application: its route names no pool, which is refused with a place and a name", () => {
  const { config, problems } = parse(LOAD_BALANCED("app-server-1", "app-server-2"));
  assertEquals(config, undefined);
  assertEquals(problems.map((problem) => [problem.line, problem.column, sentenceOf(problem)]), [[
    22,
    12,
    'unknown upstream "app-servers", expected one of "app-server-1", "app-server-2" (did you mean "app-server-1"?)',
  ]]);
});

Deno.test("Specification, load balanced application: accepted once its upstreams have the pool's name", () => {
  const { proxy } = accepted(LOAD_BALANCED("app-servers", "app-servers")).sites[0];
  assertEquals(proxy?.health_check.interval, 15_000);
  assertEquals([proxy?.health_check.enabled, proxy?.health_check.path], [true, "/health"]);
});

Deno.test("Specification, mixed static and proxy: accepted", () => {
  const [site] = accepted(`
[[sites]]
name = "example.com"
hostname = "example.com"
port = 80
static_dir = "/var/www/example.com"

[sites.proxy]
enabled = true

[[sites.proxy.upstreams]]
name = "api"
url = "http://127.0.0.1:3000"

[[sites.proxy.upstreams]]
name = "admin"
url = "http://127.0.0.1:4000"

# Proxy API requests
[[sites.proxy.routes]]
path = "/api/"
upstream = "api"
strip_prefix = true

# Proxy admin interface
[[sites.proxy.routes]]
path = "/admin/"
upstream = "admin"
strip_prefix = false

# Static files are served for all other paths
`).sites;
  assertEquals(site.static_dir, "/var/www/example.com");
  assertEquals(site.proxy?.routes.map(({ strip_prefix }) => strip_prefix), [true, false]);
});

Deno.test("Specification, WebSocket configuration: accepted", () => {
  const [site] = accepted(`
[[sites]]
name = "websocket-app"
hostname = "ws.example.com"
port = 8080
static_dir = "./static"

[sites.proxy]
enabled = true

# WebSocket upstream servers
[[sites.proxy.upstreams]]
name = "chat_servers"
url = "http://localhost:3001"  # Will be converted to ws://localhost:3001
weight = 1

[[sites.proxy.upstreams]]
name = "chat_servers"
url = "http://localhost:3002"  # Will be converted to ws://localhost:3002
weight = 1

# WebSocket routes
[[sites.proxy.routes]]
path = "/ws/chat"
upstream = "chat_servers"
strip_prefix = true
websocket = true

[[sites.proxy.routes]]
path = "/ws/notifications"
upstream = "chat_servers"
strip_prefix = false
websocket = true

# Load balancing for WebSocket connections
[sites.proxy.load_balancing]
method = "round_robin"  # or "weighted", "least_connections"
`).sites;
  assertEquals(site.static_dir, "/static");
  assertEquals(site.proxy?.routes.map(({ websocket }) => websocket), [true, true]);
});
