// @ts-types="../../../types/std/assert.d.ts"
import { assertEquals, assertRejects } from "@std/assert";
import { type FailureKind, TransportFailure } from "../../../lib/failure/failure.ts";
import { CoarseClock } from "../../../lib/state/coarse_clock.ts";
import { Connection, type ConnectionUser } from "../../../lib/upstream/connection/connection.ts";
import { ScriptedWire } from "../../support/scripted_wire.ts";

const LIMITS = {
  readTimeoutMs: 1000,
  writeTimeoutMs: 1000,
  clientTimeoutMs: 1000,
  idle_timeout: 10_000,
  maxHeadBytes: 64 * 1024,
};
const GET = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";
const OK = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

/** A connection over a wire that the test plays, lent to an exchange that notes what it is told. */
class Bench implements ConnectionUser {
  readonly wire: ScriptedWire;
  readonly clock = new CoarseClock();
  readonly connection: Connection;
  readonly aborted: FailureKind[] = [];
  retired = 0;

  constructor({ endUnproven = false } = {}) {
    this.wire = new ScriptedWire(endUnproven);
    this.connection = new Connection(this.wire, this.clock, LIMITS, () => this.retired++);
    this.connection.begin(this);
  }

  onTick(): void {}

  onAborted(failure: TransportFailure): void {
    this.aborted.push(failure.kind);
  }

  /** The rest of the body, piece by piece. */
  async body(): Promise<string> {
    let text = "";
    const whole = this.connection.wholeBody();
    if (whole !== undefined) return textOf(whole);
    for (let piece = await this.connection.nextChunk(); piece !== null; piece = await this.connection.nextChunk()) {
      text += textOf(piece);
      if (this.connection.bodyEnded) break;
    }
    return text;
  }

  [Symbol.dispose](): void {
    this.connection.close();
  }
}

function textOf(bytes: Uint8Array | null): string {
  return bytes === null ? "" : Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
}

/** The reads and writes under way are settled. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
}

async function assertFails(kind: FailureKind, promise: Promise<unknown>): Promise<void> {
  const failure = await assertRejects(() => promise, TransportFailure);
  assertEquals(failure.kind, kind, failure.message);
}

Deno.test("Connection serves one exchange after the other, and closes when it has idled for too long", async () => {
  using bench = new Bench();
  const { connection, wire, clock } = bench;
  for (let round = 1; round <= 3; round++) {
    if (round > 1) connection.begin(bench);
    const asked = connection.ask(GET, "GET");
    wire.arrive(OK);
    const head = await asked;
    assertEquals([head.status, head.headers, await bench.body()], [200, ["Content-Length", "5"], "hello"]);
    assertEquals([connection.finish(true), connection.exchanges, wire.reading], [true, round, true]);
  }
  assertEquals(wire.written, GET.repeat(3));
  connection.tick(clock.nowMs + LIMITS.idle_timeout);
  assertEquals([connection.closed, bench.retired], [false, 0]);
  connection.tick(clock.nowMs + LIMITS.idle_timeout + 1);
  assertEquals([connection.closed, bench.retired, wire.closed], [true, 1, true]);
});

Deno.test("Connection idles no longer than the upstream's Keep-Alive says, less a margin", async () => {
  using bench = new Bench();
  const asked = bench.connection.ask(GET, "GET");
  bench.wire.arrive("HTTP/1.1 204 No Content\r\nKeep-Alive: timeout=5\r\n\r\n");
  await asked;
  assertEquals(bench.connection.finish(true), true);
  bench.connection.tick(4000);
  assertEquals(bench.connection.closed, false);
  bench.connection.tick(4001);
  assertEquals(bench.connection.closed, true);
});

Deno.test("Connection passes interim responses over, however they are cut, and refuses those without end", async () => {
  using bench = new Bench();
  const interim = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n";
  const asked = bench.connection.ask(GET, "GET");
  bench.wire.arrive(...interim + OK);
  assertEquals([(await asked).status, await bench.body()], [200, "hello"]);
  assertEquals(bench.connection.finish(true), true);

  bench.connection.begin(bench);
  const endless = bench.connection.ask(GET, "GET");
  bench.wire.arrive("HTTP/1.1 103 Early Hints\r\n\r\n".repeat(33));
  await assertFails("malformed", endless);
});

Deno.test("Connection reads a response that comes before the request is sent, and is not used again then", async () => {
  using bench = new Bench();
  const { connection, wire } = bench;
  await connection.sendHead("POST / HTTP/1.1\r\ncontent-length: 100\r\n\r\n", new Uint8Array(10));
  wire.blockWrites();
  const sending = connection.send(new Uint8Array(90));
  const reading = connection.readHead("POST");
  wire.arrive("HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n");
  assertEquals([(await reading).status, connection.wholeBody()], [413, new Uint8Array(0)]);
  assertEquals([connection.finish(false), connection.closed], [false, true]);
  await assertFails("closed_in_head", sending);
});

Deno.test("Connection still gives the response of an upstream that takes no more of the request", async () => {
  using bench = new Bench();
  await bench.connection.sendHead("POST / HTTP/1.1\r\ncontent-length: 100\r\n\r\n");
  bench.wire.refuseWrites();
  await assertFails("closed_unanswered", bench.connection.send(new Uint8Array(100)));
  const reading = bench.connection.readHead("POST");
  bench.wire.arrive("HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\nno");
  assertEquals([(await reading).status, await bench.body()], [401, "no"]);
});

for (const how of ["end", "reset"] as const) {
  Deno.test(`Connection says where the upstream broke off, which ${how}s it`, async () => {
    const cases: [pieces: string[], kind: FailureKind][] = [
      [[], "closed_unanswered"],
      [["H"], "closed_in_head"],
      [["HTTP/1.1 200 OK\r\nContent-Length: 5\r\n"], "closed_in_head"],
      [["HTTP/1.1 103 Early Hints\r\n\r\n"], "closed_in_head"],
      [["HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"], "closed_in_body"],
      [["HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel", "l"], "closed_in_body"],
      [["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", "0\r\n"], "closed_in_body"],
    ];
    for (const [pieces, kind] of cases) {
      using bench = new Bench();
      const asked = bench.connection.ask(GET, "GET");
      bench.wire.arrive(...pieces);
      bench.wire[how]();
      const exchange = asked.then(() => bench.body());
      await assertFails(kind, exchange);
      assertEquals(bench.connection.finish(true), false, JSON.stringify(pieces));
    }
  });
}

Deno.test("Connection takes the end for the end of a body without length, but not a reset, nor an end that may be forged", async () => {
  for (
    const [how, endUnproven, whole] of [["end", false, true], ["reset", false, false], ["end", true, false]] as const
  ) {
    using bench = new Bench({ endUnproven });
    const asked = bench.connection.ask(GET, "GET");
    bench.wire.arrive("HTTP/1.1 200 OK\r\n\r\nhel", "lo");
    bench.wire[how]();
    const exchange = asked.then(() => bench.body());
    if (whole) assertEquals(await exchange, "hello");
    else await assertFails("closed_in_body", exchange);
    assertEquals(bench.connection.finish(true), false);
  }
});

Deno.test("Connection reads a body to its end and no further, and is not used again when more came", async () => {
  const bodies: [head: string, pieces: string[], body: string, clean: boolean][] = [
    ["Content-Length: 5", ["hello"], "hello", true],
    ["Content-Length: 5", ["", "hel", "lo"], "hello", true],
    ["Content-Length: 5", ["hello!"], "hello", false],
    ["Content-Length: 5", ["hel", "lo!"], "hello", false],
    ["Content-Length: 0", ["!"], "", false],
    ["Transfer-Encoding: chunked", ["5\r\nhello\r\n0\r\n\r\n"], "hello", true],
    ["Transfer-Encoding: chunked", [..."3\r\nhel\r\n2;x\r\nlo\r\n0\r\nX-Sum: 1\r\n\r\n"], "hello", true],
    ["Transfer-Encoding: chunked", ["5\r\nhello\r\n0\r\n\r\n!"], "hello", false],
    ["Transfer-Encoding: chunked", ["5\r\nhel", "lo\r\n0\r\n\r\n!"], "hello", false],
  ];
  for (const [line, pieces, body, clean] of bodies) {
    using bench = new Bench();
    const asked = bench.connection.ask(GET, "GET");
    const [first, ...others] = pieces;
    bench.wire.arrive(`HTTP/1.1 200 OK\r\n${line}\r\n\r\n${first}`, ...others);
    await asked;
    assertEquals(await bench.body(), body, `${line}: ${JSON.stringify(pieces)}`);
    assertEquals(bench.connection.finish(true), clean, `${line}: ${JSON.stringify(pieces)}`);
  }
});

Deno.test("Connection expects no body where there is none, whatever the head says", async () => {
  for (const [method, status] of [["HEAD", 200], ["GET", 204], ["GET", 304]] as const) {
    using bench = new Bench();
    const asked = bench.connection.ask(GET, method);
    bench.wire.arrive(`HTTP/1.1 ${status} X\r\nContent-Length: 5\r\n\r\n`);
    assertEquals([(await asked).contentLength, bench.connection.wholeBody()], [5, null]);
    assertEquals(bench.connection.finish(true), true);
  }
});

Deno.test("Connection is not used again where the upstream says so, speaks HTTP/1.0, or switches protocols", async () => {
  const heads: [head: string, reusable: boolean][] = [
    ["HTTP/1.1 204 X\r\nConnection: close\r\n\r\n", false],
    ["HTTP/1.1 204 X\r\nConnection: x, Close\r\n\r\n", false],
    ["HTTP/1.1 204 X\r\nConnection: keep-alive\r\nConnection: close\r\n\r\n", false],
    ["HTTP/1.1 204 X\r\nConnection: x-close\r\n\r\n", true],
    ["HTTP/1.0 204 X\r\n\r\n", false],
    ["HTTP/1.1 101 X\r\nContent-Length: 0\r\n\r\n", false],
    ["HTTP/1.0 204 X\r\nConnection: Keep-Alive\r\n\r\n", true],
  ];
  for (const [head, reusable] of heads) {
    using bench = new Bench();
    const asked = bench.connection.ask(GET, "GET");
    bench.wire.arrive(head);
    await asked;
    assertEquals([textOf(bench.connection.wholeBody() ?? null), bench.connection.finish(true)], ["", reusable], head);
  }
});

Deno.test("Connection that idles closes when the upstream closes it, or speaks unasked", async () => {
  for (const event of ["end", "reset", "speak"] as const) {
    using bench = new Bench();
    const asked = bench.connection.ask(GET, "GET");
    bench.wire.arrive(OK);
    await asked;
    await bench.body();
    assertEquals(bench.connection.finish(true), true);
    if (event === "speak") bench.wire.arrive("HTTP/1.1 408 Request Timeout\r\n\r\n");
    else bench.wire[event]();
    await settled();
    assertEquals([bench.connection.closed, bench.retired], [true, 1], event);
  }
});

Deno.test("Connection that is lent when the upstream speaks unasked sends nothing", async () => {
  for (const event of ["end", "speak"] as const) {
    using bench = new Bench();
    bench.connection.rest();
    bench.connection.begin(bench);
    if (event === "speak") bench.wire.arrive(OK);
    else bench.wire.end();
    await settled();
    await assertFails("closed_unused", bench.connection.ask(GET, "GET"));
    await assertFails("closed_unused", bench.connection.sendHead(GET));
    assertEquals(bench.wire.written, "");
  }
});

Deno.test("Connection fails the waits of an exchange that is aborted, with what it is given", async () => {
  using inHead = new Bench();
  const asked = inHead.connection.ask(GET, "GET");
  inHead.connection.abort(new TransportFailure("client_left", "left"));
  await assertFails("client_left", asked);
  assertEquals([inHead.aborted, inHead.wire.closed], [["client_left"], true]);

  using inBody = new Bench();
  const begun = inBody.connection.ask(GET, "GET");
  inBody.wire.arrive("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel");
  await begun;
  inBody.connection.wholeBody();
  assertEquals(textOf(await inBody.connection.nextChunk()), "hel");
  const reading = inBody.connection.nextChunk();
  inBody.connection.abort(new TransportFailure("client_left", "left"));
  await assertFails("client_left", reading);
});

Deno.test("Connection gives an upstream up that is silent, or takes nothing", async () => {
  using silent = new Bench();
  const asked = silent.connection.ask(GET, "GET");
  await settled();
  silent.connection.tick(1000);
  assertEquals(silent.aborted, []);
  silent.connection.tick(1001);
  await assertFails("read_timeout", asked);
  assertEquals(silent.aborted, ["read_timeout"]);

  using stuck = new Bench();
  stuck.wire.blockWrites();
  const sending = stuck.connection.sendHead(GET);
  stuck.connection.tick(1001);
  await assertFails("write_timeout", sending);
});

Deno.test("Connection takes heads of any size up to its bound, and no larger ones", async () => {
  using bench = new Bench();
  const value = "v".repeat(60_000);
  const asked = bench.connection.ask(GET, "GET");
  const head = `HTTP/1.1 200 OK\r\nX: ${value}\r\nContent-Length: 5\r\n\r\nhello`;
  for (let at = 0; at < head.length; at += 7000) bench.wire.arrive(head.slice(at, at + 7000));
  assertEquals([(await asked).headers[1] === value, await bench.body()], [true, "hello"]);
  assertEquals(bench.connection.finish(true), true);

  bench.connection.begin(bench);
  const large = bench.connection.ask(GET, "GET");
  bench.wire.arrive(`HTTP/1.1 200 OK\r\nX: ${value}${value}`);
  await assertFails("malformed", large);
});

Deno.test("Connection refuses what is not HTTP/1.1 in its head or in its body", async () => {
  for (
    const response of [
      "\0\r\n",
      "HTTP/1.1 200 OK\r\nA : b\r\n",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n",
    ]
  ) {
    using bench = new Bench();
    const asked = bench.connection.ask(GET, "GET");
    bench.wire.arrive(response);
    await assertFails("malformed", asked.then(() => bench.body()));
    assertEquals(bench.connection.finish(true), false);
  }
});

Deno.test("Connection writes on where the wire takes a part, and one character a byte", async () => {
  using bench = new Bench();
  bench.wire.narrow(3);
  const asked = bench.connection.ask("GET / HTTP/1.1\r\nx: \xe9\r\n\r\n", "GET");
  await settled();
  bench.wire.arrive(OK);
  await asked;
  assertEquals(await bench.body(), "hello");
  assertEquals(bench.wire.written, "GET / HTTP/1.1\r\nx: \xe9\r\n\r\n");
  assertEquals(bench.connection.finish(true), true);
});

Deno.test("Connection leaves its wire to another protocol after 101, with the bytes that came early", async () => {
  using bench = new Bench();
  const asked = bench.connection.ask(GET, "GET");
  bench.wire.arrive("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nearly");
  const head = await asked;
  assertEquals([head.status, head.connection, textOf(bench.connection.early)], [101, "upgrade", "early"]);
  const wire = bench.connection.detach();
  assertEquals([wire === bench.wire, bench.wire.closed, bench.wire.reading], [true, false, false]);
  assertEquals([bench.connection.closed, bench.retired], [true, 1]);
  bench.connection.close();
  assertEquals([bench.wire.closed, bench.retired], [false, 1]);
});
