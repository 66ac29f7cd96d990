/**
 * Heads that are malformed on purpose, over raw sockets: each is refused, nothing of it reaches the upstream, and the
 * connection is not used again.
 *
 * @module
 */

// @ts-types="../../../types/std/assert.d.ts"
import { assertEquals, assertStringIncludes } from "@std/assert";
import { REFUSED, UNUSUAL } from "../../http1/hostile_requests.ts";
import { within } from "../../support/condition.ts";
import { header, statusOf } from "../../support/message_reader.ts";
import { exchange, get, RawClient } from "../../support/raw_client.ts";
import { answerOf, ScriptedUpstream } from "../../support/scripted_upstream.ts";
import { OwnListener } from "./own_listener.ts";

const SMUGGLED = "GET /smuggled HTTP/1.1\r\nHost: site.test\r\n\r\n";

for (const [what, [bytes, status]] of Object.entries(REFUSED)) {
  Deno.test(`SocketListener refuses ${what} with ${status}, and reads nothing behind it`, async () => {
    await using upstream = ScriptedUpstream.answering(answerOf("ok"));
    await using own = new OwnListener({ upstreams: [upstream.url] });
    using client = await RawClient.connect(own.port);
    await client.send(bytes + SMUGGLED);
    const answer = await within(5000, "an answer", client.answer());
    assertEquals(statusOf(answer), status);
    assertEquals(header(answer, "connection"), "close");
    assertEquals(answer.whole, true);
    await within(5000, "the end of the connection", client.reader.end());
    assertEquals(client.reader.rest, "");
    assertEquals(upstream.requests.length, 0);
  });
}

Deno.test("SocketListener lets pass what is unusual and clear", async () => {
  await using upstream = ScriptedUpstream.answering(answerOf("ok"));
  await using own = new OwnListener({ upstreams: [upstream.url] });
  for (const bytes of UNUSUAL) assertEquals(statusOf(await exchange(own.port, bytes)), 200, bytes.slice(0, 80));
  assertStringIncludes(upstream.requests[1].head, "host: site.test\r\n");
  assertStringIncludes(upstream.requests[4].head, "x-b: c\r\n");
  assertStringIncludes(upstream.requests[5].head, "x-a: b\xe4\r\n");
});

Deno.test("SocketListener reads a head byte by byte as it reads it whole", async () => {
  await using upstream = ScriptedUpstream.answering(answerOf("ok"));
  await using own = new OwnListener({ upstreams: [upstream.url] });
  using client = await RawClient.connect(own.port);
  for (const char of get("/slow?x=1", "X-A: b\r\n")) await client.send(char);
  assertEquals(statusOf(await client.answer()), 200);
  assertEquals(upstream.requests[0].firstLine, "GET /slow?x=1 HTTP/1.1");
});

Deno.test("SocketListener believes what Connection names, however many lines it has", async () => {
  await using upstream = ScriptedUpstream.answering(answerOf("ok"));
  await using own = new OwnListener({ upstreams: [upstream.url] });
  using client = await RawClient.connect(own.port);
  await client.send(get("/", "Connection: x-secret\r\nX-Secret: 1\r\nConnection: close\r\n"));
  assertEquals(header(await client.answer(), "connection"), "close");
  assertEquals(header(upstream.requests[0], "x-secret"), undefined);
});
