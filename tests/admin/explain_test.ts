/**
 * `GET /api/explain`: what a running server would do with a request, with the state of its upstreams.
 *
 * @module
 */

// @ts-types="../../types/std/assert.d.ts"
import { assertEquals, assertStringIncludes } from "@std/assert";
import { explanationSchema } from "../../lib/admin/explanation_schemas.ts";
import { NamedUpstream, RunningManagement } from "./running_management.ts";

for (const [mode, workers] of [["in one thread", 1], ["with 2 workers", 2]] as const) {
  Deno.test(`GET /api/explain gives the upstreams that a request would meet, as they are now, ${mode}`, async () => {
    await using one = new NamedUpstream("one");
    await using two = new NamedUpstream("two");
    await using running = await RunningManagement.start({
      upstreams: [one.url, two.url],
      workers,
      site: { hostname: "shop.example" },
    });
    const { port } = running.server.addresses[0];
    await running.send("PATCH", `/api/upstreams/${await running.idOf(two.url)}`, { state: "draining" });
    const query = new URLSearchParams([
      ["url", `http://shop.example:${port}/x?y=1`],
      ["method", "POST"],
      ["header", "X-A: b"],
      ["header", "X-A: c"],
      ["client", "192.0.2.7"],
    ]);
    const told = explanationSchema.parse(await running.told(`/api/explain?${query}`));
    assertEquals([told.outcome, told.site?.name, told.route?.path], ["upstream", "shop", "/"]);
    assertEquals(told.request.client, "192.0.2.7");
    assertEquals(told.pool?.upstreams.map(({ url, state, inFlight }) => [url, state, inFlight]), [
      [one.url, "active", 0],
      [two.url, "draining", 0],
    ]);
    const head = told.forward?.head ?? [];
    assertEquals(head[0], "POST /x?y=1 HTTP/1.1");
    assertStringIncludes(head.join("\n"), "x-a: b, c\nx-forwarded-for: 192.0.2.7");
    assertEquals([one.asked, two.asked], [0, 0]);
    const { totals } = await running.told("/api/status");
    assertEquals(totals.requests, 0);
  });
}

Deno.test("GET /api/explain refuses what is no request, and says what is expected", async () => {
  await using upstream = new NamedUpstream("one");
  await using running = await RunningManagement.start({ upstreams: [upstream.url] });
  const cases: [query: string, detail: string][] = [
    ["", "The query has no url"],
    ["url=%3Fx", '"?x" is no URL, expected one such as http://localhost:8080/x, or a path'],
    ["url=ftp://a/x", '"ftp://a/x" has the scheme "ftp", expected http, https, ws or wss'],
    ["url=/&method=G%20T", '"G T" is no method'],
    ["url=/&client=nobody", 'client "nobody" is no IP address'],
    ["url=/&header=x", 'header "x" is no header field, expected one such as "Accept: */*"'],
  ];
  for (const [query, detail] of cases) {
    const response = await running.ask(`/api/explain?${query}`);
    assertEquals([response.status, (await response.json()).detail], [400, detail], query);
  }
  const document = await running.told("/api/openapi.json");
  const { parameters } = document.paths["/api/explain"].get;
  assertEquals(parameters.map(({ name, required }: { name: string; required: boolean }) => [name, required]), [
    ...[["url", true], ["method", false], ["header", false], ["client", false]],
  ]);
});
