// @ts-types="../../types/std/assert.d.ts"
import { assert, assertEquals, assertFalse, assertLess, assertStringIncludes } from "@std/assert";
import { MALFORMED, ODD } from "../http1/hostile_responses.ts";
import { OWN } from "../support/listener_in_use.ts";
import { until, within } from "../support/condition.ts";
import { header, headerAll, statusOf, text } from "../support/message_reader.ts";
import { exchange, get, head, post, RawClient } from "../support/raw_client.ts";
import { openConnections } from "../support/open_connections.ts";
import { RunningProxy } from "../support/running_proxy.ts";
import { answerOf, ScriptedUpstream, type UpstreamPeer } from "../support/scripted_upstream.ts";

/** Answers the first request with raw bytes, and closes. */
function once(answer: string): ScriptedUpstream {
  return ScriptedUpstream.start(async (peer) => {
    if (await peer.request() !== undefined) await peer.send(answer);
  });
}

/** Answers the first request with raw bytes, and waits for the proxy to close. */
function onceOpen(answer: string): ScriptedUpstream {
  return ScriptedUpstream.start(async (peer) => {
    if (await peer.request() === undefined) return;
    await peer.send(answer);
    await peer.closed();
  });
}

const big = "b".repeat(200_000);

for (const [what, answer] of MALFORMED) {
  Deno.test(`an upstream that sends ${what} gives 502, or a body that breaks off, and nothing of it goes on`, async () => {
    await using upstream = onceOpen(answer);
    const connections = { idle_timeout: "100ms" };
    await using proxy = await RunningProxy.start({ upstreams: [upstream.url], proxy: { connections } });
    using client = await RawClient.connect(proxy.port);
    await client.send(get("/"));
    const got = await within(3000, "an answer", client.answer());
    // Once 64 KiB of a chunked body are read, its status is on its way already.
    if (statusOf(got) === 200) assertFalse(got.whole);
    else {
      assertEquals(statusOf(got), 502);
      assertFalse(text(got.body).includes("hello"));
    }
    await until("the upstream's connection is closed", () => upstream.open === 0);
  });
}

for (const [what, answer, status] of ODD) {
  Deno.test(`a response with ${what} goes on whole, as ${status}, and is no failure of the upstream`, async () => {
    await using upstream = onceOpen(answer);
    await using other = onceOpen(answer);
    const passive_health = { max_fails: 1 };
    await using proxy = await RunningProxy.start({ upstreams: [upstream.url, other.url], proxy: { passive_health } });
    const got = await exchange(proxy.port, get("/"));
    assertEquals([statusOf(got), header(got, "x"), text(got.body), got.whole], [status, "a", "hello", true]);
    assertEquals(proxy.upstreams.map(({ state }) => state), ["active", "active"]);
  });
}

const CUT_HEADS: readonly string[] = [
  "",
  "H",
  "HTTP/1.1 200 OK",
  "HTTP/1.1 200 OK\r\nX: y\r\n",
  "HTTP/1.1 103 Hints\r\n\r\n",
];

for (const head of CUT_HEADS) {
  Deno.test(`an upstream that closes after ${JSON.stringify(head)} gives 502`, async () => {
    await using upstream = once(head);
    await using proxy = await RunningProxy.start({ upstreams: [upstream.url] });
    assertEquals(statusOf(await exchange(proxy.port, get("/"))), 502);
    // Silence may be tried again, a broken answer not.
    assertEquals(upstream.requests.length, head === "" ? 3 : 1);
  });
}

const CUT_BODIES: readonly [what: string, answer: string][] = [
  ["Content-Length, no byte", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n"],
  ["Content-Length, half", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello"],
  ["Content-Length, one byte short of much", `HTTP/1.1 200 OK\r\nContent-Length: ${big.length + 1}\r\n\r\n${big}`],
  ["chunked, no chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"],
  ["chunked, within a chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\na\r\nhello"],
  ["chunked, between chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"],
  ["chunked, within the last chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n"],
  ["chunked, within the trailers", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX: y\r\n"],
];

for (const [what, answer] of CUT_BODIES) {
  Deno.test(`an upstream that closes in its body (${what}) makes the proxy cut the client off`, async () => {
    await using upstream = once(answer);
    await using proxy = await RunningProxy.start({ upstreams: [upstream.url] });
    const got = await within(3000, "an answer", exchange(proxy.port, get("/")));
    assertFalse(got.whole, got.head + text(got.body));
  });
}

Deno.test("an upstream that resets in a body that lasts until the end is not passed off as whole", async () => {
  await using upstream = ScriptedUpstream.start(async (peer) => {
    // Closing with unread bytes makes the system send a reset.
    await peer.head();
    await peer.send("HTTP/1.1 200 OK\r\n\r\nhello");
    await peer.reader.head();
  });
  await using proxy = await RunningProxy.start({ upstreams: [upstream.url] });
  using client = await RawClient.connect(proxy.port);
  await client.send("POST / HTTP/1.1\r\nHost: site.test\r\nContent-Length: 3000000\r\n\r\n");
  await client.send("\r\n\r\n" + "x".repeat(2_000_000));
  // While an upload is under way the runtime does not always cut the client's connection: then the end never comes.
  await proxy.idle();
  const cut = new Promise<{ whole: boolean }>((resolve) => setTimeout(() => resolve({ whole: false }), 1000));
  const got = await Promise.race([client.answer(), cut]).catch(() => ({ whole: false }));
  client.close();
  await cut;
  assertFalse(got.whole);
});

Deno.test("an upstream that never responds gives 504 after timeout.read", async () => {
  await using upstream = onceOpen("");
  await using proxy = await RunningProxy.start({ upstreams: [upstream.url], proxy: { timeout: { read: "300ms" } } });
  const startMs = performance.now();
  assertEquals(statusOf(await exchange(proxy.port, get("/"))), 504);
  const tookMs = performance.now() - startMs;
  // Not before, and by no other timeout: the defaults of those are longer than this.
  assert(tookMs > 250 && tookMs < 20_000, `${tookMs} ms`);
  await until("the upstream's connection is closed", () => upstream.open === 0);
});

Deno.test("an upstream that falls silent in its head gives 504, in its body a response that is cut off", async () => {
  await using inHead = onceOpen("HTTP/1.1 200 OK\r\nX: y\r\n");
  await using inBody = onceOpen("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello");
  const timeout = { read: "600ms" };
  await using first = await RunningProxy.start({ upstreams: [inHead.url], proxy: { timeout } });
  await using second = await RunningProxy.start({ upstreams: [inBody.url], proxy: { timeout } });
  assertEquals(statusOf(await exchange(first.port, get("/"))), 504);
  const cut = await within(3000, "an answer", exchange(second.port, get("/")));
  assertEquals([statusOf(cut), cut.whole], [200, false]);
});

Deno.test("an upstream that takes nothing of a large body gives 504 after timeout.write", async () => {
  await using upstream = ScriptedUpstream.start((peer) => stalled(peer));
  await using proxy = await RunningProxy.start({ upstreams: [upstream.url], proxy: { timeout: { write: "300ms" } } });
  using client = await RawClient.connect(proxy.port);
  const size = 64 * 1024 * 1024;
  await client.send(`POST / HTTP/1.1\r\nHost: site.test\r\nContent-Length: ${size}\r\n\r\n`);
  // The proxy stops reading as soon as the upstream does, so this upload stands still.
  const upload = client.send(new Uint8Array(size));
  const got = await within(5000, "an answer", client.answer());
  assertEquals(statusOf(got), 504);
  released.resolve();
  client.close();
  await upload;
});

const released = Promise.withResolvers<void>();
async function stalled(_peer: UpstreamPeer): Promise<void> {
  await released.promise;
}

for (
  const [what, answer] of [
    [
      "Content-Length",
      "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhelloHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil",
    ],
    [
      "the last chunk",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil",
    ],
    ["a large Content-Length", answerOf(big) + "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"],
    ["204", "HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"],
    ["304", "HTTP/1.1 304 Not Modified\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"],
  ]
) {
  Deno.test(`bytes behind ${what} never reach the next client`, async () => {
    await using upstream = ScriptedUpstream.start(async (peer, index) => {
      if (index > 0) return await peer.serve(() => answerOf("good"));
      await peer.request();
      await peer.send(answer);
      await peer.closed();
    });
    await using proxy = await RunningProxy.start({ upstreams: [upstream.url] });
    const first = await exchange(proxy.port, get("/"));
    assertFalse(text(first.body).includes("evil"));
    assert(first.whole);
    const second = await exchange(proxy.port, get("/"));
    assertEquals(text(second.body), "good");
  });
}

Deno.test("bytes that come on an idle connection take it out of the pool", async () => {
  const say = Promise.withResolvers<void>();
  await using upstream = ScriptedUpstream.start(async (peer, index) => {
    if (index > 0) return await peer.serve(() => answerOf("good"));
    await peer.request();
    await peer.send(answerOf("good"));
    await say.promise;
    await peer.send(answerOf("evil"));
    await peer.closed();
  });
  await using proxy = await RunningProxy.start({ upstreams: [upstream.url], metrics: true });
  assertEquals(text((await exchange(proxy.port, get("/"))).body), "good");
  say.resolve();
  await until("the connection is dropped", () => openConnections(proxy.generation) === 0);
  assertEquals(text((await exchange(proxy.port, get("/"))).body), "good");
});

Deno.test("a body after the response to HEAD never reaches the next client", async () => {
  await using upstream = ScriptedUpstream.answering(answerOf("evil"));
  await using proxy = await RunningProxy.start({ upstreams: [upstream.url] });
  using client = await RawClient.connect(proxy.port);
  for (let round = 0; round < 20; round++) {
    await client.send("HEAD / HTTP/1.1\r\nHost: site.test\r\n\r\n");
    const head = await client.answer("HEAD");
    assertEquals([statusOf(head), header(head, "content-length")], [200, "4"]);
    await client.send(get("/"));
    const next = await client.answer();
    assertEquals([statusOf(next), text(next.body)], [200, "evil"]);
  }
});

Deno.test("a long response after a chunked one on the same connection arrives whole", async () => {
  const long = "c".repeat(1_000_000);
  await using upstream = ScriptedUpstream.answering((request) =>
    request.firstLine.includes("/chunked")
      ? "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
      : answerOf(long)
  );
  await using proxy = await RunningProxy.start({ upstreams: [upstream.url] });
  for (let round = 0; round < 3; round++) {
    assertEquals(text((await exchange(proxy.port, get("/chunked"))).body), "hello");
    const got = await within(3000, "an answer", exchange(proxy.port, get("/long")));
    assertEquals([got.body.length, got.whole], [long.length, true]);
  }
  assertEquals(upstream.connections, 1);
});

Deno.test("a body that lasts until the end arrives whole after a chunked response on the same connection", async () => {
  const long = "c".repeat(1_000_000);
  await using upstream = ScriptedUpstream.start(async (peer) => {
    await peer.request();
    await peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n");
    if (await peer.request() !== undefined) await peer.send("HTTP/1.1 200 OK\r\n\r\n" + long);
  });
  await using proxy = await RunningProxy.start({ upstreams: [upstream.url] });
  assertEquals(text((await exchange(proxy.port, get("/"))).body), "hello");
  const got = await within(3000, "an answer", exchange(proxy.port, get("/")));
  assertEquals([got.body.length, got.whole], [long.length, true]);
});

Deno.test("a response in the middle of an upload reaches the client at once", async () => {
  await using upstream = ScriptedUpstream.start(async (peer) => {
    await peer.head();
    await peer.send("HTTP/1.1 401 Unauthorized\r\nContent-Length: 4\r\n\r\nno!\n");
    await peer.closed();
  });
  await using proxy = await RunningProxy.start({ upstreams: [upstream.url] });
  using client = await RawClient.connect(proxy.port);
  await client.send("POST / HTTP/1.1\r\nHost: site.test\r\nContent-Length: 50000000\r\n\r\n" + "x".repeat(10_000));
  const got = await within(2000, "an answer before the body is sent", client.answer());
  assertEquals([statusOf(got), text(got.body)], [401, "no!\n"]);
  await proxy.idle();
  await until("the upstream's connection is closed", () => upstream.open === 0);
});

Deno.test("a response before the body that is followed by a reset still reaches the client", async () => {
  await using upstream = ScriptedUpstream.start(async (peer) => {
    await peer.head();
    await peer.send("HTTP/1.1 413 Content Too Large\r\nContent-Length: 4\r\nConnection: close\r\n\r\nbig\n");
    // Unread bytes at the close: a reset.
  });
  await using proxy = await RunningProxy.start({ upstreams: [upstream.url] });
  for (let round = 0; round < 10; round++) {
    using client = await RawClient.connect(proxy.port);
    await client.send("POST / HTTP/1.1\r\nHost: site.test\r\nContent-Length: 5000000\r\n\r\n" + "x".repeat(10_000));
    const got = await within(2000, "an answer", client.answer());
    assertEquals([statusOf(got), text(got.body)], [413, "big\n"]);
  }
});

for (
  const [what, answer, body] of [
    ["Content-Length", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "hello"],
    [
      "chunks",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;a=b\r\nhe\r\n03\r\nllo\r\n0\r\nX: y\r\n\r\n",
      "hello",
    ],
    [
      "interim answers",
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nLink: x\r\n\r\nHTTP/1.1 200\r\nContent-Length: 1\r\n\r\n!",
      "!",
    ],
    ["nothing but its end", "HTTP/1.0 200 OK\r\n\r\nhello", "hello"],
  ]
) {
  Deno.test(`a response framed by ${what} that drips byte by byte arrives whole`, async () => {
    await using upstream = ScriptedUpstream.start(async (peer) => {
      await peer.request();
      for (const byte of answer) {
        await peer.send(byte);
        await new Promise((resolve) => setTimeout(resolve));
      }
    });
    await using proxy = await RunningProxy.start({ upstreams: [upstream.url] });
    const got = await exchange(proxy.port, get("/"));
    assertEquals([statusOf(got), text(got.body), got.whole], [200, body, true]);
  });
}

Deno.test("a connection that the upstream closes while it idles costs a GET nothing", async () => {
  // The close comes at once after the answer, so that some requests meet it half-way.
  await using upstream = ScriptedUpstream.start(async (peer) => {
    if (await peer.request() !== undefined) await peer.send(answerOf("ok"));
  });
  await using proxy = await RunningProxy.start({ upstreams: [upstream.url] });
  using client = await RawClient.connect(proxy.port);
  for (let round = 0; round < 200; round++) {
    await client.send(get(`/${round}`));
    assertEquals(statusOf(await client.answer()), 200, `round ${round}`);
  }
  assertEquals(upstream.requests.length, 200);
});

Deno.test("a request that a kept connection swallows is sent again once for GET, and never for POST", async () => {
  await using upstream = ScriptedUpstream.start(async (peer) => {
    const first = await peer.request();
    await peer.send(answerOf("ok"));
    // What follows a warming request is read and left unanswered.
    if (first?.firstLine.includes("/warm")) await peer.request();
  });
  for (let round = 0; round < 200; round++) {
    await using proxy = await RunningProxy.start({ upstreams: [upstream.url] });
    assertEquals(statusOf(await exchange(proxy.port, get(`/warm${round}`))), 200);
    const isGet = round % 2 === 0;
    const target = `/swallowed${round}`;
    const got = await exchange(proxy.port, isGet ? get(target) : post(target, "order"));
    const seen = upstream.requests.filter((request) => request.firstLine.includes(`${target} `)).length;
    assertEquals([statusOf(got), seen], isGet ? [200, 2] : [502, 1], `round ${round}`);
  }
});

Deno.test("a POST over connections that close as they like is never sent twice", async () => {
  await using upstream = ScriptedUpstream.start(async (peer) => {
    if (await peer.request() !== undefined) await peer.send(answerOf("ok"));
  });
  await using proxy = await RunningProxy.start({ upstreams: [upstream.url] });
  using client = await RawClient.connect(proxy.port);
  let failed = 0;
  for (let round = 0; round < 200; round++) {
    await client.send(post(`/${round}`, "order"));
    if (statusOf(await client.answer()) !== 200) failed++;
  }
  const targets = upstream.requests.map((request) => request.firstLine.split(" ")[1]);
  assertEquals(new Set(targets).size, targets.length);
  assertLess(failed, 200);
});

Deno.test("a GET whose kept connection gave an interim response and closed is not sent again", async () => {
  await using upstream = ScriptedUpstream.start(async (peer) => {
    await peer.request();
    await peer.send(answerOf("ok"));
    if (await peer.request() !== undefined) await peer.send("HTTP/1.1 103 Early Hints\r\n\r\n");
  });
  await using proxy = await RunningProxy.start({ upstreams: [upstream.url] });
  assertEquals(statusOf(await exchange(proxy.port, get("/warm"))), 200);
  assertEquals(statusOf(await exchange(proxy.port, get("/acted-on"))), 502);
  assertEquals(upstream.requests.length, 2);
});

Deno.test("HTTP/1.0 responses pass, and their connection is kept only when they say so", async () => {
  for (const [line, kept] of [["", false], ["Connection: keep-alive\r\n", true]] as const) {
    await using upstream = ScriptedUpstream.answering(`HTTP/1.0 200 OK\r\n${line}Content-Length: 2\r\n\r\nok`);
    await using proxy = await RunningProxy.start({ upstreams: [upstream.url] });
    for (let round = 0; round < 2; round++) {
      const got = await exchange(proxy.port, get("/"));
      assertEquals([statusOf(got), text(got.body), got.whole], [200, "ok", true]);
    }
    assertEquals(upstream.connections, kept ? 1 : 2);
  }
});

Deno.test("304 and HEAD keep the Content-Length that their GET would have; 204 has no body", async () => {
  await using upstream = ScriptedUpstream.answering((request) => {
    const status = request.firstLine.split("/")[1].slice(0, 3);
    return `HTTP/1.1 ${status} X\r\nETag: "a"\r\nContent-Length: 1234\r\n\r\n`;
  });
  await using proxy = await RunningProxy.start({ upstreams: [upstream.url] });
  const notModified = await exchange(proxy.port, get("/304"));
  assertEquals([statusOf(notModified), header(notModified, "etag")], [304, '"a"']);
  // The runtime leaves it out, which RFC 9110, section 8.6 allows; what must not be there is a length of its own.
  assert([undefined, "1234"].includes(header(notModified, "content-length")));
  assertEquals(header(await exchange(proxy.port, head("/200"), "HEAD"), "content-length"), "1234");
  const empty = await exchange(proxy.port, get("/204"));
  assertEquals([statusOf(empty), header(empty, "content-length")], [204, undefined]);
});

// The runtime sends neither a length nor chunks with it and leaves the connection open: the client waits for an end.
Deno.test("205 ends for the client", { ignore: !OWN }, async () => {
  await using upstream = ScriptedUpstream.answering("HTTP/1.1 205 X\r\nContent-Length: 0\r\n\r\n");
  await using proxy = await RunningProxy.start({ upstreams: [upstream.url] });
  assertEquals(statusOf(await within(2000, "an answer", exchange(proxy.port, get("/")))), 205);
});

Deno.test("a body with 205, whole or endless, is dropped and holds nothing", async () => {
  for (const answer of ["HTTP/1.1 205 X\r\nContent-Length: 4\r\n\r\nevil", `HTTP/1.1 205 X\r\n\r\n${big}`]) {
    await using upstream = onceOpen(answer);
    await using proxy = await RunningProxy.start({ upstreams: [upstream.url] });
    using client = await RawClient.connect(proxy.port);
    await client.send(get("/"));
    const got = await within(2000, "an answer", client.reader.head());
    assertEquals(got?.firstLine.split(" ")[1], "205");
    assertFalse(client.reader.rest.includes("evil"));
    await proxy.idle(2000);
  }
});

Deno.test("trailers are read past, and the connection is used again", async () => {
  await using upstream = ScriptedUpstream.answering(
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n5\r\nhello\r\n0\r\nX-Sum: 1\r\nContent-Length: 9\r\n\r\n",
  );
  await using proxy = await RunningProxy.start({ upstreams: [upstream.url] });
  for (let round = 0; round < 3; round++) {
    const got = await exchange(proxy.port, get("/"));
    assertEquals([text(got.body), got.whole, header(got, "x-sum")], ["hello", true, undefined]);
  }
  assertEquals(upstream.connections, 1);
});

Deno.test("fields of the upstream's hop stay there, and all others arrive in order and number", async () => {
  const lines = "X-Foo: 1\r\nConnection: x-foo, keep-alive\r\nKeep-Alive: timeout=5\r\nUpgrade: h2c\r\n" +
    "Proxy-Authenticate: Basic\r\nTE: trailers\r\nSet-Cookie: a=1; Path=/\r\nX-Other: 2\r\nSet-Cookie: b=2\r\n" +
    "Set-Cookie: a=3\r\nX-Latin: caf\xe9\r\nVia: 1.1 inner\r\nX-Request-Id: theirs\r\n";
  await using upstream = ScriptedUpstream.answering(answerOf("ok", lines));
  await using proxy = await RunningProxy.start({ upstreams: [upstream.url] });
  const got = await exchange(proxy.port, get("/"));
  for (const gone of ["x-foo", "keep-alive", "upgrade", "proxy-authenticate", "te"]) {
    assertEquals(header(got, gone), undefined, gone);
  }
  assertEquals(headerAll(got, "set-cookie"), ["a=1; Path=/", "b=2", "a=3"]);
  assertEquals([header(got, "x-other"), header(got, "x-latin")], ["2", "caf\xe9"]);
  assertEquals(header(got, "via"), "1.1 inner, 1.1 bws");
  assertEquals(headerAll(got, "x-request-id"), ["theirs"]);
  assertStringIncludes(got.head, "X-Other: 2");
});
