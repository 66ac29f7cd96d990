// @ts-types="../../../types/std/assert.d.ts"
import { assert, assertEquals, assertFalse, assertRejects, assertThrows } from "@std/assert";
import { TransportFailure } from "../../../lib/failure/failure.ts";
import { MaxBodySize } from "../../../lib/features/max_body_size.ts";
import { ReadAhead } from "../../../lib/handlers/proxy/read_ahead.ts";
import { type BodyConnection, type BodySender, RequestBody } from "../../../lib/handlers/proxy/request_body.ts";
import { lastChunk } from "../../../lib/http1/chunked_encoder.ts";
import type { Ownership } from "../../../lib/http/body.ts";
import { CoarseClock } from "../../../lib/state/coarse_clock.ts";
import { Deadlines } from "../../../lib/upstream/connection/deadlines.ts";
import { BodyClient } from "../../support/body_client.ts";

const KEEP_BYTES = 8;

function bodyOf(length = -1, ownership: Ownership = "given"): { body: RequestBody; client: BodyClient } {
  const client = new BodyClient(ownership);
  const rules = { limit: new MaxBodySize(1000), retry_buffer: KEEP_BYTES, readAhead: new ReadAhead() };
  return { body: new RequestBody(client, length, rules), client };
}

/** An upstream that takes what it is sent, or does not. */
class Upstream implements BodyConnection, BodySender {
  mayResend = true;
  readonly deadlines = new Deadlines(new CoarseClock(), {
    readTimeoutMs: Infinity,
    writeTimeoutMs: Infinity,
    clientTimeoutMs: Infinity,
  });
  blocked = false;
  received = "";
  /** Ownership of each piece that was sent. */
  readonly ownerships: Ownership[] = [];
  /** Ownership of what was sent with the head. */
  askedOwnership: Ownership | undefined;
  broken: TransportFailure | undefined;
  readonly #outcome = Promise.withResolvers<boolean>();

  constructor() {
    this.#outcome.promise.catch(() => {});
  }

  /** Settles with true when the whole body was sent, or rejects with why it broke off. */
  get outcome(): Promise<boolean> {
    return this.#outcome.promise;
  }

  ask(head: string, bytes?: Uint8Array, ownership?: Ownership, chunked?: boolean): void {
    if (this.broken !== undefined) throw this.broken;
    this.received += head;
    if (bytes === undefined) return;
    this.askedOwnership = ownership;
    const text = new TextDecoder().decode(bytes);
    this.received += chunked === true ? `${bytes.length.toString(16)}\r\n${text}\r\n` : text;
  }

  send(bytes: Uint8Array, ownership: Ownership): boolean {
    this.received += new TextDecoder().decode(bytes);
    this.ownerships.push(ownership);
    return !this.blocked;
  }

  sendChunk(bytes: Uint8Array, ownership: Ownership): boolean {
    this.received += bytes.length.toString(16) + "\r\n";
    this.send(bytes, ownership);
    this.received += "\r\n";
    return !this.blocked;
  }

  sendLastChunk(trailers: readonly string[] | undefined): void {
    this.received += lastChunk(trailers ?? []);
  }

  bodySent(): void {
    this.#outcome.resolve(true);
  }

  bodyBroken(failure: TransportFailure): void {
    this.#outcome.reject(failure);
  }
}

/** Waits for the begin of a body. */
function begun(body: RequestBody): Promise<void> {
  return new Promise((resolve) => body.begin({ bodyBegun: resolve }));
}

const encoded = (text: string) => new TextEncoder().encode(text);

Deno.test("RequestBody.rewind() gives again what was sent, from its first byte", async () => {
  const { body, client } = bodyOf();
  const upstream = new Upstream();
  client.send(encoded("first"));
  await begun(body);
  body.sendTo(upstream, "head ", upstream);
  assert(body.replayable);
  body.rewind();
  body.begin({ bodyBegun: () => body.sendTo(upstream, "again ", upstream) });
  assertEquals(upstream.received, "head 5\r\nfirst\r\nagain 5\r\nfirst\r\n");
});

Deno.test("RequestBody keeps what it has rewound, however much arrives before it is sent again", async () => {
  const { body, client } = bodyOf();
  const upstream = new Upstream();
  client.send(encoded("kept"));
  await begun(body);
  body.sendTo(upstream, "", upstream);
  body.rewind();
  client.send(encoded("far more than is kept"));
  client.end();
  const again = new Upstream();
  body.sendTo(again, "", again);
  assert(await again.outcome);
  assertEquals(again.received, "19\r\nkeptfar more than is kept\r\n0\r\n\r\n");
  assertEquals(upstream.received, "4\r\nkept\r\n");
});

Deno.test("RequestBody is not replayable once more was sent than is kept", async () => {
  const { body, client } = bodyOf();
  client.send(encoded("123456789"));
  await begun(body);
  const upstream = new Upstream();
  body.sendTo(upstream, "", upstream);
  assertFalse(body.replayable);
});

Deno.test("RequestBody gives all of it again when nothing was sent, however large", async () => {
  const { body, client } = bodyOf();
  client.send(encoded("123456789"));
  await begun(body);
  const upstream = new Upstream();
  upstream.broken = new TransportFailure("closed_unused", "It ended before it was used");
  assertThrows(() => body.sendTo(upstream, "", upstream));
  body.rewind();
  const next = new Upstream();
  body.sendTo(next, "", next);
  assertEquals(next.received, "9\r\n123456789\r\n");
});

Deno.test("RequestBody sends nothing beyond its length: an upstream would take it for the next request", async () => {
  for (const pieces of [["12345GET / HTTP/1.1"], ["123", "45GET / HTTP/1.1"]]) {
    const { body, client } = bodyOf(5);
    const upstream = new Upstream();
    const first = begun(body);
    client.send(encoded(pieces[0]));
    await first;
    body.sendTo(upstream, "head ", upstream);
    for (const piece of pieces.slice(1)) client.send(encoded(piece));
    const failure = await assertRejects(() => upstream.outcome, TransportFailure, "longer than the 5 bytes");
    assertEquals([failure.kind, upstream.received], ["body_too_large", pieces.length === 1 ? "head " : "head 123"]);
  }
});

Deno.test("RequestBody.sendTo() sends a body that is here with its head, and has sent it when it returns", async () => {
  const { body, client } = bodyOf(4);
  const upstream = new Upstream();
  client.send(encoded("four"));
  await begun(body);
  body.sendTo(upstream, "head ", upstream);
  assert(await upstream.outcome);
  assertEquals([upstream.received, upstream.ownerships], ["head four", []]);
  const again = new Upstream();
  body.rewind();
  body.sendTo(again, "again ", again);
  assertEquals(again.received, "again four");
});

Deno.test("RequestBody sends a lent piece that is here from where it lies, and keeps a copy if it may be sent again", () => {
  for (const mayResend of [true, false]) {
    const { body, client } = bodyOf(4, "lent");
    const upstream = new Upstream();
    upstream.mayResend = mayResend;
    const lent = encoded("lent");
    client.send(lent);
    body.begin({ bodyBegun: () => body.sendTo(upstream, "head ", upstream) });
    lent.fill(0);
    assertEquals([upstream.received, upstream.askedOwnership, body.replayable], ["head lent", "lent", mayResend]);
    if (!mayResend) continue;
    body.rewind();
    const again = new Upstream();
    body.sendTo(again, "again ", again);
    assertEquals([again.received, again.askedOwnership], ["again lent", "shared"]);
  }
});

Deno.test("RequestBody keeps a lent piece that an ended connection did not take, and one that nobody asked for yet", () => {
  for (const mayResend of [true, false]) {
    for (const broken of [new TransportFailure("closed_unused", "It ended before it was used"), undefined]) {
      const { body, client } = bodyOf(4, "lent");
      const first = new Upstream();
      first.mayResend = mayResend;
      first.broken = broken;
      const lent = encoded("lent");
      client.send(lent);
      body.begin({
        bodyBegun: () => {
          if (broken === undefined) return;
          assertThrows(() => body.sendTo(first, "head ", first));
          body.rewind();
        },
      });
      lent.fill(0);
      const next = new Upstream();
      next.mayResend = mayResend;
      body.sendTo(next, "next ", next);
      assertEquals([first.received, next.received], ["", "next lent"]);
    }
  }
});

Deno.test("RequestBody keeps nothing of what was sent and is not to be sent again", async () => {
  const { body, client } = bodyOf(8, "lent");
  const upstream = new Upstream();
  upstream.mayResend = false;
  client.send(encoded("half"));
  body.begin({ bodyBegun: () => body.sendTo(upstream, "head ", upstream) });
  client.send(encoded("half"));
  assert(await upstream.outcome);
  assertEquals([upstream.received, upstream.ownerships, body.replayable], ["head halfhalf", ["lent"], false]);
});

Deno.test("RequestBody passes lent pieces on as they are, kept or not, and waits for an upstream that takes nothing", async () => {
  const { body, client } = bodyOf(40, "lent");
  const upstream = new Upstream();
  client.send(encoded("kept"));
  await begun(body);
  body.sendTo(upstream, "head ", upstream);
  client.send(encoded("kept"));
  client.send(encoded("0123456789"));
  assertEquals([upstream.received, upstream.ownerships], ["head keptkept0123456789", ["lent", "lent"]]);
  upstream.blocked = true;
  client.send(encoded("0123456789"));
  assertEquals(upstream.received, "head keptkept0123456789");
  // A source that lends is not asked for more than one piece.
  client.send(encoded("abcdefghijkl"));
  assertEquals(client.waiting, 1);
  upstream.blocked = false;
  body.drained();
  assert(await upstream.outcome);
  assertEquals(upstream.received, "head keptkept01234567890123456789abcdefghijkl");
});

Deno.test("RequestBody sends the trailer fields of a chunked body that may be sent as such", async () => {
  for (
    const [trailers, sent] of [[["X-Sum", "1", "Host", "evil", "Content-Length", "3"], "X-Sum: 1\r\n"], [
      [],
      "",
    ]] as const
  ) {
    const { body, client } = bodyOf();
    const upstream = new Upstream();
    client.send(encoded("body"));
    client.end(trailers);
    await begun(body);
    body.sendTo(upstream, "", upstream);
    assert(await upstream.outcome);
    assertEquals(upstream.received, `4\r\nbody\r\n0\r\n${sent}\r\n`);
  }
});

Deno.test("RequestBody breaks off at once when its client does, even while the upstream takes nothing", async () => {
  const { body, client } = bodyOf(100);
  const upstream = new Upstream();
  client.send(encoded("begin"));
  await begun(body);
  upstream.blocked = true;
  body.sendTo(upstream, "", upstream);
  client.send(encoded("more"));
  body.fail(new Error("gone"));
  const failure = await assertRejects(() => upstream.outcome, TransportFailure);
  assertEquals([failure.kind, upstream.received], ["client_left", "begin"]);
});
