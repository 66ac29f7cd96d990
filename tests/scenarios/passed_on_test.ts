/**
 * What passes through BWS's own listener besides heads and bodies: interim responses, trailer fields, reason phrases.
 * And back-pressure: whoever sends waits for whoever takes.
 *
 * @module
 */

// @ts-types="../../types/std/assert.d.ts"
import { assertEquals, assertLess } from "@std/assert";
import { headerAll, type ReceivedMessage } from "../support/message_reader.ts";
import { RawClient } from "../support/raw_client.ts";
import { RunningProxy } from "../support/running_proxy.ts";
import { answerOf, ScriptedUpstream, type UpstreamScript } from "../support/scripted_upstream.ts";
import { stands } from "../support/condition.ts";

const MIB = 1024 * 1024;

/** The answers to one request, interim ones included. */
async function answersTo(script: UpstreamScript | string, request: string) {
  const upstream = typeof script === "string" ? ScriptedUpstream.answering(script) : ScriptedUpstream.start(script);
  await using _ = upstream;
  await using proxy = await RunningProxy.start({ upstreams: [upstream.url], server: { listener: "own" } });
  using client = await RawClient.connect(proxy.port);
  await client.send(request);
  const answers: ReceivedMessage[] = [];
  do answers.push(await client.reader.answer() as ReceivedMessage); while (
    answers.at(-1)?.firstLine.startsWith("HTTP/1.1 1")
  );
  return { answers, last: answers.at(-1) as ReceivedMessage, requests: upstream.requests };
}

function get(lines = "", version = "1.1"): string {
  return `GET / HTTP/${version}\r\nHost: x\r\n${lines}\r\n`;
}

Deno.test("interim responses of the upstream reach the client in order, without hop-by-hop fields, and 100 does not", async () => {
  const interim = "HTTP/1.1 100 Continue\r\n\r\n" +
    "HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\nConnection: x-mine\r\nX-Mine: 1\r\nKeep-Alive: 1\r\n\r\n" +
    "HTTP/1.1 102 Processing\r\n\r\n";
  const { answers } = await answersTo(interim + answerOf("page"), get());
  assertEquals(answers.map(({ firstLine }) => firstLine), [
    "HTTP/1.1 103 Early Hints",
    "HTTP/1.1 102 Processing",
    "HTTP/1.1 200 OK",
  ]);
  assertEquals(answers[0].headers, [["Link", "</a.css>; rel=preload"]]);
});

Deno.test("a client of HTTP/1.0 gets no interim response", async () => {
  const { answers } = await answersTo("HTTP/1.1 103 Early Hints\r\n\r\n" + answerOf("page"), get("", "1.0"));
  assertEquals(answers.length, 1);
});

Deno.test("an interim response arrives while the final one is awaited", async () => {
  const { promise: arrived, resolve } = Promise.withResolvers<void>();
  await using upstream = ScriptedUpstream.start(async (peer) => {
    await peer.request();
    await peer.send("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n");
    await arrived;
    await peer.send(answerOf("page"));
    await peer.closed();
  });
  await using proxy = await RunningProxy.start({ upstreams: [upstream.url], server: { listener: "own" } });
  using client = await RawClient.connect(proxy.port);
  await client.send(get());
  assertEquals((await client.reader.answer())?.firstLine, "HTTP/1.1 103 Early Hints");
  resolve();
  assertEquals((await client.reader.answer())?.firstLine, "HTTP/1.1 200 OK");
});

const TRAILING = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npage\r\n0\r\n" +
  "X-Sum: 12\r\nContent-Length: 1\r\nSet-Cookie: a=b\r\nHost: evil\r\nTransfer-Encoding: chunked\r\nServer-Timing: a\r\n\r\n";

Deno.test("trailer fields of a response reach a client that takes them, but for those that must not be sent as such", async () => {
  const { last, requests } = await answersTo(TRAILING, get("TE: deflate, trailers\r\nConnection: TE\r\n"));
  assertEquals([new TextDecoder().decode(last.body), last.trailers], ["page", ["X-Sum: 12", "Server-Timing: a"]]);
  // TE belongs to one hop, so Connection names it.
  assertEquals([headerAll(requests[0], "te"), headerAll(requests[0], "connection")], [["trailers"], ["te"]]);
});

Deno.test("trailer fields end here where the client does not ask for them", async () => {
  for (const lines of ["", "TE: deflate\r\n"]) {
    const { last, requests } = await answersTo(TRAILING, get(lines));
    assertEquals([new TextDecoder().decode(last.body), last.trailers], ["page", undefined]);
    assertEquals([headerAll(requests[0], "te"), headerAll(requests[0], "connection")], [[], []]);
  }
});

Deno.test("a trailer section that is no list of fields breaks the response off, and is nobody's concern where none is asked for", async () => {
  const broken = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npage\r\n0\r\nno colon\r\n\r\n";
  const asked = await answersTo(broken, get("TE: trailers\r\n"));
  assertEquals(asked.last.whole && asked.last.firstLine === "HTTP/1.1 200 OK", false);
  assertEquals((await answersTo(broken, get())).last.whole, true);
});

Deno.test("trailer fields of a request reach the upstream, but for those that must not be sent as such", async () => {
  const body = "4\r\nbody\r\n0\r\nX-Sum: 9\r\nAuthorization: x\r\nX-Forwarded-For: 1.1.1.1\r\nHost: evil\r\n\r\n";
  const post = `POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n${body}`;
  const { requests } = await answersTo(answerOf("ok"), post);
  assertEquals([new TextDecoder().decode(requests[0].body), requests[0].trailers], ["body", ["X-Sum: 9"]]);
});

Deno.test("the upstream's reason phrase reaches the client, byte for byte", async () => {
  for (
    const line of ["HTTP/1.1 200 Fine", "HTTP/1.1 404 Nicht gefunden \xfc", "HTTP/1.1 299 Odd\tone", "HTTP/1.1 200 OK"]
  ) {
    const response = Uint8Array.from(`${line}\r\nContent-Length: 0\r\n\r\n`, (char) => char.charCodeAt(0));
    const { last } = await answersTo(async (peer) => {
      await peer.request();
      await peer.send(response);
      await peer.closed();
    }, get());
    assertEquals(last.firstLine, line);
  }
});

Deno.test("a status that no response may have becomes 502, with the reason phrase of that", async () => {
  const { last } = await answersTo("HTTP/1.1 999 Odd\r\nContent-Length: 2\r\n\r\nok", get());
  assertEquals(last.firstLine, "HTTP/1.1 502 Bad Gateway");
});

Deno.test("the reason phrase of an interim response reaches the client", async () => {
  for (const line of ["HTTP/1.1 103 Hints, early", "HTTP/1.1 199 Odd"]) {
    const { answers } = await answersTo(`${line}\r\n\r\n` + answerOf("page"), get());
    assertEquals(answers.map(({ firstLine }) => firstLine), [line, "HTTP/1.1 200 OK"]);
  }
});

Deno.test("a response long before the end of an upload tells the client that the connection closes", async () => {
  const uploads = [
    ["Content-Length: 1000", "begin", false],
    [`Content-Length: ${10 * MIB}`, "begin", true],
    // How much follows is not known.
    ["Transfer-Encoding: chunked", "5\r\nbegin\r\n", true],
  ] as const;
  for (const [framing, begun, closes] of uploads) {
    const script: UpstreamScript = async (peer) => {
      await peer.head();
      await peer.send(answerOf("early"));
      await peer.closed();
    };
    const { last } = await answersTo(script, `POST / HTTP/1.1\r\nHost: x\r\n${framing}\r\n\r\n${begun}`);
    assertEquals([new TextDecoder().decode(last.body), headerAll(last, "connection")], [
      ...["early", closes ? ["close"] : []],
    ]);
  }
});

Deno.test("an upstream waits for a client that takes nothing of a response, and the proxy holds little of it", async () => {
  let sent = 0;
  const piece = new Uint8Array(MIB / 4);
  await using upstream = ScriptedUpstream.start(async (peer) => {
    await peer.request();
    await peer.send(`HTTP/1.1 200 OK\r\nContent-Length: ${400 * piece.length}\r\n\r\n`);
    for (let i = 0; i < 400 && await peer.send(piece); i++) sent += piece.length;
  });
  await using proxy = await RunningProxy.start({ upstreams: [upstream.url], server: { listener: "own" } });
  {
    using client = await RawClient.connect(proxy.port);
    await client.send(get());
    await stands("what the upstream has sent", () => sent);
    // Buffers of the system on both connections, and a few pieces.
    assertLess(sent, 24 * MIB);
  }
  await proxy.idle();
});

Deno.test("a client waits for an upstream that takes nothing of an upload, and the proxy holds little of it", async () => {
  const { promise: over, resolve } = Promise.withResolvers<void>();
  await using upstream = ScriptedUpstream.start(async (peer) => {
    await peer.head();
    await over;
  });
  await using proxy = await RunningProxy.start({ upstreams: [upstream.url], server: { listener: "own" } });
  const piece = new Uint8Array(MIB / 4);
  let sent = 0;
  {
    using client = await RawClient.connect(proxy.port);
    await client.send(`POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${400 * piece.length}\r\n\r\n`);
    const sending = (async () => {
      for (let i = 0; i < 400 && await client.send(piece); i++) sent += piece.length;
    })();
    await stands("what the client has sent", () => sent);
    assertLess(sent, 24 * MIB);
    client.close();
    await sending;
  }
  resolve();
  await proxy.idle();
});
