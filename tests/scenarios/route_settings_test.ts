/**
 * Settings of a route, and what it takes from its proxy, over real sockets.
 *
 * @module
 */

// @ts-types="../../types/std/assert.d.ts"
import { assertEquals } from "@std/assert";
import { header, statusOf, text } from "../support/message_reader.ts";
import { exchange, get } from "../support/raw_client.ts";
import { replying, statusAnswer } from "../support/replying_upstream.ts";
import { RunningProxy } from "../support/running_proxy.ts";
import { answerOf, ScriptedUpstream } from "../support/scripted_upstream.ts";

/** The routes `/` and `/own/`, the second with `settings`. */
function routes<Settings>(settings: Settings) {
  return [{ path: "/", upstream: "app" }, { path: "/own/", upstream: "app", ...settings }];
}

Deno.test("retries of a route: its own keys, and the proxy's where it sets none", async () => {
  await using upstream = replying(
    ...[statusAnswer(503, "bad"), answerOf("good")],
    ...[statusAnswer(503, "bad"), statusAnswer(503, "worse"), answerOf("too late")],
  );
  await using proxy = await RunningProxy.start({
    upstreams: [upstream.url],
    proxy: {
      passive_health: { enabled: false },
      retries: { attempts: 2, backoff: 0, max_backoff: 0, show_attempts: true },
      routes: routes({ retries: { retry_on: [503] } }),
    },
  });
  const retried = await exchange(proxy.port, get("/own/x"));
  // `show_attempts` and `attempts` are the proxy's.
  assertEquals([statusOf(retried), text(retried.body), header(retried, "x-bws-attempts")], [200, "good", "2"]);
  const other = await exchange(proxy.port, get("/x"));
  assertEquals([statusOf(other), text(other.body), header(other, "x-bws-attempts")], [503, "bad", "1"]);
  assertEquals(upstream.requests.length, 3);
});

Deno.test("retries of a route: attempts and show_attempts may differ", async () => {
  await using upstream = replying(statusAnswer(503, "bad"));
  await using proxy = await RunningProxy.start({
    upstreams: [upstream.url],
    proxy: {
      passive_health: { enabled: false },
      retries: { retry_on: [503], attempts: 3, backoff: 0, max_backoff: 0, show_attempts: true },
      routes: routes({ retries: { attempts: 1, show_attempts: false } }),
    },
  });
  const once = await exchange(proxy.port, get("/own/x"));
  assertEquals([statusOf(once), header(once, "x-bws-attempts"), upstream.requests.length], [503, undefined, 1]);
  const thrice = await exchange(proxy.port, get("/x"));
  assertEquals([statusOf(thrice), header(thrice, "x-bws-attempts"), upstream.requests.length], [503, "3", 4]);
});

Deno.test("timeouts of a route: its own keys, and the proxy's where it sets none", async () => {
  await using upstream = ScriptedUpstream.start(async (peer) => {
    const request = await peer.request();
    if (request?.firstLine.includes("/own/") === true) await peer.closed();
    else if (request !== undefined) await peer.send(answerOf("late"));
  });
  await using proxy = await RunningProxy.start({
    upstreams: [upstream.url],
    proxy: { timeout: { read: "60s" }, routes: routes({ timeout: { read: "100ms" } }) },
  });
  assertEquals(statusOf(await exchange(proxy.port, get("/own/x"))), 504);
  assertEquals(statusOf(await exchange(proxy.port, get("/x"))), 200);
});

Deno.test("headers of a route: field by field, and the proxy's for fields of which it says nothing", async () => {
  await using upstream = ScriptedUpstream.answering(
    "HTTP/1.1 200 OK\r\nServer: up\r\nX-Up: 1\r\nContent-Length: 0\r\n\r\n",
  );
  await using proxy = await RunningProxy.start({
    upstreams: [upstream.url],
    proxy: {
      headers: {
        add: { "X-Both": "proxy" },
        request: { set: { "X-Env": "proxy", "X-Key": "k" }, remove: ["x-debug"] },
        response: { set: { "X-Frame": "deny" }, remove: ["server"] },
      },
      routes: routes({
        headers: {
          add_x_forwarded: false,
          add_forwarded: true,
          request: { set: { "x-env": "route" }, add: { "X-Tag": "t" }, remove: ["X-Key"] },
          response: { set: { "X-Own": "yes" }, remove: { "X-Up": true } },
        },
      }),
    },
  });
  const lines = "X-Debug: 1\r\nX-Key: client\r\n";
  const own = await exchange(proxy.port, get("/own/x", lines));
  const other = await exchange(proxy.port, get("/x", lines));
  const sent = upstream.requests.map((request) =>
    ["x-env", "x-key", "x-tag", "x-both", "x-debug", "x-forwarded-proto"].map((name) => header(request, name))
  );
  // `remove` is a list, so that the route's takes the place of the proxy's: X-Debug passes.
  assertEquals(sent, [["route", undefined, "t", "proxy", "1", undefined], [
    ...["proxy", "k", undefined, "proxy", undefined, "http"],
  ]]);
  assertEquals(upstream.requests.map((request) => header(request, "forwarded") !== undefined), [true, false]);
  const got = [own, other].map((response) =>
    ["x-frame", "x-own", "x-both", "server", "x-up"].map((name) => header(response, name))
  );
  assertEquals(got, [["deny", "yes", "proxy", "up", undefined], ["deny", undefined, "proxy", undefined, "1"]]);
});
