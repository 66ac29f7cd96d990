// @ts-types="../../types/std/assert.d.ts"
import { assertEquals } from "@std/assert";
import { parseConfig } from "../../lib/generation/config/parse_config.ts";
import { PROXY } from "../config/marked_config.ts";
import { statusOf } from "../support/message_reader.ts";
import { MoodyUpstream } from "../support/moody_upstream.ts";
import { exchange, get } from "../support/raw_client.ts";
import { RunningProxy } from "../support/running_proxy.ts";

const breaker = { min_requests: 10 };
/** With and without passive health, since the breaker asks it where there is one. */
const PROXIES = [
  { passive_health: { max_fails: 3 }, circuit_breaker: breaker },
  { passive_health: { enabled: false }, circuit_breaker: breaker },
];

for (const status of [501, 505, 508, 510]) {
  Deno.test(`a client whose requests get ${status} makes no upstream unavailable`, async () => {
    for (const proxyInput of PROXIES) {
      await using one = new MoodyUpstream();
      await using other = new MoodyUpstream();
      one.mood = other.mood = status;
      await using proxy = await RunningProxy.start({ upstreams: [one.url, other.url], proxy: proxyInput });
      for (let i = 0; i < 40; i++) {
        const request = get("/").replace("GET", "NONSENSE");
        assertEquals(statusOf(await exchange(proxy.port, request)), status);
      }
      assertEquals(proxy.upstreams.map(({ state }) => state), ["active", "active"]);
    }
  });
}

Deno.test("500 and 503 make an upstream unavailable, as 501 does where fail_status names it", async () => {
  for (const [status, fail_status] of [[500, "5xx"], [503, "5xx"], [501, [501]]] as const) {
    await using one = new MoodyUpstream();
    await using other = new MoodyUpstream();
    one.mood = status;
    const passive_health = {
      max_fails: 3,
      fail_status: typeof fail_status === "string" ? fail_status : [...fail_status],
    };
    await using proxy = await RunningProxy.start({ upstreams: [one.url, other.url], proxy: { passive_health } });
    for (let i = 0; i < 6; i++) await exchange(proxy.port, get("/"));
    assertEquals(proxy.upstreams.map(({ state }) => state), ["ejected", "active"]);
  }
});

Deno.test('"5xx" in fail_status and retry_on is without the statuses that a request causes; numbers count as they stand', () => {
  const { config, problems } = parseConfig(
    `${PROXY}[sites.proxy.retries]\nretry_on = ["5xx", 429]\n` +
      '[sites.proxy.passive_health]\nfail_status = ["500-505", 510]\n' +
      '[sites.proxy.health_check]\nexpect_status = "5xx"',
  );
  assertEquals(problems, []);
  const proxy = config?.sites[0].proxy;
  assertEquals(proxy?.retries.retry_on, [[500, 500], [502, 504], [506, 507], [509, 509], [511, 599], [429, 429]]);
  assertEquals(proxy?.passive_health.fail_status, [[500, 505], [510, 510]]);
  assertEquals(proxy?.health_check.expect_status, [[500, 599]]);
});
