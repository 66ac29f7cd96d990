// @ts-types="../../../types/std/assert.d.ts"
import { assertEquals } from "@std/assert";
import { attemptLimits, clientTimeoutMs } from "../../../lib/handlers/proxy/attempt_limits.ts";
import { retriesKeys } from "../../../lib/handlers/proxy/config/retries_schema.ts";
import { timeoutKeys } from "../../../lib/handlers/proxy/config/timeout_schema.ts";
import { proxyOfRoute } from "../../../lib/handlers/proxy/route_settings.ts";
import { resolveConfig } from "../../../lib/generation/config/resolve_config.ts";

const TIMEOUT = { connect: 1, read: 2, write: 3, client: 4, min_upload_rate: 5 };
const RETRIES = {
  ...{ attempts: 7, try_for: 8, backoff: 9, max_backoff: 10, retry_on: [503], retry_buffer: 11, show_attempts: true },
};

function routeOf(tables: object) {
  const route = { path: "/", upstream: "app", ...tables };
  const { config } = resolveConfig({
    sites: [{
      proxy: {
        upstreams: [{ name: "app", url: "http://127.0.0.1:3000" }],
        timeout: { connect: "60s" },
        retries: { backoff: "60ms" },
        routes: [route],
      },
    }],
  });
  const { proxy } = config.sites[0];
  if (proxy === undefined) throw new Error("Cannot read the proxy");
  return { own: proxyOfRoute(proxy, proxy.routes[0]), route: proxy.routes[0] };
}

Deno.test("each key of timeout on a route holds there, and those that it does not set are the proxy's", () => {
  assertEquals(Object.keys(TIMEOUT).toSorted(), Object.keys(timeoutKeys).toSorted());
  const { own, route } = routeOf({ timeout: TIMEOUT });
  assertEquals(attemptLimits(own.timeout, route), {
    ...{ connectTimeoutMs: 1000, readTimeoutMs: 2000, writeTimeoutMs: 3000, clientTimeoutMs: 4000 },
    ...{ minUploadRate: 5, streaming: false },
  });
  assertEquals(clientTimeoutMs(own.timeout), 4000);
  const other = routeOf({ timeout: { read: 0 } });
  const limits = attemptLimits(other.own.timeout, other.route);
  assertEquals([limits.readTimeoutMs, limits.connectTimeoutMs, limits.writeTimeoutMs], [Infinity, 60_000, 30_000]);
});

Deno.test("each key of retries on a route holds there, and those that it does not set are the proxy's", () => {
  assertEquals(Object.keys(RETRIES).toSorted(), Object.keys(retriesKeys).toSorted());
  const { retries } = routeOf({ retries: RETRIES }).own;
  assertEquals(
    Object.fromEntries(Object.keys(RETRIES).map((key) => [key, retries[key as keyof typeof RETRIES]])),
    { ...RETRIES, try_for: 8000, backoff: 9000, max_backoff: 10_000, retry_on: [[503, 503]] },
  );
  const other = routeOf({ retries: { attempts: 1 } }).own.retries;
  assertEquals([other.attempts, other.backoff, other.retry_buffer], [1, 60, 65_536]);
});
