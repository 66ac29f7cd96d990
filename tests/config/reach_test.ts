// @ts-types="../../types/std/assert.d.ts"
import { assertEquals } from "@std/assert";
import { parseConfig } from "../../lib/generation/config/parse_config.ts";
import { sentenceOf } from "../../lib/config/problem.ts";
import { assertErrors, assertWarnings, PROXY } from "./marked_config.ts";

const ROUTE = '[[sites.proxy.routes]]\nupstream = "app"\n';
const ANOTHER = 'another path, internal_api = false, or a prefix for them such as internal_api = "/_bws"';

Deno.test("parseConfig() warns of routes whose requests the site's own endpoints take", () => {
  assertWarnings(
    PROXY + `${ROUTE}path = «"/api/health"»\n${ROUTE}path = «"/api/config"»\nexact = true\n` +
      `${ROUTE}path = «"/%61pi/health/live"»\n${ROUTE}path = "/api/sites/"\n`,
    [
      `/api/health and /api/health/live and /api/health/ready are endpoints of the site itself, which this route does not get, expected ${ANOTHER}`,
      `/api/config is an endpoint of the site itself, which this route does not get, expected ${ANOTHER}`,
      `/api/health/live is an endpoint of the site itself, which this route does not get, expected ${ANOTHER}`,
    ],
  );
});

Deno.test("parseConfig() does not warn of routes that are for more, nor of endpoints that lie elsewhere", () => {
  const warnings = (config: string) => parseConfig(config, { checkFiles: false }).warnings.map(sentenceOf);
  const routes = ["/api", "/api/", "/api/users", "/api/healthy", "/health"].map((path) => `${ROUTE}path = "${path}"\n`);
  assertEquals(warnings(PROXY + routes.join("")), []);
  const health = `${ROUTE}path = "/api/health"\n`;
  for (const setting of ["false", '"/_bws"']) {
    assertEquals(warnings(PROXY.replace("[[sites]]", `[[sites]]\ninternal_api = ${setting}`) + health), [], setting);
  }
  const moved = warnings(PROXY.replace("[[sites]]", '[[sites]]\ninternal_api = "/api/health/"') + health);
  assertEquals(moved.length, 0, "a route for all of the prefix");
});

Deno.test("parseConfig() warns of routes that look like those of WebSockets and do not let them through", () => {
  const expected = "websocket = true, or websocket = false to say that it needs none";
  const paths = ["/ws", "/chat/Socket.IO/", "/hubs/*", "/x/websocket"];
  assertWarnings(
    PROXY + paths.map((path) => `${ROUTE}path = «"${path}"»\n${path.includes("*") ? "pattern = true\n" : ""}`).join(""),
    paths.map((path) =>
      `path "${path}" looks like one of WebSockets, and the route does not let them through, expected ${expected}`
    ),
  );
  for (const rest of ['path = "/ws"\nwebsocket = true', 'path = "/ws"\nwebsocket = false', 'path = "/news"']) {
    assertEquals(parseConfig(`${PROXY}${ROUTE}${rest}`, { checkFiles: false }).warnings, [], rest);
  }
});

Deno.test("parseConfig() tries each port once, and points at the one that cannot be opened", () => {
  const tried: unknown[] = [];
  const tryPort = (listen: string | undefined, port: number, { shared }: { shared: boolean }) => {
    tried.push([listen, port, shared]);
    return port % 2 === 0 ? undefined : "the port is in use";
  };
  const fault = (port: number) => `port ${port} cannot be opened: the port is in use`;
  const site = (keys: string) => `[[sites]]\nstatic_dir = "/"\n${keys}\n`;
  assertErrors(
    `[management]\nenabled = true\nport = «8101»\n` + site('port = «8081»\nhostname = "a"') +
      site('port = 8081\nhostname = "b"') + site('listen = "127.0.0.1"\nport = 8082') + site("port = 0"),
    [fault(8101), fault(8081)],
    { tryPort },
  );
  assertEquals(tried, [[undefined, 8081, false], ["127.0.0.1", 8082, false], ["127.0.0.1", 8101, false]]);
});

Deno.test("parseConfig() warns of what can never be reached, and of what is most likely a slip", () => {
  assertWarnings(
    `[server]\ntrusted_proxies = ["10.0.0.0/8", «"0.0.0.0/0"», «"::/0"»]\n` +
      PROXY.replace("[[sites]]", '[[sites]]\nstatic_dir = «"/"»') +
      `[[sites.proxy.upstreams]]\nname = "app"\nurl = «"http://127.0.0.1:3000"»\n` +
      `${ROUTE}path = «"/a/../b"»\n${ROUTE}path = "/c"\nwebsocket = true\nmethods = [«"POST"»]\n`,
    [
      ...["0.0.0.0/0", "::/0"].map((network) =>
        `"${network}" trusts every peer: any client can say that it comes from another address, expected the addresses of the proxies in front`
      ),
      'no file of static_dir is ever served: the route "/" (line 10) takes every path, expected routes for some paths, or no static_dir',
      'the pool "app" has "http://127.0.0.1:3000" already (line 8), expected another URL, or one entry with a weight',
      'path "/a/../b" has dot segments, so that no request matches it, expected the path that they lead to',
      'the route lets WebSockets through, and takes no GET, by which they begin, expected methods with "GET", or no methods',
    ],
  );
  assertErrors('[[sites]]\nstatic_dir = "/"\nlisten = «"[::1]"»', [
    'listen is "[::1]", expected an IP address without brackets (did you mean "::1"?)',
  ]);
});
