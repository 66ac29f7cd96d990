// @ts-types="../../types/std/assert.d.ts"
import { assertEquals, assertStringIncludes } from "@std/assert";
import { until } from "../support/condition.ts";
import { block, bytesOf, frame, number } from "../support/http2_frames.ts";
import { type Http2Peer, Http2Upstream } from "../support/http2_upstream.ts";
import { LoggedProxy } from "../support/logged_proxy.ts";
import { exchange, RawClient } from "../support/raw_client.ts";
import { RunningProxy } from "../support/running_proxy.ts";

const OK = [":status", "200"];
const REFUSED_STREAM = 7;
const CANCEL = 8;

function get(port: number, path = "/"): Promise<Response> {
  return fetch(`http://127.0.0.1:${port}${path}`);
}

Deno.test("requests to an upstream that speaks HTTP/2 share one connection, and their responses find them", async () => {
  await using upstream = Http2Upstream.answering(({ fields }) => fields[":path"]);
  await using proxy = await RunningProxy.start({ upstreams: [upstream.url] });
  const paths = Array.from({ length: 60 }, (_, i) => `/${i}?q=${"x".repeat(i)}`);
  const texts = await Promise.all(paths.map(async (path) => (await get(proxy.port, path)).text()));
  assertEquals(texts, paths);
  assertEquals(upstream.peers.length, 1);
  const [peer] = upstream.peers;
  const ids = peer.frames.all.filter(({ type }) => type === 1).map(({ streamId }) => streamId);
  assertEquals(ids, Array.from({ length: 60 }, (_, i) => 2 * i + 1));
});

Deno.test("an upstream that allows two streams gets two on each connection, none of which it has to refuse", async () => {
  let open = 0;
  let most = 0;
  await using upstream = Http2Upstream.start(async (peer) => {
    // Once it knows the settings, the proxy keeps to them.
    for (let request = await peer.request(); request !== undefined; request = await peer.request()) {
      const { streamId, fields } = request;
      most = Math.max(most, ++open);
      if (fields[":path"] === "/first") {
        open--;
        await peer.respond(streamId, OK, "first");
        continue;
      }
      until("three connections are in use", () => upstream.peers.length === 3 && most === 6).then(() => {
        open--;
        return peer.respond(streamId, OK, "hello");
      });
    }
  }, { settings: [[3, 2]] });
  await using proxy = await RunningProxy.start({ upstreams: [upstream.url] });
  await (await get(proxy.port, "/first")).text();
  const texts = await Promise.all(Array.from({ length: 6 }, async () => (await get(proxy.port)).text()));
  assertEquals(texts, Array.from({ length: 6 }, () => "hello"));
  assertEquals(upstream.peers.length, 3);
});

Deno.test("max_streams bounds the exchanges of a connection below what the upstream allows", async () => {
  let open = 0;
  let most = 0;
  await using upstream = Http2Upstream.start(async (peer) => {
    for (let request = await peer.request(); request !== undefined; request = await peer.request()) {
      most = Math.max(most, ++open);
      if (upstream.peers[0] === peer) await until("both are there", () => most === 2);
      open--;
      await peer.respond(request.streamId, OK, "hello");
    }
  });
  await using proxy = await RunningProxy.start({
    upstreams: [upstream.url],
    proxy: { connections: { max_streams: 1 } },
  });
  await Promise.all([get(proxy.port), get(proxy.port)].map(async (response) => (await response).text()));
  assertEquals(upstream.peers.length, 2);
});

Deno.test("a request that the upstream refuses (REFUSED_STREAM) is sent again, whatever its method, and once only", async () => {
  const acted: string[] = [];
  await using upstream = Http2Upstream.start(async (peer) => {
    let refused = false;
    for (let request = await peer.request(); request !== undefined; request = await peer.request()) {
      const { streamId } = request;
      if (!refused && upstream.peers.length === 1) {
        refused = true;
        await peer.reset(streamId, REFUSED_STREAM);
        continue;
      }
      acted.push(new TextDecoder().decode(await peer.body(streamId)));
      await peer.respond(streamId, OK, "done");
    }
  });
  await using proxy = await RunningProxy.start({ upstreams: [upstream.url], proxy: { retries: { attempts: 1 } } });
  const response = await fetch(`http://127.0.0.1:${proxy.port}/`, { method: "POST", body: "order" });
  assertEquals([response.status, await response.text()], [200, "done"]);
  assertEquals(acted, ["order"]);
});

Deno.test("an upstream that refuses everything is asked twice, and the client gets 502", async () => {
  let asked = 0;
  await using upstream = Http2Upstream.start(async (peer) => {
    for (let request = await peer.request(); request !== undefined; request = await peer.request()) {
      asked++;
      await peer.reset(request.streamId, REFUSED_STREAM);
    }
  });
  await using proxy = await RunningProxy.start({ upstreams: [upstream.url] });
  const response = await get(proxy.port);
  await response.body?.cancel();
  assertEquals([response.status, asked], [502, 2]);
});

Deno.test("GOAWAY: streams above its last id are sent again on another connection, those below end on theirs", async () => {
  const served: string[] = [];
  await using upstream = Http2Upstream.start(async (peer, index) => {
    if (index > 0) {
      return await peer.serve(({ fields }) => {
        served.push(`again ${fields[":path"]}`);
        return "again";
      });
    }
    const first = await peer.request();
    const second = await peer.request();
    if (first === undefined || second === undefined) return;
    await peer.goAway(first.streamId);
    await until("the other one was sent again", () => served.length === 1);
    served.push(`first ${first.fields[":path"]}`);
    await peer.respond(first.streamId, OK, "first");
  });
  await using proxy = await RunningProxy.start({ upstreams: [upstream.url] });
  const first = get(proxy.port, "/a");
  await until("the first request is there", () => upstream.peers[0]?.frames.all.some(({ type }) => type === 1));
  const second = fetch(`http://127.0.0.1:${proxy.port}/b`, { method: "POST" });
  assertEquals([await (await first).text(), await (await second).text()], ["first", "again"]);
  assertEquals(served, ["again /b", "first /a"]);
  await until("the first connection is closed", () => upstream.peers[0].ended);
});

Deno.test("trailers pass in both directions, and interim responses on the way back", async () => {
  await using upstream = Http2Upstream.start(async (peer) => {
    const request = await peer.request();
    if (request === undefined) return;
    const { streamId, fields } = request;
    assertEquals([fields.te, fields["transfer-encoding"], fields.connection], ["trailers", undefined, undefined]);
    assertEquals(new TextDecoder().decode(await peer.body(streamId)), "hello");
    assertEquals(peer.frames.blocksOf(streamId)[1], ["x-checksum", "1"]);
    await peer.send(frame(1, 0x4, streamId, block([":status", "103", "link", "</a.css>"])));
    await peer.respond(streamId, OK, "body", ["grpc-status", "0"]);
  });
  await using proxy = await RunningProxy.start({ upstreams: [upstream.url] });
  using client = await RawClient.connect(proxy.port);
  await client.send(
    "POST / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nConnection: TE\r\nTransfer-Encoding: chunked\r\n\r\n" +
      "5\r\nhello\r\n0\r\nX-Checksum: 1\r\n\r\n",
  );
  const interim = await client.reader.answer("POST");
  assertStringIncludes(interim?.head ?? "", "103 Early Hints\r\nlink: </a.css>\r\n");
  const response = await client.answer("POST");
  assertEquals(new TextDecoder().decode(response.body), "body");
  assertEquals([response.trailers, response.whole], [["grpc-status: 0"], true]);
});

Deno.test("bodies of megabytes pass in both directions, within the windows of both sides", async () => {
  const size = 3_000_000;
  await using upstream = Http2Upstream.start(async (peer) => {
    const request = await peer.request();
    if (request === undefined) return;
    const { streamId } = request;
    const body = await peer.body(streamId);
    await peer.send(frame(1, 0x4, streamId, block([...OK, "content-length", String(body.length)])));
    let window = 65_536;
    let updates = 0;
    for (let at = 0; at < body.length;) {
      const count = Math.min(16_384, body.length - at, window);
      if (count > 0) {
        await peer.send(frame(0, at + count === body.length ? 1 : 0, streamId, body.subarray(at, at + count)));
        at += count;
        window -= count;
        continue;
      }
      const increased = (made: { type: number; streamId: number }) => made.type === 8 && made.streamId === streamId;
      await peer.until(({ all }) => all.filter(increased).length > updates);
      const found = peer.frames.all.filter(increased);
      for (; updates < found.length; updates++) window += new DataView(found[updates].payload.buffer).getUint32(0);
    }
  });
  await using proxy = await RunningProxy.start({ upstreams: [upstream.url] });
  const body = Uint8Array.from({ length: size }, (_, i) => (i * 2_654_435_761) >>> 24);
  const response = await fetch(`http://127.0.0.1:${proxy.port}/`, { method: "PUT", body });
  const back = new Uint8Array(await response.arrayBuffer());
  assertEquals(back.length, size);
  assertEquals(back.every((byte, i) => byte === body[i]), true);
});

Deno.test("an upstream that gives no window back is a write timeout (504), and the connection goes on", async () => {
  await using upstream = Http2Upstream.start(async (peer) => {
    const first = await peer.request();
    const second = await peer.request();
    if (first === undefined || second === undefined) return;
    await peer.respond(second.streamId, OK, "hello");
  }, { readsBodies: false });
  await using proxy = await LoggedProxy.start({
    upstreams: [upstream.url],
    proxy: { timeout: { write: "200ms" }, retries: { attempts: 1 } },
  });
  const slow = fetch(`http://127.0.0.1:${proxy.port}/slow`, { method: "POST", body: new Uint8Array(200_000) });
  const response = await slow;
  await response.body?.cancel();
  assertEquals(response.status, 504);
  assertStringIncludes(String((await proxy.accessLine("/slow")).cause), "took no bytes for 200 ms");
  // The window of the connection is used up, but a request without a body needs none.
  assertEquals(await (await get(proxy.port)).text(), "hello");
  assertEquals(upstream.peers.length, 1);
  assertEquals(upstream.peers[0].frames.resetOf(1), CANCEL);
});

Deno.test("a client that leaves cancels its stream, and no other", async () => {
  await using upstream = Http2Upstream.start(async (peer) => {
    const first = await peer.request();
    if (first === undefined) return;
    await peer.send(frame(1, 0x4, first.streamId, block(OK)), frame(0, 0, first.streamId, [65]));
    await peer.until((frames) => frames.resetOf(first.streamId) !== undefined);
    await peer.serve(() => "hello");
  });
  await using proxy = await RunningProxy.start({ upstreams: [upstream.url] });
  const client = await RawClient.connect(proxy.port);
  await client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  await client.reader.head();
  client.close();
  assertEquals(await (await get(proxy.port)).text(), "hello");
  assertEquals([upstream.peers.length, upstream.peers[0].frames.resetOf(1)], [1, CANCEL]);
});

Deno.test("an upstream that is silent is a read timeout (504), its stream is cancelled", async () => {
  await using upstream = Http2Upstream.start(async (peer) => void await peer.request());
  await using proxy = await RunningProxy.start({
    upstreams: [upstream.url],
    proxy: { timeout: { read: "100ms" }, retries: { attempts: 1 } },
  });
  const response = await get(proxy.port);
  await response.body?.cancel();
  assertEquals(response.status, 504);
  await until("the stream is cancelled", () => upstream.peers[0].frames.resetOf(1) === CANCEL);
});

Deno.test("a response that breaks off is never passed off as whole", async () => {
  const ends: Record<string, (peer: Http2Peer, id: number) => unknown> = {
    reset: (peer, id) => peer.reset(id, 2),
    closed: (peer) => peer.close(),
    short: (peer, id) => peer.send(frame(0, 1, id, [66])),
    goAway: (peer) => peer.send(frame(7, 0, 1, [...number(1), ...number(0)])),
  };
  for (const [name, end] of Object.entries(ends)) {
    await using upstream = Http2Upstream.start(async (peer) => {
      const request = await peer.request();
      if (request === undefined) return;
      const fields = [...OK, ...name === "short" ? ["content-length", "100"] : []];
      await peer.send(frame(1, 0x4, request.streamId, block(fields)), frame(0, 0, request.streamId, [65]));
      await end(peer, request.streamId);
    });
    await using proxy = await RunningProxy.start({ upstreams: [upstream.url] });
    using client = await RawClient.connect(proxy.port);
    await client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    const response = await client.answer();
    assertEquals([response.firstLine, response.whole], ["HTTP/1.1 200 OK", false], name);
  }
});

Deno.test("what an upstream sends against the rules is a 502 with the cause in the log, and the next request is served", async () => {
  const bad: Record<string, { bytes: (id: number) => Uint8Array; cause: string }> = {
    upper: { bytes: (id) => frame(1, 0x5, id, block([":status", "200", "X-Upper", "1"])), cause: "is no field name" },
    connection: { bytes: (id) => frame(1, 0x5, id, block([...OK, "connection", "close"])), cause: "connection" },
    noStatus: { bytes: (id) => frame(1, 0x5, id, block(["x", "1"])), cause: ":status" },
    switching: { bytes: (id) => frame(1, 0x4, id, block([":status", "101"])), cause: "101" },
    lineBreak: { bytes: (id) => frame(1, 0x5, id, block([...OK, "x", "a\r\nb: c"])), cause: "may not" },
    data: { bytes: (id) => frame(0, 0x1, id, [65]), cause: "before the head" },
    hpack: { bytes: (id) => frame(1, 0x5, id, [0xbf]), cause: "an index is 63" },
    push: { bytes: (id) => frame(5, 0x4, id, [...number(2), 0x82]), cause: "PUSH_PROMISE" },
    size: { bytes: () => frame(6, 0, 0, [1, 2, 3]), cause: "PING" },
    bomb: { bytes: bomb, cause: "too large" },
    http1: { bytes: () => new TextEncoder().encode("HTTP/1.1 400 Bad Request\r\n\r\n"), cause: "HTTP/2" },
  };
  for (const [name, { bytes, cause }] of Object.entries(bad)) {
    await using upstream = Http2Upstream.start(async (peer, index) => {
      if (index > 0) return await peer.serve(() => "hello");
      for (let request = await peer.request(); request !== undefined; request = await peer.request()) {
        if (request.fields[":path"] === "/good") await peer.respond(request.streamId, OK, "hello");
        else await peer.send(bytes(request.streamId));
      }
    });
    await using proxy = await LoggedProxy.start({ upstreams: [upstream.url] });
    const response = await get(proxy.port, "/bad");
    await response.body?.cancel();
    assertEquals(response.status, 502, name);
    const line = await proxy.accessLine("/bad");
    assertStringIncludes(String(line.cause), cause, name);
    assertEquals(await (await get(proxy.port, "/good")).text(), "hello", name);
  }
});

/** A head of 100 KB. */
function bomb(id: number): Uint8Array {
  const fields = block([...OK, ...Array.from({ length: 100 }, (_, i) => [`x-${i}`, "a".repeat(1000)]).flat()]);
  const frames: Uint8Array[] = [];
  for (let at = 0; at < fields.length; at += 16_384) {
    const last = at + 16_384 >= fields.length;
    frames.push(frame(at === 0 ? 1 : 9, (at === 0 ? 0x1 : 0) | (last ? 0x4 : 0), id, fields.slice(at, at + 16_384)));
  }
  return bytesOf(...frames);
}

Deno.test("floods of an upstream end its connection, and not the proxy", async () => {
  const floods: Record<string, () => Uint8Array> = {
    ping: () => frame(6, 0, 0, [0, 0, 0, 0, 0, 0, 0, 0]),
    settings: () => frame(4, 0, 0),
    empty: () => frame(0xf, 0, 0),
  };
  for (const [name, flood] of Object.entries(floods)) {
    await using upstream = Http2Upstream.start(async (peer, index) => {
      if (index > 0) return await peer.serve(() => "hello");
      await peer.request();
      const piece = Array.from({ length: 100 }, flood);
      for (let i = 0; i < 200 && !peer.ended; i++) if (!await peer.send(...piece)) break;
    });
    await using proxy = await LoggedProxy.start({ upstreams: [upstream.url] });
    const response = await get(proxy.port, "/flood");
    await response.body?.cancel();
    assertEquals(response.status, 502, name);
    assertStringIncludes(String((await proxy.accessLine("/flood")).cause), "Too many", name);
    assertEquals(await (await get(proxy.port)).text(), "hello", name);
  }
});

Deno.test("an upstream that breaks a connection before it responds gets idempotent requests again, others not", async () => {
  const methods: string[] = [];
  await using upstream = Http2Upstream.start(async (peer) => {
    const request = await peer.request();
    if (request === undefined) return;
    methods.push(request.fields[":method"]);
    if (methods.length !== 2) peer.close();
    else await peer.respond(request.streamId, OK, "hello");
  });
  await using proxy = await RunningProxy.start({
    upstreams: [upstream.url, { url: `${upstream.url}/twin` }],
    proxy: { retries: { attempts: 2 } },
  });
  assertEquals(await (await get(proxy.port)).text(), "hello");
  upstream.peers[1].close();
  await until("both connections are closed", () => upstream.peers.every((peer) => peer.ended));
  const response = await fetch(`http://127.0.0.1:${proxy.port}/`, { method: "POST", body: "a" });
  await response.body?.cancel();
  assertEquals(response.status, 502);
  assertEquals(methods, ["GET", "GET", "POST"]);
});

Deno.test("statuses without a body and responses to HEAD end with their head", async () => {
  await using upstream = Http2Upstream.start(async (peer) => {
    for (let request = await peer.request(); request !== undefined; request = await peer.request()) {
      const { streamId, fields } = request;
      if (fields[":method"] === "HEAD") await peer.respond(streamId, [...OK, "content-length", "1000"]);
      else await peer.respond(streamId, [":status", fields[":path"].slice(1)]);
    }
  });
  await using proxy = await RunningProxy.start({ upstreams: [upstream.url] });
  const head = await exchange(proxy.port, "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n", "HEAD");
  assertStringIncludes(head.head, "content-length: 1000");
  for (const status of [204, 304]) {
    const response = await exchange(proxy.port, `GET /${status} HTTP/1.1\r\nHost: a\r\n\r\n`);
    assertStringIncludes(response.head, `HTTP/1.1 ${status}`);
  }
});
