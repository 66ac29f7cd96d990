// @ts-types="../../types/std/assert.d.ts"
import { assert, assertEquals } from "@std/assert";
import { parseConfig } from "../../lib/generation/config/parse_config.ts";
import { resolveConfig } from "../../lib/generation/config/resolve_config.ts";
import { assertErrors, assertWarnings, PROXY } from "./marked_config.ts";

const SITE = '[[sites]]\nstatic_dir = "/"\n';
const DURATION = 'a duration above 0 to 24 days: seconds, or text such as "250ms", "30s", "1m30s", "1h", "7d"';

/** What somebody writes who knows another server, and what is said about it. */
const ERRORS: readonly (readonly [marked: string, ...sentences: string[]])[] = [
  // One key has another meaning in another table
  [
    `${PROXY}[sites.proxy.health_check]\n«uri» = "/h"\n«url» = "/h"`,
    'unknown key "uri" in [sites.proxy.health_check], expected path = "/healthz"',
    'unknown key "url" in [sites.proxy.health_check], expected path = "/healthz"',
  ],
  [
    `${PROXY}«uri» = "/h"`,
    'unknown key "uri" in [[sites.proxy.routes]], expected path, strip_prefix and rewrite_target in the route',
  ],
  [`${PROXY}[sites.proxy.timeout]\n«server» = "30s"`, 'unknown key "server" in [sites.proxy.timeout], expected read'],
  [
    `${PROXY}[sites.proxy.routes.«timeouts»]\nread = "3s"`,
    'unknown key "timeouts" in [[sites.proxy.routes]], expected connect, read, write and client in [sites.proxy.routes.timeout]',
  ],
  [
    `${PROXY}«read_timeout» = "3s"\n[sites.proxy.«timeouts»]\nread = "3s"`,
    'unknown key "read_timeout" in [[sites.proxy.routes]], expected read in [sites.proxy.routes.timeout]',
    'unknown key "timeouts" in [sites.proxy], expected connect, read, write and client in [sites.proxy.timeout]',
  ],
  [
    `${PROXY}[sites.proxy.routes.timeout]\n«server» = "30s"`,
    'unknown key "server" in [sites.proxy.routes.timeout], expected read',
  ],
  [`${SITE}«default_server» = true`, 'unknown key "default_server" in [[sites]], expected default = true in [[sites]]'],
  [
    `${SITE}try_files = «"$uri $uri/ /index.html"»`,
    'try_files is "$uri $uri/ /index.html", expected a list of texts, such as ["$path", "$path/", "/index.html"]',
  ],
  [`${PROXY}methods = «"GET POST"»`, 'methods is "GET POST", expected a list of methods, such as ["GET", "POST"]'],
  [`${PROXY}methods = «"GET, POST"»`, 'methods is "GET, POST", expected a list of methods, such as ["GET", "POST"]'],
  [
    `${PROXY}[sites.proxy.load_balancing]\nmethod = «"least_conn"»`,
    'unknown policy "least_conn", expected one of "round_robin", "weighted", "least_connections", "weighted_round_robin", "random", "power_of_two", "first", "least_time", "ip_hash", "uri_hash", "header_hash", "cookie" (did you mean "least_connections"?)',
  ],
  [
    `[[sites]]\n«root» = "/var/www"\n[sites.proxy]\nenabled = true\nroutes = []`,
    'unknown key "root" in [[sites]], expected static_dir = "www" in [[sites]]',
  ],
  [
    `${SITE}«gzip» = true`,
    'unknown key "gzip" in [[sites]], expected [sites.compression]',
  ],
  [
    `${SITE}«ssl_certificate» = "a.pem"`,
    'unknown key "ssl_certificate" in [[sites]], expected cert_file in [sites.tls]',
  ],
  [
    `${SITE}[sites.«auth_basic»]\nusers = ["a:b"]`,
    'unknown key "auth_basic" in [[sites]], expected [sites.basic_auth] with users',
  ],
  [
    `${PROXY}[sites.proxy.«rate_limit»]\nrate = 5`,
    'unknown key "rate_limit" in [sites.proxy], expected [sites.rate_limit], such as rate = "5/s"',
  ],
  [
    `${SITE}[sites.«enable_cors»]\norigins = ["*"]`,
    'unknown key "enable_cors" in [[sites]], expected [sites.cors] with origins',
  ],
  [
    `${SITE}«redirect» = "/new"\n«redir» = "/x"`,
    'unknown key "redirect" in [[sites]], expected [[sites.redirects]] with from and to',
    'unknown key "redir" in [[sites]], expected [[sites.redirects]] with from and to',
  ],
  [
    `${PROXY}[sites.proxy.«upstream»]\nurl = "http://x"`,
    'unknown key "upstream" in [sites.proxy], expected [[sites.proxy.upstreams]], one for each server; those of one name are a pool; upstream = "the name of a pool" is a key of [[sites.proxy.routes]]',
  ],
  [
    `${PROXY}[[sites.proxy.«servers»]]\nurl = "http://x"`,
    'unknown key "servers" in [sites.proxy], expected [[sites.proxy.upstreams]], one for each server; those of one name are a pool',
  ],
  [
    `${PROXY}«proxy_pass» = "http://x"`,
    'unknown key "proxy_pass" in [[sites.proxy.routes]], expected upstream = "the name of a pool" in [[sites.proxy.routes]], and url in [[sites.proxy.upstreams]], one for each server; those of one name are a pool',
  ],
  [
    `${PROXY}«backend» = "app"`,
    'unknown key "backend" in [[sites.proxy.routes]], expected upstream = "the name of a pool"',
  ],
  [
    `${SITE}«clientMaxBodySize» = "5m"\nmax_body_size = «"5m"»`,
    'unknown key "clientMaxBodySize" in [[sites]], expected max_body_size = "10MB" in [server], [[sites]] or [[sites.proxy.routes]]',
    'max_body_size is "5m", expected a size above 0: bytes, or text such as "10MB", "512KiB", "1GiB" (did you mean "5MiB"?)',
  ],
  [
    `${SITE}try_files = [«"$uri"», «"$uri/"», «"404"», «404»]`,
    ...['"$uri"', '"$uri/"', '"404"', "404"].map((value, index) =>
      `try_files[${index}] is ${value}, expected a path that begins with "/" or "$path", or "=404" (did you mean ${
        ['"$path"', '"$path/"', '"=404"', '"=404"'][index]
      }?)`
    ),
  ],
  [
    PROXY.replace('upstream = "app"', 'upstream = «"http://127.0.0.1:3000"»'),
    'unknown upstream "http://127.0.0.1:3000", expected the name of a pool; the URL belongs into [[sites.proxy.upstreams]]',
  ],
  [
    PROXY.replace('path = "/"', 'path = «"/img/*"»'),
    'path "/img/*" holds a "*" or braces, which only patterns know, expected the prefix alone, which matches all below it (did you mean "/img/"?)',
  ],
  [
    PROXY.replace('path = "/"', 'path = «"/users/{id}"»'),
    'path "/users/{id}" holds a "*" or braces, which only patterns know, expected pattern = true, and the syntax of a URLPattern pathname (did you mean "/users/:id"?)',
  ],
  [
    PROXY.replace('path = "/"', 'pattern = true\npath = «"/users/{id:[0-9]+}/x"»'),
    'path "/users/{id:[0-9]+}/x" has braces around a name, which match the name itself, expected a name behind a colon, such as "/users/:id" (did you mean "/users/:id([0-9]+)/x"?)',
  ],
  [
    `${SITE}[[sites.cache.rules]]\ncontrol = "no-cache"\nextensions = ["css", «"*.html"»]`,
    'extensions[1] is "*.html", expected a file extension such as "css" (did you mean "html"?)',
  ],
  [
    `${SITE}[server]\nshutdown_timeout = «"30 seconds"»`,
    `shutdown_timeout is "30 seconds", expected ${DURATION} (did you mean "30s"?)`,
  ],
  [
    `${SITE}[server]\nshutdown_timeout = «"5sec"»`,
    `shutdown_timeout is "5sec", expected ${DURATION} (did you mean "5s"?)`,
  ],
  [
    `${SITE}[server]\nshutdown_timeout = «"1 hour and 5 minutes, 250 msecs"»`,
    `shutdown_timeout is "1 hour and 5 minutes, 250 msecs", expected ${DURATION} (did you mean "1h5m250ms"?)`,
  ],
  [
    `${SITE}hostname = «["a.example", "b.example"]»`,
    'hostname is a list, expected one host name; for several, hostnames = ["a.example", "b.example"]',
  ],
  [
    `${SITE}listen = «"0.0.0.0:8080"»`,
    'listen is "0.0.0.0:8080", expected an IP address without brackets; the port is a key of its own',
  ],
  [`${SITE}listen = «8080»`, "listen is 8080, expected an IP address without brackets; the port is a key of its own"],
  // Limits of clients
  [
    `${SITE}«worker_connections» = 1024\n[server]\n«client_header_timeout» = "9s"\n«maxconn» = 9\n«idle_timeout» = "9s"`,
    'unknown key "worker_connections" in [[sites]], expected max_connections in [server.limits] or [sites.limits]',
    'unknown key "client_header_timeout" in [server], expected header_timeout in [server.limits] or [sites.limits]',
    'unknown key "maxconn" in [server], expected max_connections in [server.limits] or [sites.limits]',
    'unknown key "idle_timeout" in [server], expected idle_timeout in [server.limits] or [sites.limits]',
  ],
  [
    `${SITE}[sites.limits]\n«client_body_timeout» = "9s"\n«send_timeout» = "9s"\n«keepalive_requests» = 9\n«limit_conn» = 9`,
    'unknown key "client_body_timeout" in [sites.limits], expected body_timeout',
    'unknown key "send_timeout" in [sites.limits], expected write_timeout',
    'unknown key "keepalive_requests" in [sites.limits], expected max_requests',
    'unknown key "limit_conn" in [sites.limits], expected max_connections_per_address; max_in_flight in [sites.rate_limit] for requests',
  ],
  [
    `${PROXY}[sites.proxy.connections]\n«keepalive_timeout» = "9s"\n[sites.proxy.timeout]\n«min_rate» = 9`,
    'unknown key "keepalive_timeout" in [sites.proxy.connections], expected idle_timeout in [sites.proxy.connections]',
    'unknown key "min_rate" in [sites.proxy.timeout], expected min_upload_rate in [sites.proxy.timeout]',
  ],
  [
    `${SITE}[server]\nsockets = «"io_uring"»`,
    'sockets is "io_uring", expected one of "auto", "runtime", "epoll", "uring" (did you mean "uring"?)',
  ],
  [
    `${PROXY}[[sites.proxy.upstreams]]\nname = "app"\nurl = «"http://unix:/run/app.sock:"»\n«send-proxy» = true`,
    'url is "http://unix:/run/app.sock:", expected a unix socket as "unix:/run/app.sock" (did you mean "unix:/run/app.sock"?)',
    'unknown key "send-proxy" in [[sites.proxy.upstreams]], expected proxy_protocol = "v1"',
  ],
  [
    `${PROXY}«auth_request» = "/a"\n«upgrade» = true\n«proxy_buffering» = "off"\n[sites.proxy.websocket]\n«ping» = 9`,
    'unknown key "auth_request" in [[sites.proxy.routes]], expected [sites.forward_auth] with url',
    'unknown key "upgrade" in [[sites.proxy.routes]], expected websocket = true in the route',
    'unknown key "proxy_buffering" in [[sites.proxy.routes]], expected [sites.request_buffering] for bodies of requests; responses are always streamed',
    'unknown key "ping" in [sites.proxy.websocket], expected ping_interval',
  ],
  [
    `${SITE}port = «"8080"»\nbrowse = «"on"»\nhostnames = «"a.example"»`,
    'port is "8080", expected a whole number from 0 to 65535, without quotes',
    'browse is "on", expected true, without quotes',
    'hostnames is "a.example", expected a list of texts, such as ["a.example"]',
  ],
  [
    `${SITE}[logging]\nlevel = «"warning"»`,
    'level is "warning", expected one of "debug", "info", "warn", "error" (did you mean "warn"?)',
  ],
  [
    `${PROXY}[sites.proxy.timeout]\n«proxy_read_timeout» = 5`,
    'unknown key "proxy_read_timeout" in [sites.proxy.timeout], expected read in [sites.proxy.timeout]',
  ],
];

for (const [marked, ...sentences] of ERRORS) {
  Deno.test(`What other servers call ${sentences[0].split(",")[0]} is refused with what to write`, () => {
    assertErrors(marked, sentences);
  });
}

Deno.test("Each method of balancing that has another name elsewhere is known by it", () => {
  const cases = {
    leastconn: "least_connections",
    "Least-Conn": "least_connections",
    rr: "round_robin",
    "round robin": "round_robin",
    wrr: "weighted_round_robin",
    "ip-hash": "ip_hash",
    source: "ip_hash",
    p2c: "power_of_two",
    sticky: "cookie",
  };
  for (const [written, meant] of Object.entries(cases)) {
    const text = `${PROXY}[sites.proxy.load_balancing]\nmethod = "${written}"`;
    const { problems } = parseConfig(text, { checkFiles: false });
    assertEquals(problems.map(({ suggestion }) => suggestion), [meant], written);
  }
});

Deno.test("A pattern's syntax in a route that is none is warned of", () => {
  assertWarnings(PROXY.replace('path = "/"', 'path = «"/users/:id"»'), [
    'path "/users/:id" matches the colon and the name as they are written, expected pattern = true, where the name stands for any segment',
  ]);
});

Deno.test("Variables of other servers are warned of, as they are sent as they are written", () => {
  const path = "expected text without variables: BWS has none, and sends Host, X-Forwarded-* and X-Real-IP by itself";
  const field =
    "expected a placeholder such as {host}, {client.ip} or {header.NAME}, or nothing: Host, X-Forwarded-* and X-Real-IP are sent by themselves";
  assertWarnings(
    `${PROXY}rewrite_target = «"/new/$1"»
[sites.proxy.headers.request.set]
X-Host = «"$host"»
X-Price = "5$ {each}"
[sites.headers]
X-For = «"{remote_host}"»
[sites.proxy.headers.add]
X-Src = «"%[src]"»`,
    [
      `rewrite_target holds "$1", which is sent as it is written, ${path}`,
      `set.X-Host holds "$host", which is sent as it is written, ${field} (did you mean "{host}"?)`,
      `headers.X-For holds "{remote_host}", which is sent as it is written, ${field} (did you mean "{client.ip}"?)`,
      `add.X-Src holds "%[src]", which is sent as it is written, ${field} (did you mean "{client.ip}"?)`,
    ],
  );
});

Deno.test("Hints are given for objects as well", () => {
  const input = JSON.parse('{"sites":[{"static_dir":"/","auth":{}}]}');
  try {
    resolveConfig(input);
    assert(false, "auth was accepted");
  } catch (error) {
    assert(error instanceof Error && error.message.includes("[sites.basic_auth] with users"), String(error));
  }
});
