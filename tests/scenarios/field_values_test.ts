/**
 * Header fields with placeholders and by status, in both directions, over real sockets.
 *
 * @module
 */

// @ts-types="../../types/std/assert.d.ts"
import { assertEquals } from "@std/assert";
import { header, headerAll, statusOf } from "../support/message_reader.ts";
import { exchange, get } from "../support/raw_client.ts";
import { RunningProxy } from "../support/running_proxy.ts";
import { ScriptedUpstream } from "../support/scripted_upstream.ts";

/** Responds with the status that the path ends with. */
function statusUpstream(): ScriptedUpstream {
  return ScriptedUpstream.start(async (peer) => {
    for (;;) {
      const request = await peer.request();
      if (request === undefined) return;
      const status = /(\d{3})[ ?]/.exec(request.firstLine)?.[1] ?? "200";
      await peer.send(
        `HTTP/1.1 ${status} X\r\nX-Up: 1\r\nX-Frame-Options: ALLOWALL\r\nX-Powered-By: PHP\r\nContent-Length: 0\r\n\r\n`,
      );
    }
  });
}

Deno.test("Header fields with placeholders and by status, on a site and on a route", async () => {
  await using upstream = statusUpstream();
  await using proxy = await RunningProxy.start({
    upstreams: [upstream.url],
    site: {
      headers: { "X-Frame-Options": "DENY", "X-Who": "{client.ip} {status}" },
      response_headers: {
        set: { "X-Site": "{site}", "X-Tls": "{tls.version}" },
        remove: ["X-Powered-By"],
        when: [
          { status: ["5xx", 404], set: { "Cache-Control": "no-store", "X-Failed": "{status}" } },
          { status: 200, add: { "X-Pool": "{upstream.name} {upstream.port}" } },
        ],
      },
      respond: [{ path: "/fixed/:id", body: "{id}", headers: { "X-Id": "{id} {header.X-Tag}" } }],
    },
    proxy: {
      headers: {
        add: { "X-Both": "{request.id}" },
        request: {
          set: { "X-Client": "{client.ip} {upstream.host}:{upstream.port} {attempts}", "X-Session": "{cookie.s}" },
        },
      },
      routes: [{ path: "/", upstream: "app" }, {
        path: "/own/",
        upstream: "app",
        headers: { request: { set: { "X-Query": "{query.q}{{q}}" } } },
        response_headers: {
          set: { "x-site": "route" },
          remove: ["X-Frame-Options"],
          when: [{ status: "4xx", remove: ["X-Failed"], set: { "X-Own": "{route}" } }],
        },
      }],
    },
  });
  const ask = async (path: string, lines = "") => await exchange(proxy.port, get(path, lines));
  const seen = (message: Awaited<ReturnType<typeof ask>>, ...names: string[]) =>
    names.map((name) => header(message, name));

  const plain = await ask("/x/200", "X-Session: forged\r\nX-Client: forged\r\n");
  assertEquals(seen(plain, "x-frame-options", "x-who", "x-site", "x-tls", "x-powered-by", "cache-control", "x-pool"), [
    ...["DENY", "127.0.0.1 200", "site-1", undefined, undefined, undefined, `app ${new URL(upstream.url).port}`],
  ]);
  assertEquals(header(plain, "x-both"), header(plain, "x-request-id"));
  const [sent] = upstream.requests;
  assertEquals(headerAll(sent, "x-client"), [`127.0.0.1 ${new URL(upstream.url).host} 1`]);
  // A field without a value is not sent, and the client's does not pass either.
  assertEquals(headerAll(sent, "x-session"), []);
  assertEquals(header(sent, "x-both"), header(plain, "x-request-id"));

  const failed = await ask("/x/503");
  assertEquals(seen(failed, "cache-control", "x-failed", "x-pool", "x-who"), [
    ...["no-store", "503", undefined, "127.0.0.1 503"],
  ]);

  const own = await ask("/own/404?q=a%0d%0aX:1", "Cookie: s=1\r\n");
  assertEquals(seen(own, "x-frame-options", "x-site", "x-failed", "x-own", "cache-control"), [
    ...[undefined, "route", undefined, "/own/", "no-store"],
  ]);
  assertEquals([header(upstream.requests[2], "x-query"), header(upstream.requests[2], "x-session")], [
    ...["a%0d%0aX:1{q}", "1"],
  ]);

  // Responses that BWS makes.
  const fixed = await ask("/fixed/7", "X-Tag: t\r\n");
  assertEquals([statusOf(fixed), ...seen(fixed, "x-id", "x-frame-options", "x-site", "x-pool")], [
    ...[200, "7 t", "DENY", "site-1", undefined],
  ]);
  await upstream[Symbol.asyncDispose]();
  const unreachable = await ask("/own/x");
  assertEquals([statusOf(unreachable), ...seen(unreachable, "x-site", "x-failed", "x-frame-options")], [
    ...[502, "route", "502", undefined],
  ]);
});
