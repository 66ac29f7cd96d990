// @ts-types="../../types/std/assert.d.ts"
import { assertEquals } from "@std/assert";
import { upgradeRequest } from "../support/frame_peer.ts";
import { header, headerAll } from "../support/message_reader.ts";
import { exchange, get } from "../support/raw_client.ts";
import { RunningProxy, type RunningProxyOptions } from "../support/running_proxy.ts";
import { answerOf, ScriptedUpstream } from "../support/scripted_upstream.ts";

type Route = Omit<NonNullable<NonNullable<RunningProxyOptions["proxy"]>["routes"]>[number], "path" | "upstream">;

/** What a client of `/app` gets from an upstream that redirects to itself, and what that upstream was told. */
async function redirected(route: Route, proxy: RunningProxyOptions["proxy"] = {}, lines = "") {
  await using upstream = ScriptedUpstream.answering(() =>
    answerOf("", `Location: ${upstream.url}/login\r\nSet-Cookie: a=1; Path=/; Domain=127.0.0.1\r\n`)
      .replace("200 OK", "302 Found")
  );
  await using running = await RunningProxy.start({
    upstreams: [upstream.url],
    proxy: { routes: [{ path: "/app", upstream: "app", ...route }], ...proxy },
  });
  const answer = await exchange(running.port, lines === "" ? get("/app/x") : lines);
  return {
    location: header(answer, "location")?.replace(upstream.url, "UP"),
    cookies: headerAll(answer, "set-cookie"),
    prefix: header(upstream.requests[0], "x-forwarded-prefix"),
  };
}

Deno.test("strip_prefix with preserve_host = false maps redirects and cookies back, and sends the prefix", async () => {
  const expected = { location: "/app/login", cookies: ["a=1; Path=/app"], prefix: "/app" };
  assertEquals(await redirected({ strip_prefix: true, preserve_host: false }), expected);
  const socket = { strip_prefix: true, preserve_host: false, websocket: true };
  assertEquals(await redirected(socket, {}, upgradeRequest("/app/x")), expected);
});

Deno.test("redirects are mapped where Host alone, or the prefix alone, was changed", async () => {
  assertEquals(await redirected({ preserve_host: false }), {
    ...{ location: "/login", cookies: ["a=1; Path=/"], prefix: undefined },
  });
  assertEquals((await redirected({ strip_prefix: true })).location, "/app/login");
  assertEquals(await redirected({ rewrite_target: "/v2" }), {
    ...{ location: "/login", cookies: ["a=1; Path=/; Domain=127.0.0.1"], prefix: undefined },
  });
  const host = { headers: { request: { set: { Host: "app.internal" } } } };
  assertEquals((await redirected({}, host)).location, "/login");
});

Deno.test("redirects pass as they came where nothing was changed, or rewrite_redirects says so", async () => {
  const untouched = { location: "UP/login", cookies: ["a=1; Path=/; Domain=127.0.0.1"] };
  assertEquals(await redirected({}), { ...untouched, prefix: undefined });
  const changed = { strip_prefix: true, preserve_host: false };
  assertEquals(await redirected({ ...changed, rewrite_redirects: false }), { ...untouched, prefix: "/app" });
  assertEquals(await redirected(changed, { rewrite_redirects: false }), { ...untouched, prefix: "/app" });
  assertEquals((await redirected({ rewrite_redirects: true }, { rewrite_redirects: false })).location, "/login");
});

Deno.test("X-Forwarded-Prefix of a client is not believed, whatever the route", async () => {
  await using upstream = ScriptedUpstream.answering(answerOf("ok"));
  await using proxy = await RunningProxy.start({
    upstreams: [upstream.url],
    proxy: {
      routes: [{ path: "/", upstream: "app" }, { path: "/straße/", upstream: "app", strip_prefix: true }],
    },
  });
  for (const target of ["/", "/stra%C3%9Fe/x"]) {
    await exchange(proxy.port, get(target, "X-Forwarded-Prefix: /evil\r\n"));
  }
  assertEquals(upstream.requests.map((request) => headerAll(request, "x-forwarded-prefix")), [[], ["/stra%C3%9Fe"]]);
});
