/**
 * WebSockets, and everybody's requests, through reload after reload.
 *
 * @module
 */

// @ts-types="../../types/std/assert.d.ts"
import { assert, assertEquals } from "@std/assert";
import type { ConfigInput } from "../../lib/generation/config/config_types.ts";
import { ClosedLoop } from "../support/closed_loop.ts";
import { until, within } from "../support/condition.ts";
import { type FramePeer, SocketUpstream } from "../support/frame_peer.ts";
import { freePort } from "../support/port.ts";
import { echoes, openSockets, ReloadedProxy, THREADS } from "../support/reloaded_proxy.ts";
import { configOf } from "../support/running_proxy.ts";
import { TallyingUpstream } from "../support/tallying_upstream.ts";

/** Long enough for a busy machine to do what comes before. */
const DELAY_MS = 2500;

for (const [name, workers] of THREADS) {
  Deno.test(`reload() with ${name}: WebSockets whose route is unchanged live on, the others get 1001 in time`, async () => {
    await using upstream = SocketUpstream.echoing();
    await using leaving = SocketUpstream.echoing();
    const before = socketConfig(upstream.url, { changed: {}, gone: leaving.url });
    await using proxy = await ReloadedProxy.start(workers, before);
    const kept = await openSockets(proxy.port(), "/kept", 6);
    const changed = await openSockets(proxy.port(), "/changed", 6);
    const gone = await openSockets(proxy.port(), "/gone", 6);
    const startedMs = performance.now();
    await proxy.reload(socketConfig(upstream.url, { changed: { strip_prefix: true }, gone: upstream.url }));
    // All have some time left, those whose route or whose upstream is not there any more included.
    assertEquals(await echoes([...kept, ...changed, ...gone], "still here"), { "text:still here": 18 });
    for (const peer of [...changed, ...gone]) {
      assertEquals(await within(10_000, "it is sent away", peer.said()), "close:1001");
      peer.close();
    }
    assert(performance.now() - startedMs >= DELAY_MS, `sent away after ${performance.now() - startedMs} ms`);
    assertEquals(await echoes(kept, "and now"), { "text:and now": 6 });
    // The new rules hold for new ones.
    const [fresh] = await openSockets(proxy.port(), "/changed/x", 1);
    assertEquals(upstream.heads.at(-1)?.firstLine, "GET /x HTTP/1.1");
    assertEquals(await echoes([fresh], "hello"), { "text:hello": 1 });
    for (const peer of [...kept, fresh]) peer.close();
  });

  Deno.test(`reload() with ${name}: a port with WebSockets that goes and comes back is the same port`, async () => {
    await using upstream = SocketUpstream.echoing();
    const config = (strip_prefix: boolean) =>
      socketConfig(upstream.url, { changed: { strip_prefix }, gone: upstream.url });
    const port = freePort();
    const withSecond = (input: ConfigInput) => ({
      ...input,
      sites: [...input.sites, { ...input.sites[0], name: "second", port }],
    });
    await using proxy = await ReloadedProxy.start(workers, withSecond(config(false)));
    const peers = await openSockets(port, "/changed", 4);
    await proxy.reload(config(false));
    await proxy.reload(withSecond(config(true)));
    const young = await openSockets(port, "/changed/x", 4);
    assertEquals(await echoes(young, "hello"), { "text:hello": 4 });
    for (const peer of peers) {
      assertEquals(await within(10_000, "it is sent away", peer.said()), "close:1001");
      peer.close();
    }
    // The port was taken back before those of its first life had left.
    assertEquals(await echoes(young, "and now"), { "text:and now": 4 });
    for (const peer of young) peer.close();
  });

  Deno.test(`reload() with ${name}: 50 times under load with 100 WebSockets, and nobody notices`, async () => {
    await using plain = TallyingUpstream.start();
    await using sockets = SocketUpstream.echoing();
    const config = (turn: number): ConfigInput => {
      const input = configOf({
        upstreams: [plain.url],
        // Something that concerns plain requests, and not the route of the WebSockets.
        site: { headers: { "x-turn": String(turn) } },
      });
      const proxy = input.sites[0].proxy as NonNullable<ConfigInput["sites"][number]["proxy"]>;
      proxy.upstreams?.push({ name: "sockets", url: sockets.url });
      proxy.routes?.push({ path: "/socket", upstream: "sockets", websocket: true });
      return input;
    };
    await using proxy = await ReloadedProxy.start(workers, config(0));
    const peers: FramePeer[] = [];
    for (let i = 0; i < 10; i++) peers.push(...await openSockets(proxy.port(), "/socket", 10));
    await using loop = new ClosedLoop({ port: proxy.port(), clients: 16 });
    for (let turn = 1; turn <= 50; turn++) {
      const { answered } = loop;
      await proxy.reload(config(turn));
      if (turn % 10 === 0) assertEquals(await echoes(peers, `turn ${turn}`), { [`text:turn ${turn}`]: 100 });
      await until("load goes on", () => loop.answered > answered + 20);
    }
    await loop.stop();
    assertEquals(loop.failed, 0, loop.failures[0]);
    assertEquals(sockets.open, 100);
    for (const peer of peers) peer.close();
    await until("all have left", () => sockets.open === 0);
  });
}

function socketConfig(
  url: string,
  { changed, gone }: { changed: { strip_prefix?: boolean }; gone: string },
): ConfigInput {
  return configOf({
    upstreams: [],
    server: { stream_close_delay: `${DELAY_MS}ms` },
    proxy: {
      upstreams: [{ name: "app", url }, { name: "other", url: gone }],
      routes: [
        { path: "/kept", upstream: "app", websocket: true },
        { path: "/changed", upstream: "app", websocket: true, ...changed },
        { path: "/gone", upstream: "other", websocket: true },
      ],
    },
  });
}
