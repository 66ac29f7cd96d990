/**
 * Requests that RFC 9113, section 8 calls malformed: none of them reaches an upstream, where HTTP/1.1 could read it in
 * another way.
 *
 * @module
 */

// @ts-types="../../../types/std/assert.d.ts"
import { assertEquals } from "@std/assert";
import { Http2Client } from "../../support/http2_client.ts";
import { block, bytesOf, CLIENT_BEGIN, frame, GET, POST } from "../../support/http2_frames.ts";
import { LoggedProxy } from "../../support/logged_proxy.ts";
import { answerOf, ScriptedUpstream } from "../../support/scripted_upstream.ts";
import { until } from "../../support/condition.ts";

const PSEUDO = { method: "GET", scheme: "http", path: "/", authority: "localhost" };

/** Pseudo-fields with some of them replaced, or without them. */
function pseudo(changes: Partial<Record<keyof typeof PSEUDO, string | undefined>>): string[] {
  return Object.entries({ ...PSEUDO, ...changes }).flatMap(([name, value]) =>
    value === undefined ? [] : [`:${name}`, value]
  );
}

const MALFORMED: Readonly<Record<string, readonly string[]>> = {
  // 8.2, 8.2.1
  "a name in upper case": [...GET, "X-A", "b"],
  "a name with a space": [...GET, "x a", "b"],
  "a name with a colon": [...GET, "x:a", "b"],
  "an empty name": [...GET, "", "b"],
  "a name with a line feed": [...GET, "x\na", "b"],
  "a name with an octet above 0x7F": [...GET, "x\xe4", "b"],
  "a value with a carriage return": [...GET, "x-a", "b\rc"],
  "a value with a line feed": [...GET, "x-a", "b\nc: d"],
  "a value with CRLF and a request": [...GET, "x-a", "b\r\n\r\nGET /admin HTTP/1.1\r\nhost: a\r\n\r\n"],
  "a value with NUL": [...GET, "x-a", "b\0c"],
  "a value that begins with a space": [...GET, "x-a", " b"],
  "a value that ends with a tab": [...GET, "x-a", "b\t"],
  "a value that is a space": [...GET, "x-a", " "],
  // 8.2.2
  "connection": [...GET, "connection", "x-a", "x-a", "b"],
  "keep-alive": [...GET, "keep-alive", "timeout=5"],
  "proxy-connection": [...GET, "proxy-connection", "keep-alive"],
  "transfer-encoding": [...GET, "transfer-encoding", "chunked"],
  "upgrade": [...GET, "upgrade", "h2c"],
  "te besides trailers": [...GET, "te", "trailers, deflate"],
  // 8.3, 8.3.1
  "no :method": pseudo({ method: undefined }),
  "no :scheme": pseudo({ scheme: undefined }),
  "no :path": pseudo({ path: undefined }),
  "an empty :path": pseudo({ path: "" }),
  "an empty :method": pseudo({ method: "" }),
  "a :method with a space": pseudo({ method: "GET /admin" }),
  "neither :authority nor Host": pseudo({ authority: undefined }),
  "an empty :authority": pseudo({ authority: "" }),
  ":path without a slash": pseudo({ path: "a" }),
  ":path in absolute form": pseudo({ path: "http://other/" }),
  ":path with a space": pseudo({ path: "/a HTTP/1.1" }),
  ":path with CRLF": pseudo({ path: "/ HTTP/1.1\r\nx: y" }),
  ":path with a fragment": pseudo({ path: "/a#b" }),
  ":path with a backslash": pseudo({ path: "/a\\b" }),
  "* with GET": pseudo({ path: "*" }),
  ":method twice": [...GET, ":method", "POST"].slice(0, 2).concat(GET),
  ":path twice": [":path", "/a", ...GET],
  ":scheme twice": [":scheme", "https", ...GET],
  ":authority twice": [":authority", "other", ...GET],
  "an unknown pseudo-field": [...GET, ":x", "y"],
  "a pseudo-field of responses": [...GET, ":status", "200"],
  "a pseudo-field behind others": [...GET.slice(0, 6), "x-a", "b", ":authority", "localhost"],
  "a pseudo-field behind Host": [...GET.slice(0, 4), "host", "localhost", ":path", "/"],
  "a pseudo-field in upper case": [":Method", "GET", ...GET],
  "userinfo in :authority": pseudo({ authority: "user@localhost" }),
  "a path in :authority": pseudo({ authority: "localhost/x" }),
  ":authority with a port that is none": pseudo({ authority: "localhost:x" }),
  "Host besides another :authority": [...GET, "host", "other"],
  "Host with another port": [...GET, "host", "localhost:81"],
  "Host twice": [...pseudo({ authority: undefined }), "host", "localhost", "host", "localhost"],
  "Host that is no authority": [...pseudo({ authority: undefined }), "host", "a b"],
  ":protocol without CONNECT": [...GET, ":protocol", "websocket"],
  // 8.5, RFC 8441
  "CONNECT with :path": pseudo({ method: "CONNECT", path: "/", scheme: undefined }),
  "CONNECT without :authority": pseudo({ method: "CONNECT", path: undefined, scheme: undefined, authority: undefined }),
  "extended CONNECT without :path": [...pseudo({ method: "CONNECT", path: undefined }), ":protocol", "websocket"],
  "extended CONNECT with a key": [...pseudo({ method: "CONNECT" }), ":protocol", "websocket", "sec-websocket-key", "a"],
  // 8.1.1
  "Content-Length twice": [...GET, "content-length", "0", "content-length", "0"],
  "Content-Length that is none": [...GET, "content-length", "+1"],
  "Content-Length in a list": [...GET, "content-length", "0, 0"],
  "Content-Length without a body": [...GET, "content-length", "1"],
};

Deno.test("malformed requests get 400 and RST_STREAM with PROTOCOL_ERROR, and none reaches the upstream", async () => {
  await using upstream = ScriptedUpstream.answering(answerOf("ok"));
  await using proxy = await LoggedProxy.start({ upstreams: [upstream.url], server: { listener: "own" } });
  await using client = await Http2Client.begun(proxy.port);
  let id = -1;
  for (const [name, fields] of Object.entries(MALFORMED)) {
    id += 2;
    await client.fields(id, fields);
    assertEquals(await client.status(id), 400, name);
    await client.frame(`RST_STREAM: ${name}`, ({ type, streamId }) => type === 3 && streamId === id);
    assertEquals(client.received.resetOf(id), 1, name);
  }
  assertEquals(upstream.connections, 0);
  await client.fields(id + 2, GET);
  assertEquals(await client.status(id + 2), 200);
  const count = Object.keys(MALFORMED).length;
  await until("each is logged", () => proxy.lines.filter(({ status }) => status === 400).length === count);
});

const REFUSED: Readonly<Record<string, [number, readonly string[]]>> = {
  "CONNECT": [405, [":method", "CONNECT", ":authority", "localhost:80"]],
  "extended CONNECT for another protocol": [501, [...pseudo({ method: "CONNECT" }), ":protocol", "connect-udp"]],
  "an expectation besides 100-continue": [417, [...GET, "expect", "x"]],
  "fields that are too large": [431, [...GET, "x-a", "b".repeat(33 * 1024)]],
  "too many fields": [431, [...GET, ...Array.from({ length: 200 }, (_, index) => [`x-${index}`, ""]).flat()]],
  "a target that is too long": [414, pseudo({ path: "/" + "a".repeat(17 * 1024) })],
};

Deno.test("requests that are refused for another reason get its status, and the connection goes on", async () => {
  await using upstream = ScriptedUpstream.answering(answerOf("ok"));
  await using proxy = await LoggedProxy.start({ upstreams: [upstream.url], server: { listener: "own" } });
  await using client = await Http2Client.begun(proxy.port);
  let id = 1;
  for (const [name, [status, fields]] of Object.entries(REFUSED)) {
    const payload = block(fields);
    await client.send(frame(1, 1 | (payload.length > 16384 ? 0 : 4), id, payload.slice(0, 16384)));
    for (let at = 16384; at < payload.length; at += 16384) {
      await client.send(frame(9, at + 16384 >= payload.length ? 4 : 0, id, payload.slice(at, at + 16384)));
    }
    assertEquals(await client.status(id), status, name);
    id += 2;
  }
  await client.fields(id, GET);
  assertEquals(await client.status(id), 200);
  assertEquals(upstream.requests.length, 1);
});

Deno.test("a body that is not as long as its Content-Length never looks whole to the upstream", async () => {
  const complete: string[] = [];
  await using upstream = ScriptedUpstream.start(async (peer) => {
    const request = await peer.request().catch(() => undefined);
    if (request?.whole) complete.push(request.firstLine);
    await peer.closed();
  });
  await using proxy = await LoggedProxy.start({ upstreams: [upstream.url], server: { listener: "own" } });
  for (
    const sent of [frame(0, 1, 1, [65, 65]), frame(0, 1, 1, [65, 65, 65, 65]), frame(1, 5, 1, block(["x-a", "b"]))]
  ) {
    await using client = await Http2Client.connect(proxy.port);
    await client.send(bytesOf(CLIENT_BEGIN, frame(1, 4, 1, block([...POST, "content-length", "3"]))));
    await until("the upstream is reached", () => upstream.open > 0);
    await client.send(sent);
    await client.frame("RST_STREAM", ({ type }) => type === 3);
    assertEquals(client.received.resetOf(1), 1);
    await until("the upstream is left", () => upstream.open === 0);
  }
  assertEquals(complete, []);
});
