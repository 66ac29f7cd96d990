// @ts-types="../../../types/std/assert.d.ts"
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { type FailureKind, TransportFailure } from "../../../lib/failure/failure.ts";
import { CoarseClock } from "../../../lib/state/coarse_clock.ts";
import { sharedTime } from "../../../lib/state/shared_time.ts";
import type { BodySource } from "../../../lib/http/body.ts";
import { BodyReader, readWhole } from "../../../lib/http/body_reader.ts";
import type { ResponseHead } from "../../../lib/http1/response_head.ts";
import { Connection } from "../../../lib/upstream/connection/connection.ts";
import type { Ownership } from "../../../lib/http/body.ts";
import type { ConnectionUser } from "../../../lib/upstream/connection/lent_connection.ts";
import { ScriptedSocket } from "../../support/scripted_socket.ts";

const LIMITS = {
  readTimeoutMs: 1000,
  writeTimeoutMs: 1000,
  clientTimeoutMs: 1000,
  idle_timeout: 10_000,
  maxHeadBytes: 64 * 1024,
};
const GET = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";
const OK = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

/** A connection over a socket that the test plays, lent to an exchange that notes what it is told. */
class Bench implements ConnectionUser {
  readonly sendsBody = false;
  readonly socket: ScriptedSocket;
  readonly clock = new CoarseClock();
  readonly connection: Connection;
  readonly failed: unknown[] = [];
  readonly interim: ResponseHead[] = [];
  method = "GET";
  acceptsTrailers = false;
  retired = 0;
  drained = 0;
  /** Called when the head has arrived, in the same call. */
  atHead = () => {};
  #head = Promise.withResolvers<ResponseHead>();

  constructor({ endUnproven = false } = {}) {
    this.socket = new ScriptedSocket(endUnproven);
    this.connection = new Connection(this.socket, this.clock, LIMITS, () => this.retired++);
    this.connection.begin(this);
  }

  onTick(): void {}

  onInterim(head: ResponseHead): void {
    void head.headers;
    this.interim.push(head);
  }

  onDrained(): void {
    this.drained++;
  }

  onHead(head: ResponseHead): void {
    // Its lines are valid within this call, unless they were asked for.
    void head.headers;
    this.atHead();
    this.#head.resolve(head);
  }

  onFailed(failure: unknown): void {
    this.failed.push(failure);
    this.#head.reject(failure);
  }

  /** Kinds of the failures that were told. */
  get kinds(): FailureKind[] {
    return this.failed.map((failure) => (failure as TransportFailure).kind);
  }

  /** Sends a request; the head of its response. */
  ask(text: string, method: string, body?: Uint8Array<ArrayBuffer>): Promise<ResponseHead> {
    this.#head = Promise.withResolvers();
    this.#head.promise.catch(() => {});
    this.method = method;
    this.connection.ask(text, body);
    return this.#head.promise;
  }

  /** The rest of the body. */
  async body(): Promise<string> {
    const whole = this.connection.wholeBody();
    if (whole !== undefined) return textOf(whole);
    return textOf(await readWhole(this.connection.body));
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
  const { connection, socket, clock } = bench;
  for (let round = 1; round <= 3; round++) {
    if (round > 1) connection.begin(bench);
    const asked = bench.ask(GET, "GET");
    socket.arrive(OK);
    const head = await asked;
    assertEquals([head.status, head.headers, await bench.body()], [200, ["Content-Length", "5"], "hello"]);
    assertEquals([connection.finish(true), connection.exchanges, socket.paused], [true, round, false]);
  }
  assertEquals(socket.written, GET.repeat(3));
  connection.tick(clock.nowMs + LIMITS.idle_timeout);
  assertEquals([connection.closed, bench.retired], [false, 0]);
  connection.tick(clock.nowMs + LIMITS.idle_timeout + 1);
  assertEquals([connection.closed, bench.retired, socket.closed], [true, 1, true]);
});

Deno.test("Connection idles no longer than the upstream's Keep-Alive says, less a margin", async () => {
  using bench = new Bench();
  const asked = bench.ask(GET, "GET");
  bench.socket.arrive("HTTP/1.1 204 No Content\r\nKeep-Alive: timeout=5\r\n\r\n");
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
  const asked = bench.ask(GET, "GET");
  bench.socket.arrive(...interim + OK);
  assertEquals([(await asked).status, await bench.body()], [200, "hello"]);
  assertEquals(bench.connection.finish(true), true);

  bench.connection.begin(bench);
  const endless = bench.ask(GET, "GET");
  bench.socket.arrive("HTTP/1.1 103 Early Hints\r\n\r\n".repeat(33));
  await assertFails("malformed", endless);
});

Deno.test("Connection reads a response that comes before the request is sent, and is not used again then", async () => {
  using bench = new Bench();
  const { connection, socket } = bench;
  const asked = bench.ask("POST / HTTP/1.1\r\ncontent-length: 100\r\n\r\n", "POST", new Uint8Array(10));
  socket.block();
  assertEquals(connection.send(new Uint8Array(90), "shared"), false);
  socket.arrive("HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n");
  assertEquals([(await asked).status, connection.wholeBody()], [413, new Uint8Array(0)]);
  assertEquals([connection.finish(false), connection.closed, socket.closed], [false, true, true]);
});

Deno.test("Connection takes nothing for the response that was there before the request was sent", async () => {
  using bench = new Bench();
  sharedTime.beginBatch();
  const asked = bench.ask(GET, "GET");
  bench.socket.arrive(OK);
  sharedTime.endBatch();
  await assertRejects(() => asked, TransportFailure, "before it was asked");
  assertEquals([bench.kinds, bench.connection.finish(true), bench.connection.closed], [
    ["closed_unanswered"],
    false,
    true,
  ]);
  for (const batches of [1, 2]) {
    using next = new Bench();
    if (batches === 2) sharedTime.beginBatch();
    const answered = next.ask(GET, "GET");
    sharedTime.endBatch();
    sharedTime.beginBatch();
    next.socket.arrive(OK);
    sharedTime.endBatch();
    assertEquals((await answered).status, 200);
  }
});

Deno.test("Connection is not used again while a part of its request is queued", async () => {
  using bench = new Bench();
  bench.socket.block();
  const asked = bench.ask(GET, "GET");
  bench.socket.arrive(OK);
  assertEquals([(await asked).status, await bench.body(), bench.connection.finish(true)], [200, "hello", false]);
});

Deno.test("Connection still gives the response of an upstream that takes no more of the request", async () => {
  using bench = new Bench();
  const asked = bench.ask("POST / HTTP/1.1\r\ncontent-length: 100\r\n\r\n", "POST");
  bench.socket.block();
  bench.connection.send(new Uint8Array(100), "shared");
  bench.socket.arrive("HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\nno");
  bench.socket.fail();
  assertEquals([(await asked).status, await bench.body(), bench.kinds], [401, "no", []]);
});

for (const how of ["finish", "fail"] as const) {
  Deno.test(`Connection says where the upstream broke off, with ${how === "fail" ? "a reset" : "a FIN"}`, async () => {
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
      const asked = bench.ask(GET, "GET");
      bench.socket.arrive(...pieces);
      bench.socket[how]();
      const exchange = asked.then(() => bench.body());
      await assertFails(kind, exchange);
      assertEquals(bench.connection.finish(true), false, JSON.stringify(pieces));
    }
  });
}

Deno.test("Connection takes the end for the end of a body without length, but not a reset, nor an end that may be forged", async () => {
  for (
    const [how, endUnproven, whole] of [["finish", false, true], ["fail", false, false], [
      "finish",
      true,
      false,
    ]] as const
  ) {
    using bench = new Bench({ endUnproven });
    const asked = bench.ask(GET, "GET");
    bench.socket.arrive("HTTP/1.1 200 OK\r\n\r\nhel", "lo");
    bench.socket[how]();
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
    const asked = bench.ask(GET, "GET");
    const [first, ...others] = pieces;
    bench.socket.arrive(`HTTP/1.1 200 OK\r\n${line}\r\n\r\n${first}`, ...others);
    await asked;
    assertEquals(await bench.body(), body, `${line}: ${JSON.stringify(pieces)}`);
    assertEquals(bench.connection.finish(true), clean, `${line}: ${JSON.stringify(pieces)}`);
  }
});

Deno.test("Connection expects no body where there is none, whatever the head says", async () => {
  for (const [method, status] of [["HEAD", 200], ["GET", 204], ["GET", 304]] as const) {
    using bench = new Bench();
    const asked = bench.ask(GET, method);
    bench.socket.arrive(`HTTP/1.1 ${status} X\r\nContent-Length: 5\r\n\r\n`);
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
    const asked = bench.ask(GET, "GET");
    bench.socket.arrive(head);
    await asked;
    assertEquals([textOf(bench.connection.wholeBody() ?? null), bench.connection.finish(true)], ["", reusable], head);
  }
});

Deno.test("Connection that idles closes when the upstream closes it, or speaks unasked", async () => {
  for (const event of ["finish", "fail", "speak"] as const) {
    using bench = new Bench();
    const asked = bench.ask(GET, "GET");
    bench.socket.arrive(OK);
    await asked;
    await bench.body();
    assertEquals(bench.connection.finish(true), true);
    if (event === "speak") bench.socket.arrive("HTTP/1.1 408 Request Timeout\r\n\r\n");
    else bench.socket[event]();
    await settled();
    assertEquals([bench.connection.closed, bench.retired], [true, 1], event);
  }
});

Deno.test("Connection that is lent when the upstream speaks unasked sends nothing", async () => {
  for (const event of ["finish", "speak"] as const) {
    using bench = new Bench();
    bench.connection.rest();
    bench.connection.begin(bench);
    if (event === "speak") bench.socket.arrive(OK);
    else bench.socket[event]();
    await settled();
    for (let time = 0; time < 2; time++) {
      const unused = assertThrows(() => bench.connection.ask(GET), TransportFailure);
      assertEquals(unused.kind, "closed_unused");
    }
    assertEquals(bench.socket.written, "");
  }
});

Deno.test("Connection fails the waits of an exchange that is aborted, with what it is given", async () => {
  using inHead = new Bench();
  const asked = inHead.ask(GET, "GET");
  inHead.connection.abort(new TransportFailure("client_left", "left"));
  await assertFails("client_left", asked);
  assertEquals([inHead.kinds, inHead.socket.closed], [["client_left"], true]);

  using inBody = new Bench();
  const begun = inBody.ask(GET, "GET");
  inBody.socket.arrive("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel");
  await begun;
  assertEquals(inBody.connection.wholeBody(), undefined);
  const reader = new BodyReader(inBody.connection.body);
  assertEquals(textOf((await reader.read())?.bytes ?? null), "hel");
  const reading = reader.read();
  inBody.connection.abort(new TransportFailure("client_left", "left"));
  await assertFails("client_left", reading);
  assertEquals(inBody.kinds, []);
});

Deno.test("Connection gives an upstream up that is silent, or takes nothing", async () => {
  using silent = new Bench();
  const asked = silent.ask(GET, "GET");
  await settled();
  silent.connection.tick(1000);
  assertEquals(silent.kinds, []);
  silent.connection.tick(1001);
  await assertFails("read_timeout", asked);
  assertEquals(silent.kinds, ["read_timeout"]);

  using stuck = new Bench();
  stuck.socket.block();
  const sending = stuck.ask(GET, "GET");
  stuck.connection.tick(1001);
  await assertFails("write_timeout", sending);
});

Deno.test("Connection gives an upstream that accepts a part of a request time for the next one", async () => {
  using bench = new Bench();
  bench.socket.block();
  const sending = bench.ask(GET, "GET");
  bench.connection.deadlines.uploading = true;
  for (let step = 1; step <= 3; step++) {
    bench.socket.unblock(2);
    bench.clock.nowMs += 900;
    bench.connection.tick(bench.clock.nowMs);
    assertEquals(bench.kinds, []);
  }
  bench.connection.tick(bench.clock.nowMs + 1001);
  await assertFails("write_timeout", sending);
});

Deno.test("Connection takes heads of any size up to its bound, and no larger ones", async () => {
  using bench = new Bench();
  const value = "v".repeat(60_000);
  const asked = bench.ask(GET, "GET");
  const head = `HTTP/1.1 200 OK\r\nX: ${value}\r\nContent-Length: 5\r\n\r\nhello`;
  for (let at = 0; at < head.length; at += 7000) bench.socket.arrive(head.slice(at, at + 7000));
  assertEquals([(await asked).headers[1] === value, await bench.body()], [true, "hello"]);
  assertEquals(bench.connection.finish(true), true);

  bench.connection.begin(bench);
  const large = bench.ask(GET, "GET");
  bench.socket.arrive(`HTTP/1.1 200 OK\r\nX: ${value}${value}`);
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
    const asked = bench.ask(GET, "GET");
    bench.socket.arrive(response);
    await assertFails("malformed", asked.then(() => bench.body()));
    assertEquals(bench.connection.finish(true), false);
  }
});

Deno.test("Connection writes a head with one character a byte, and tells once the system has accepted it", async () => {
  using bench = new Bench();
  bench.socket.block();
  const asked = bench.ask("GET / HTTP/1.1\r\nx: \xe9\r\n\r\n", "GET");
  assertEquals([bench.connection.blocked, bench.drained], [true, 0]);
  bench.socket.unblock(3);
  assertEquals([bench.connection.blocked, bench.drained], [true, 0]);
  bench.socket.unblock();
  assertEquals([bench.connection.blocked, bench.drained], [false, 1]);
  bench.socket.arrive(OK);
  await asked;
  assertEquals(await bench.body(), "hello");
  assertEquals(bench.socket.written, "GET / HTTP/1.1\r\nx: \xe9\r\n\r\n");
  assertEquals(bench.connection.finish(true), true);
});

Deno.test("Connection sends a head and the body behind it with one write, however large the body is", async () => {
  for (const size of [1, 1024, 16 * 1024, 64 * 1024]) {
    using bench = new Bench();
    const asked = bench.ask(GET, "POST", new Uint8Array(size).fill(0x61));
    assertEquals([bench.socket.writes, bench.socket.written], [1, GET + "a".repeat(size)]);
    bench.socket.arrive(OK);
    await asked;
  }
});

Deno.test("Connection reports interim responses with their fields, and then the final one", async () => {
  using bench = new Bench();
  const asked = bench.ask(GET, "GET");
  bench.socket.arrive(...`HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n${OK}`);
  assertEquals((await asked).status, 200);
  assertEquals(bench.interim.map(({ status, headers }) => [status, headers]), [[103, ["Link", "</a>"]], [102, []]]);
});

Deno.test("Connection finds the same response wherever its bytes are cut", async () => {
  const responses: [response: string, body: string, trailers: readonly string[] | undefined][] = [
    [OK, "hello", undefined],
    ["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\n\r\n", "hello", undefined],
    [
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-Sum: 5\r\nY: z\r\n\r\n",
      "hello",
      ["X-Sum", "5", "Y", "z"],
    ],
    ["HTTP/1.1 103 Early Hints\r\n\r\n" + OK, "hello", undefined],
  ];
  for (const [response, body, trailers] of responses) {
    for (let first = 1; first < response.length; first++) {
      const second = first + 1 + (first * 7) % (response.length - first);
      using bench = new Bench();
      bench.acceptsTrailers = true;
      const asked = bench.ask(GET, "GET");
      bench.socket.arrive(response.slice(0, first), response.slice(first, second), response.slice(second));
      const where = `${JSON.stringify(response)} at ${first} and ${second}`;
      assertEquals((await asked).status, 200, where);
      const whole = bench.connection.wholeBody();
      const collected = whole === undefined ? await collect(bench.connection.body) : { text: textOf(whole) };
      assertEquals(
        [collected.text, collected.trailers?.length ? collected.trailers : undefined],
        [body, trailers],
        where,
      );
      assertEquals([bench.connection.finish(true), bench.socket.paused], [true, false], where);
    }
  }
});

Deno.test("Connection pauses its socket while nobody asks for the body, and holds no more than what came with the head", async () => {
  using bench = new Bench();
  const asked = bench.ask(GET, "GET");
  bench.socket.arrive("HTTP/1.1 200 OK\r\nContent-Length: 3000\r\n\r\n" + "a".repeat(1000));
  await asked;
  assertEquals(bench.socket.paused, true);
  bench.socket.arrive("b".repeat(1000), "c".repeat(1000));
  assertEquals([bench.socket.waiting, bench.connection.wholeBody()], [2, undefined]);
  const reader = new BodyReader(bench.connection.body);
  for (const [letter, waiting] of [["a", 2], ["b", 1], ["c", 0]] as const) {
    assertEquals(textOf((await reader.read())?.bytes ?? null), letter.repeat(1000));
    assertEquals([bench.socket.waiting, bench.socket.paused], [waiting, waiting > 0 || letter === "b"]);
  }
  assertEquals(await reader.read(), undefined);
});

Deno.test("Connection lends the pieces of a body where they lie, and copies them only for who was not asking", async () => {
  using bench = new Bench();
  const asked = bench.ask(GET, "GET");
  bench.socket.arrive("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc");
  await asked;
  const ownerships: string[] = [];
  const { body } = bench.connection;
  let text = "";
  const ended = new Promise<void>((resolve, reject) => {
    body.start({
      piece(bytes, ownership) {
        ownerships.push(ownership);
        text += textOf(bytes);
        body.pull();
      },
      end: () => resolve(),
      fail: reject,
    });
  });
  body.pull();
  bench.socket.arrive("def", "ghi");
  await ended;
  assertEquals([text, ownerships], ["abcdefghi", ["given", "lent", "lent"]]);
});

Deno.test("Connection leaves its socket to another protocol after 101, with the bytes that came early", async () => {
  for (const when of ["within the call", "later"] as const) {
    using bench = new Bench();
    const { connection, socket } = bench;
    let early = "";
    const handOver = () => {
      early = textOf(connection.early);
      assert(connection.detach() === socket);
    };
    if (when === "within the call") bench.atHead = handOver;
    const asked = bench.ask(GET, "GET");
    socket.arrive("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nearly");
    const head = await asked;
    if (when === "later") handOver();
    assertEquals([head.status, head.connection, early, socket.closed, socket.paused], [
      101,
      "upgrade",
      "early",
      false,
      true,
    ]);
    assertEquals([connection.closed, bench.retired], [true, 1]);
    connection.close();
    assertEquals([socket.closed, bench.retired], [false, 1]);
  }
});

/** All of a body. */
function collect(source: BodySource): Promise<{ text: string; trailers?: readonly string[] }> {
  return new Promise((resolve, reject) => {
    let text = "";
    source.start({
      piece(bytes) {
        text += textOf(bytes);
        source.pull();
      },
      end: (trailers) => resolve({ text, trailers }),
      fail: reject,
    });
    source.pull();
  });
}

Deno.test("Connection lends what came with the head to who pulls within the call, and gives it to who pulls later", () => {
  for (const within of [true, false]) {
    using bench = new Bench();
    const pieces: [string, Ownership][] = [];
    const pull = () => {
      bench.connection.body.start({
        piece: (bytes, ownership) => void pieces.push([textOf(bytes), ownership]),
        end() {},
        fail() {},
      });
      bench.connection.body.pull();
    };
    if (within) bench.atHead = pull;
    bench.ask(GET, "GET");
    bench.socket.arrive("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf");
    if (!within) pull();
    assertEquals(pieces, [["half", within ? "lent" : "given"]]);
  }
});
