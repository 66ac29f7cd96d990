// @ts-types="../../types/std/assert.d.ts"
import { assertEquals, assertStringIncludes } from "@std/assert";
import { type DryRun, Exchange } from "../../lib/exchange/exchange.ts";
import type { ConfigInput } from "../../lib/generation/config/config_types.ts";
import { resolveConfig } from "../../lib/generation/config/resolve_config.ts";
import { ProcessState } from "../../lib/generation/process_state.ts";
import { Site } from "../../lib/generation/site.ts";
import { headerValue } from "../../lib/http/header_lines.ts";
import type { RequestHead } from "../../lib/http/message.ts";
import { freePort } from "../support/port.ts";
import { inTemporaryFolder } from "../support/temporary_folder.ts";

const HEAD: RequestHead = {
  ...{ method: "GET", path: "/", query: "", authority: "a", host: "a", scheme: "http", headers: [] },
  peer: { address: "1.2.3.4", port: 1 },
};

/** Routes to a port on which nothing listens. */
const PROXY = {
  upstreams: [{ name: "app", url: `http://127.0.0.1:${freePort()}` }],
  routes: [
    { path: "/api", upstream: "app" },
    { path: "/read", upstream: "app", methods: ["GET", "HEAD"] },
    { path: "/below/", upstream: "app" },
  ],
};

type SiteInput = NonNullable<ConfigInput["sites"]>[number];

/** A site by itself, with the state that it counts in. */
function siteOf(input: SiteInput) {
  const { config } = resolveConfig({ server: { name: "here" }, sites: [{ name: "shop", ...input }] });
  const processState = new ProcessState({ probes: false });
  const { sharedState, metrics } = processState;
  const site = new Site(config.sites[0], {
    ...{ server: config.server, logging: config.logging, processState, sharedState, metrics, policies: {} },
    ...{ shownUrls: new Map(), shownSites: new Map(), listener: "80", httpsPort: () => 443 },
  });
  const inFlight = (path: string) => metrics.route("shop", path).inFlight();
  return {
    site,
    processState,
    inFlight,
    [Symbol.dispose]: () => {
      site.close();
      processState.close();
    },
  };
}

function exchangeOf(head: Partial<RequestHead>): Exchange {
  const client = { body: null, signal: new AbortController().signal };
  return new Exchange({ ...HEAD, ...head }, client, { exchangeEnded: () => {} });
}

/** The response to a request, and the route that it took; nothing is forwarded or counted. */
async function responded(site: Site, head: Partial<RequestHead>) {
  const exchange = exchangeOf(head);
  let route: number | undefined;
  const dryRun: DryRun = {
    route: -1,
    forward: () => {
      route = dryRun.route;
      return { status: 204, headers: [], body: null };
    },
  };
  exchange.dryRun = dryRun;
  const { status, headers, body } = await site.respond(exchange);
  if (body !== null && !(body instanceof Uint8Array)) body.cancel("only its head is of interest");
  return { status, headers, route, exchange };
}

Deno.test("Site.respond() asks the site's endpoints first, then its routes, then its files", async () => {
  await inTemporaryFolder({ "api/health": "file", "api/file.txt": "file", "page.txt": "file" }, async (folder) => {
    using made = siteOf({ static_dir: folder, proxy: PROXY });
    const { site } = made;
    const health = await responded(site, { path: "/api/health" });
    assertEquals([health.status, health.route, health.exchange.route], [200, undefined, ""]);
    const api = await responded(site, { path: "/api/file.txt" });
    assertEquals([api.route, api.exchange.route, api.exchange.site], [0, "/api", "shop"]);
    const page = await responded(site, { path: "/page.txt" });
    assertEquals([page.status, page.route, page.exchange.route], [200, undefined, ""]);
    assertEquals((await responded(site, { path: "/missing.txt" })).status, 404);
  });
});

Deno.test("Site.respond() leaves /api/health to a route where internal_api is off", async () => {
  using made = siteOf({ internal_api: false, proxy: PROXY });
  assertEquals((await responded(made.site, { path: "/api/health" })).route, 0);
});

Deno.test("Site.respond() refuses a method that no route takes with 405 and Allow, unless files are served", async () => {
  using proxying = siteOf({ proxy: PROXY });
  const { status, headers, exchange } = await responded(proxying.site, { method: "POST", path: "/read" });
  assertEquals([status, headerValue(headers, "allow")], [405, "GET, HEAD"]);
  assertEquals(exchange.cause, "No route takes POST");
  await inTemporaryFolder({ "read": "file" }, async (folder) => {
    using serving = siteOf({ static_dir: folder, proxy: PROXY });
    const { status, exchange } = await responded(serving.site, { method: "POST", path: "/read" });
    assertEquals([status, exchange.cause === "No route takes POST"], [405, false]);
  });
});

Deno.test("Site.respond() refuses a path that names another route once its dot segments are resolved", async () => {
  using made = siteOf({ proxy: PROXY });
  for (const path of ["/read/%2e%2e/api", "/api/%zz"]) {
    const { status, route, exchange } = await responded(made.site, { path });
    assertEquals([path, status, route], [path, 400, undefined]);
    assertStringIncludes(exchange.cause, "badly encoded");
  }
});

Deno.test("Site.respond() redirects to a route that ends in a slash", async () => {
  using made = siteOf({ proxy: PROXY });
  const { status, headers } = await responded(made.site, { path: "/below", query: "?a" });
  assertEquals([status, headerValue(headers, "location")], [308, "/below/?a"]);
});

Deno.test("Site.respond() gives 404 where no route takes the path and no files are served", async () => {
  using made = siteOf({ proxy: PROXY });
  const { status, exchange } = await responded(made.site, { path: "/apix" });
  assertEquals([status, exchange.cause], [404, "No route and no file takes this path"]);
});

Deno.test("Site.respond() refuses a request that this process has forwarded before, by its mark in Via", async () => {
  using made = siteOf({ proxy: PROXY });
  const { mark } = made.processState;
  const looped = await responded(made.site, { path: "/api", via: `1.1 edge, 1.1 here-${mark}` });
  assertEquals([looped.status, looped.route], [508, undefined]);
  const other = await responded(made.site, { path: "/api", via: `1.1 here-${mark.split("").reverse().join("")}` });
  assertEquals(other.route, 0);
});

Deno.test("Site.respond() logs one loop a second", async () => {
  using made = siteOf({ proxy: PROXY });
  const via = `1.1 here-${made.processState.mark}`;
  const startMs = performance.now();
  const unlogged: boolean[] = [];
  for (let i = 0; i < 20; i++) unlogged.push((await responded(made.site, { via })).exchange.unlogged);
  const most = 1 + Math.floor((performance.now() - startMs) / 1000);
  const logged = unlogged.filter((one) => !one).length;
  assertEquals(logged <= most, true, `${logged} of ${unlogged.length} logged, expected at most ${most}`);
});

Deno.test("Site.respond() gives 500 where a part of it throws, and keeps the cause for the log", async () => {
  using made = siteOf({ proxy: PROXY });
  const exchange = exchangeOf({ path: "/api" });
  exchange.dryRun = {
    route: -1,
    forward: () => {
      throw new TypeError("broken");
    },
  };
  const { status } = await made.site.respond(exchange);
  assertEquals([status, exchange.status, exchange.causeOwner], [500, 500, "proxy"]);
  assertStringIncludes(exchange.cause, "broken");
});

Deno.test("Site.respond() counts an exchange for its route while it is in flight, else as unrouted", async () => {
  using made = siteOf({ proxy: PROXY });
  const { site, inFlight } = made;
  const exchange = exchangeOf({ path: "/api/x" });
  const responding = site.respond(exchange);
  assertEquals([inFlight("/api"), inFlight("")], [1, 0]);
  assertEquals((await responding).status, 502);
  assertEquals([inFlight("/api"), inFlight("")], [0, 0]);
  site.claim(exchangeOf({ path: "/" }));
  assertEquals([inFlight("/api"), inFlight("")], [0, 1]);
});

Deno.test("Site.respond() takes a route again for the same target, in its own site, for the same method and path alone", async () => {
  const cors = { origins: ["https://shop.example"] };
  const rewrite = [{ from: "/api", to: "/read" }];
  const routes = [{ path: "/api", upstream: "app", methods: ["GET"] }, { path: "/", upstream: "app" }];
  using made = siteOf({ proxy: { ...PROXY, routes } });
  using other = siteOf({ proxy: { ...PROXY, routes: [...routes].reverse() } });
  using crossed = siteOf({ proxy: { ...PROXY, routes }, cors });
  using rewriting = siteOf({ proxy: { ...PROXY, routes }, rewrite });
  const choice = { path: "/api/x", site: 0, method: "", route: -1 };
  const routeOf = async ({ site }: typeof made, head: Partial<RequestHead> = {}) =>
    (await responded(site, { path: "/api/x", choice, ...head })).route;
  for (let turn = 0; turn < 2; turn++) {
    assertEquals([await routeOf(made), await routeOf(made)], [0, 0]);
    assertEquals([await routeOf(other), await routeOf(other)], [1, 1]);
    assertEquals([await routeOf(made, { method: "POST" }), await routeOf(made)], [1, 0]);
    assertEquals([await routeOf(made, { path: "/else" }), await routeOf(made)], [1, 0]);
    assertEquals([await routeOf(crossed), await routeOf(rewriting)], [0, 0]);
  }
  // The method that a preflight asks for counts, and a rewrite may look at more than the path.
  const unkept = { ...choice, site: 0 };
  for (const { site } of [crossed, rewriting]) await responded(site, { path: "/api/x", choice: unkept });
  assertEquals(unkept.site, 0);
});

Deno.test("Site.respond() counts nothing of a request that is only explained", async () => {
  using made = siteOf({ proxy: PROXY });
  const { exchange } = await responded(made.site, { path: "/api" });
  assertEquals([made.inFlight("/api"), made.inFlight(""), exchange.metrics], [0, 0, undefined]);
});

Deno.test("Site.stillRouted() knows a WebSocket by its unchanged route and its upstream", () => {
  const routes = [{ path: "/live", upstream: "app", websocket: true }];
  using made = siteOf({ proxy: { ...PROXY, routes } });
  using same = siteOf({ proxy: { ...PROXY, routes } });
  using changed = siteOf({ proxy: { ...PROXY, routes: [{ ...routes[0], path: "/other" }] } });
  const route = made.site.routes[0].target.sockets?.route ?? "";
  const upstream = made.site.pools.get("app")?.upstreams[0].id ?? "";
  const binding = { route, upstream, drainMs: 0 };
  assertEquals([made, same, changed].map(({ site }) => site.stillRouted(binding)), [true, true, false]);
  assertEquals(made.site.stillRouted({ ...binding, upstream: "http://127.0.0.2:1" }), false);
});

Deno.test("Site.searchFile() searches where no route takes the request, and for a route with try_files", async () => {
  await inTemporaryFolder({ "page.txt": "file", "shadow": "file", "api": "file" }, async (folder) => {
    const shadowed = { path: "/shadow", upstream: "app", try_files: ["$path"] };
    using made = siteOf({ static_dir: folder, proxy: { ...PROXY, routes: [...PROXY.routes, shadowed] } });
    const searched = async (head: Partial<RequestHead>) =>
      (await made.site.searchFile({ ...HEAD, ...head }))?.file?.slice(folder.length);
    assertEquals(await searched({ path: "/page.txt" }), "/page.txt");
    assertEquals(await searched({ path: "/shadow" }), "/shadow");
    assertEquals(await searched({ path: "/api" }), undefined);
    assertEquals(made.site.searchFile({ ...HEAD, path: "/read/%2e%2e/api" }), undefined);
  });
});

Deno.test("Site.hosts are all its names, and requestIdName is in lower case", () => {
  using named = siteOf({ hostname: "a.test", hostnames: ["b.test"], request_id: { header: "X-Trace" }, proxy: PROXY });
  assertEquals([named.site.hosts, named.site.requestIdName], [["a.test", "b.test"], "x-trace"]);
  using any = siteOf({ proxy: PROXY });
  assertEquals(any.site.hosts, []);
});
