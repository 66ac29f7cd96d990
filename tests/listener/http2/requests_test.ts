// @ts-types="../../../types/std/assert.d.ts"
import { assertEquals, assertStringIncludes } from "@std/assert";
import { until } from "../../support/condition.ts";
import { Http2Client, valueOf } from "../../support/http2_client.ts";
import { block, bytesOf, CLIENT_BEGIN, frame, GET, POST } from "../../support/http2_frames.ts";
import { LoggedProxy } from "../../support/logged_proxy.ts";
import { header, headerAll, statusOf, text } from "../../support/message_reader.ts";
import { exchange, get, RawClient } from "../../support/raw_client.ts";
import { RunningProxy } from "../../support/running_proxy.ts";
import { answerOf, ScriptedUpstream } from "../../support/scripted_upstream.ts";

const server = { listener: "own" } as const;

Deno.test("a request of HTTP/2 reaches the upstream with its fields, and its response comes back", async () => {
  await using upstream = ScriptedUpstream.start((peer) =>
    peer.serve(() =>
      "HTTP/1.1 201 Made\r\nContent-Length: 2\r\nX-A: 1\r\nSet-Cookie: a\r\nSet-Cookie: b\r\nKeep-Alive: x\r\n\r\nok"
    )
  );
  await using proxy = await RunningProxy.start({ upstreams: [upstream.url], server });
  await using client = await Http2Client.begun(proxy.port);
  await client.fields(1, [
    ...[":method", "GET", ":scheme", "http", ":path", "/a/b?c=d&e", ":authority", "Site.test:81"],
    ...[
      "cookie",
      "a=1",
      "x-b",
      "two  words",
      "cookie",
      "b=2",
      "accept",
      "text/html",
      "accept",
      "*/*",
      "te",
      "trailers",
    ],
  ]);
  const [fields] = await client.response(1);
  assertEquals(fields.slice(0, 2), [":status", "201"]);
  assertEquals(valueOf(fields, "x-a"), "1");
  assertEquals(fields.filter((_, index) => fields[index - 1] === "set-cookie"), ["a", "b"]);
  assertEquals([valueOf(fields, "content-length"), valueOf(fields, "keep-alive")], ["2", undefined]);
  assertEquals(valueOf(fields, "date") === undefined, false);
  assertEquals(client.text(1), "ok");
  const [request] = upstream.requests;
  assertEquals(request.firstLine, "GET /a/b?c=d&e HTTP/1.1");
  assertEquals(headerAll(request, "cookie"), ["a=1; b=2"]);
  assertEquals([header(request, "accept"), header(request, "x-b")], ["text/html, */*", "two  words"]);
  assertEquals(header(request, "x-forwarded-host"), "Site.test:81");
  assertEquals(header(request, "transfer-encoding"), undefined);
});

Deno.test("HTTP/1.1 and HTTP/2 share a port, wherever the first bytes are cut", async () => {
  await using upstream = ScriptedUpstream.answering(answerOf("ok"));
  await using proxy = await RunningProxy.start({ upstreams: [upstream.url], server });
  for (const step of [1, 2, 5, 23, 24, 25]) {
    await using client = await Http2Client.connect(proxy.port);
    await client.send(bytesOf(CLIENT_BEGIN, frame(1, 5, 1, block(GET))), step);
    assertEquals(await client.status(1), 200, `${step} bytes at a time`);
  }
  for (const method of ["GET", "POST", "PUT", "PROPFIND", "PRI", "P"]) {
    for (const step of [1, 2, 1000]) {
      using client = await RawClient.connect(proxy.port);
      const bytes = get("/").replace("GET", method);
      for (let at = 0; at < bytes.length; at += step) await client.send(bytes.slice(at, at + step));
      assertEquals(statusOf(await client.answer(method)), 200, `${method}, ${step} bytes at a time`);
    }
  }
  assertEquals(statusOf(await exchange(proxy.port, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\t")), 505);
});

Deno.test("bodies reach the upstream with the length that the client announces, or in chunks, and at any cut", async () => {
  await using upstream = ScriptedUpstream.start((peer) => peer.serve(() => answerOf("ok")));
  await using proxy = await RunningProxy.start({ upstreams: [upstream.url], server });
  const body = new Uint8Array(40_000).map((_, index) => index % 251);
  for (const step of [1e6, 1000, 7]) {
    for (const length of [[], ["content-length", "40000"]]) {
      await using client = await Http2Client.begun(proxy.port);
      await client.send(
        bytesOf(
          frame(1, 4, 1, block([...POST, ...length])),
          frame(0, 8, 1, bytesOf([9], body.slice(0, 16_000), new Uint8Array(9))),
          frame(0, 0, 1, body.slice(16_000, 32_000)),
          frame(0, 1, 1, body.slice(32_000)),
        ),
        step,
      );
      assertEquals(await client.status(1), 200);
      const request = upstream.requests.pop();
      assertEquals(request?.body, body);
      assertEquals(header(request as never, "transfer-encoding"), length.length === 0 ? "chunked" : undefined);
    }
  }
});

Deno.test("trailers and interim responses pass in both directions", async () => {
  await using upstream = ScriptedUpstream.start(async (peer) => {
    await peer.request();
    await peer.send("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n");
    await peer.send(
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-End\r\n\r\n3\r\nabc\r\n0\r\nX-End: yes\r\n\r\n",
    );
    await peer.closed();
  });
  await using proxy = await RunningProxy.start({ upstreams: [upstream.url], server });
  await using client = await Http2Client.begun(proxy.port);
  await client.fields(1, [...POST, "te", "trailers", "trailer", "x-sum"], false);
  await client.data(1, "body");
  await client.fields(1, ["x-sum", "42"]);
  const blocks = await client.response(1);
  assertEquals(blocks[0], [":status", "103", "link", "</a>"]);
  assertEquals(blocks[1].slice(0, 2), [":status", "200"]);
  assertEquals(blocks[2], ["x-end", "yes"]);
  assertEquals(client.text(1), "abc");
  assertEquals(upstream.requests[0].trailers, ["X-Sum: 42"].map((line) => line.toLowerCase()));
});

Deno.test("a client that expects 100 (Continue) gets it when the body is read", async () => {
  await using upstream = ScriptedUpstream.answering(answerOf("ok"));
  await using proxy = await RunningProxy.start({ upstreams: [upstream.url], server });
  await using client = await Http2Client.begun(proxy.port);
  await client.fields(1, [...POST, "expect", "100-continue"], false);
  await until("100 has arrived", () => client.received.blocksOf(1).length > 0);
  assertEquals(client.received.blocksOf(1), [[":status", "100"]]);
  await client.data(1, "body", true);
  assertEquals(await client.status(1), 200);
  assertEquals(text(upstream.requests[0].body), "body");
});

Deno.test("HEAD, 204, 304 and 205 have no data, and keep the length that they may have", async () => {
  const answers: Record<string, string> = {
    "/head": "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
    "/204": "HTTP/1.1 204 None\r\n\r\n",
    "/304": "HTTP/1.1 304 Same\r\nContent-Length: 7\r\n\r\n",
    "/empty": "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
  };
  await using upstream = ScriptedUpstream.start((peer) =>
    peer.serve(({ firstLine }) => answers[firstLine.split(" ")[1]])
  );
  await using proxy = await RunningProxy.start({ upstreams: [upstream.url], server });
  await using client = await Http2Client.begun(proxy.port);
  const expected: [string, string, string | undefined][] = [
    ["/head", "200", "5"],
    ["/204", "204", undefined],
    ["/304", "304", "7"],
    ["/empty", "200", "0"],
  ];
  let id = 1;
  for (const [path, status, length] of expected) {
    const method = path === "/head" ? "HEAD" : "GET";
    await client.fields(id, [":method", method, ":scheme", "http", ":path", path, ":authority", "a"]);
    const [fields] = await client.response(id);
    assertEquals([fields[1], valueOf(fields, "content-length")], [status, length], path);
    assertEquals(client.received.all.filter(({ type, streamId }) => type === 0 && streamId === id), []);
    id += 2;
  }
});

Deno.test("the access log and Via tell HTTP/2", async () => {
  await using upstream = ScriptedUpstream.answering(answerOf("ok"));
  await using proxy = await LoggedProxy.start({ upstreams: [upstream.url], server });
  await using client = await Http2Client.begun(proxy.port);
  await client.fields(1, [":method", "GET", ":scheme", "http", ":path", "/x", ":authority", "a"]);
  assertEquals(await client.status(1), 200);
  assertEquals((await proxy.accessLine("/x")).protocol, "HTTP/2.0");
  await exchange(proxy.port, get("/y"));
  assertEquals((await proxy.accessLine("/y")).protocol, undefined);
  assertStringIncludes(header(upstream.requests[0], "via") ?? "", "2.0 ");
  assertStringIncludes(header(upstream.requests[1], "via") ?? "", "1.1 ");
});

Deno.test("an upstream that breaks off resets the stream, and others go on", async () => {
  await using upstream = ScriptedUpstream.start(async (peer) => {
    const request = await peer.request();
    if (request?.firstLine.includes("/broken")) {
      await peer.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc");
      return;
    }
    await peer.send(answerOf("ok"));
    await peer.closed();
  });
  await using proxy = await RunningProxy.start({ upstreams: [upstream.url], server });
  await using client = await Http2Client.begun(proxy.port);
  await client.fields(1, [":method", "GET", ":scheme", "http", ":path", "/broken", ":authority", "a"]);
  await client.response(1);
  assertEquals([client.received.ended(1), client.received.resetOf(1)], [false, 2]);
  await client.fields(3, GET);
  assertEquals(await client.status(3), 200);
});

Deno.test("a client that resets its stream, or leaves, ends the exchange with the upstream", async () => {
  await using upstream = ScriptedUpstream.start(async (peer) => {
    await peer.head();
    await peer.closed();
  });
  await using proxy = await LoggedProxy.start({ upstreams: [upstream.url], server });
  {
    await using client = await Http2Client.begun(proxy.port);
    await client.fields(1, GET);
    await until("the upstream has the request", () => upstream.open === 1);
    await client.send(frame(3, 0, 1, [0, 0, 0, 8]));
    await until("the upstream is left", () => upstream.open === 0);
    await client.fields(3, POST, false);
    await until("the upstream has the next request", () => upstream.open === 1);
  }
  await until("the upstream is left", () => upstream.open === 0);
  await until("both are logged", () => proxy.lines.filter(({ status }) => status === 499).length === 2);
});

Deno.test("a response before the end of its request stops the client with RST_STREAM and NO_ERROR", async () => {
  await using upstream = ScriptedUpstream.start(async (peer) => {
    await peer.head();
    await peer.send("HTTP/1.1 403 No\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno");
  });
  await using proxy = await RunningProxy.start({ upstreams: [upstream.url], server });
  await using client = await Http2Client.begun(proxy.port);
  await client.fields(1, POST, false);
  await client.data(1, "abc");
  assertEquals(await client.status(1), 403);
  await client.frame("RST_STREAM", ({ type, streamId }) => type === 3 && streamId === 1);
  assertEquals([client.received.ended(1), client.received.resetOf(1), client.text(1)], [true, 0, "no"]);
  // What was under way meanwhile is dropped.
  await client.data(1, new Uint8Array(10_000));
  await client.fields(3, GET);
  assertEquals(await client.status(3), 403);
});
