// @ts-types="../../../types/std/assert.d.ts"
import { assert, assertEquals, assertFalse, assertRejects } from "@std/assert";
import { TransportFailure } from "../../../lib/failure/failure.ts";
import { MaxBodySize } from "../../../lib/features/max_body_size.ts";
import { ReadAhead } from "../../../lib/handlers/proxy/read_ahead.ts";
import { RequestBody } from "../../../lib/handlers/proxy/request_body.ts";
import { CoarseClock } from "../../../lib/state/coarse_clock.ts";
import type { Connection } from "../../../lib/upstream/connection/connection.ts";
import { Deadlines } from "../../../lib/upstream/connection/deadlines.ts";
import { BodyClient } from "../../support/body_client.ts";

const KEEP_BYTES = 8;

function bodyOf(length = -1): { body: RequestBody; client: BodyClient } {
  const client = new BodyClient();
  const rules = { limit: new MaxBodySize(1000), retry_buffer: KEEP_BYTES, readAhead: new ReadAhead() };
  return { body: new RequestBody(client, length, rules), client };
}

/** An upstream that takes what it is sent, or does not. */
class Upstream {
  readonly deadlines = new Deadlines(new CoarseClock(), {
    readTimeoutMs: Infinity,
    writeTimeoutMs: Infinity,
    clientTimeoutMs: Infinity,
  });
  received = "";
  broken: TransportFailure | undefined;

  /** As a connection. */
  get connection(): Connection {
    return this as unknown as Connection;
  }

  sendHead(head: string, bytes?: Uint8Array): Promise<void> {
    return this.send(bytes === undefined ? encoded(head) : encoded(head + new TextDecoder().decode(bytes)));
  }

  send(bytes: Uint8Array): Promise<void> {
    if (this.broken !== undefined) return Promise.reject(this.broken);
    this.received += new TextDecoder().decode(bytes);
    return Promise.resolve();
  }
}

const encoded = (text: string) => new TextEncoder().encode(text);

Deno.test("RequestBody.rewind() gives again what was sent, from its first byte", async () => {
  const { body, client } = bodyOf();
  const upstream = new Upstream();
  client.send(encoded("first"));
  await body.begun();
  assertFalse(await body.sendHead(upstream.connection, "head "));
  assert(body.replayable);
  body.rewind();
  assertEquals(body.begun(), undefined);
  await body.sendHead(upstream.connection, "again ");
  assertEquals(upstream.received, "head 5\r\nfirst\r\nagain 5\r\nfirst\r\n");
});

Deno.test("RequestBody keeps what it has rewound, however much arrives before it is sent again", async () => {
  const { body, client } = bodyOf();
  const upstream = new Upstream();
  client.send(encoded("kept"));
  await body.begun();
  await body.sendHead(upstream.connection, "");
  body.rewind();
  client.send(encoded("far more than is kept"));
  client.end();
  const again = new Upstream();
  await body.sendHead(again.connection, "");
  assertEquals(again.received, "4\r\nkept\r\n");
  assert(await body.sendRest(again.connection));
  assertEquals(again.received, "4\r\nkept\r\n15\r\nfar more than is kept\r\n0\r\n\r\n");
});

Deno.test("RequestBody is not replayable once more was sent than is kept", async () => {
  const { body, client } = bodyOf();
  client.send(encoded("123456789"));
  await body.begun();
  await body.sendHead(new Upstream().connection, "");
  assertFalse(body.replayable);
});

Deno.test("RequestBody gives all of it again when nothing was sent, however large", async () => {
  const { body, client } = bodyOf();
  client.send(encoded("123456789"));
  await body.begun();
  const upstream = new Upstream();
  upstream.broken = new TransportFailure("closed_unused", "It ended before it was used");
  await assertRejects(() => body.sendHead(upstream.connection, ""));
  body.rewind();
  const next = new Upstream();
  await body.sendHead(next.connection, "");
  assertEquals(next.received, "9\r\n123456789\r\n");
});

Deno.test("RequestBody sends nothing beyond its length: an upstream would take it for the next request", async () => {
  for (const pieces of [["12345GET / HTTP/1.1"], ["123", "45GET / HTTP/1.1"]]) {
    const { body, client } = bodyOf(5);
    const upstream = new Upstream();
    const begun = body.begun();
    client.send(encoded(pieces[0]));
    await begun;
    assertEquals(body.takeWhole(), undefined);
    await body.sendHead(upstream.connection, "head ");
    const rest = body.sendRest(upstream.connection);
    for (const piece of pieces.slice(1)) client.send(encoded(piece));
    const failure = await assertRejects(() => rest, TransportFailure, "longer than the 5 bytes");
    assertEquals([failure.kind, upstream.received], ["body_too_large", pieces.length === 1 ? "head " : "head 123"]);
  }
});

Deno.test("RequestBody.takeWhole() gives a small body of known length once all of it is here", async () => {
  const { body, client } = bodyOf(8);
  client.send(encoded("half"));
  await body.begun();
  assertEquals(body.takeWhole(), undefined);
  const whole = bodyOf(4);
  whole.client.send(encoded("four"));
  await whole.body.begun();
  assertEquals(whole.body.takeWhole(), encoded("four"));
  assertEquals(whole.body.takeWhole(), undefined);
  whole.body.rewind();
  assertEquals(whole.body.takeWhole(), encoded("four"));
});
