// @ts-types="../../../types/std/assert.d.ts"
import { assertEquals } from "@std/assert";
import { Tunnel, type TunnelOptions } from "../../../lib/handlers/websocket/tunnel.ts";
import { CoarseClock } from "../../../lib/state/coarse_clock.ts";
import { frameBytes, type FrameShape } from "../../support/frame_peer.ts";
import { NotedSocket } from "../../support/noted_socket.ts";

/** A clock that moves when it is told to. */
class TestClock extends CoarseClock {
  #watched = new Set<{ tick(nowMs: number): void }>();

  override watch(watched: { tick(nowMs: number): void }): void {
    this.#watched.add(watched);
  }

  override unwatch(watched: { tick(nowMs: number): void }): void {
    this.#watched.delete(watched);
  }

  /** Lets time pass, in ticks. */
  pass(ms: number): void {
    for (const endMs = this.nowMs + ms; this.nowMs < endMs;) {
      this.nowMs += 50;
      for (const watched of this.#watched) watched.tick(this.nowMs);
    }
  }
}

interface Scene {
  client: NotedSocket;
  upstream: NotedSocket;
  tunnel: Tunnel;
  clock: TestClock;
  ended: string[];
  counted: string[];
}

function scene(config: Partial<TunnelOptions["config"]> = {}, early: Uint8Array<ArrayBuffer>[] = []): Scene {
  const client = new NotedSocket();
  const upstream = new NotedSocket();
  const clock = new TestClock();
  const ended: string[] = [];
  const counted: string[] = [];
  const tunnel = new Tunnel(client, upstream, {
    clock,
    config: { ...CONFIG, ...config },
    closeTimeoutMs: 2000,
    metrics: {
      toUpstream: (bytes, messages) => counted.push(`up ${messages}:${bytes}`),
      toClient: (bytes, messages) => counted.push(`down ${messages}:${bytes}`),
    },
  }, { upstreamEnded: () => ended.push("upstream"), webSocketEnded: () => ended.push("both") });
  tunnel.start(early[0] ?? NONE, early[1] ?? NONE);
  return { client, upstream, tunnel, clock, ended, counted };
}

const CONFIG = { max_buffered: 1000, max_message: 100_000, ping_interval: 0, idle_timeout: 0 };
const NONE = new Uint8Array(0);

function up(opcode: number, payload: string | Uint8Array = "", shape: FrameShape = {}): Uint8Array<ArrayBuffer> {
  return frameBytes(opcode, payload, { masked: true, ...shape });
}

function down(opcode: number, payload: string | Uint8Array = "", shape: FrameShape = {}): Uint8Array<ArrayBuffer> {
  return frameBytes(opcode, payload, shape);
}

function close(code: number, reason = ""): Uint8Array {
  return new Uint8Array([code >> 8, code & 255, ...new TextEncoder().encode(reason)]);
}

function joined(...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** The frames that were written to a socket, unmasked: `opcode payload`, or `close:code reason`; then what is no frame. */
function told(socket: NotedSocket): string[] {
  const bytes = socket.written;
  const all: string[] = [];
  let at = 0;
  while (at < bytes.length) {
    const masked = bytes[at + 1] >= 0x80;
    const short = bytes[at + 1] & 0x7f;
    const size = short === 126 ? bytes[at + 2] << 8 | bytes[at + 3] : short;
    const head = (short === 126 ? 4 : 2) + (masked ? 4 : 0);
    if (bytes.length < at + head + size) return [...all, `${bytes.length - at} bytes`];
    const payload = bytes.slice(at + head, at + head + size);
    if (masked) payload.forEach((byte, i) => payload[i] = byte ^ bytes[at + head - 4 + (i & 3)]);
    const opcode = bytes[at] & 15;
    const text = new TextDecoder().decode(opcode === 8 ? payload.subarray(2) : payload);
    if (opcode === 8) all.push(`close:${payload.length === 0 ? "none" : payload[0] << 8 | payload[1]} ${text}`.trim());
    else if (opcode === 9 && size === 8) all.push("own ping");
    else all.push(`${opcode} ${text.length > 40 ? text.length : text}`);
    at += head + size;
  }
  return all;
}

/** The payload of the last ping that was written. */
function ownPing(socket: NotedSocket): Uint8Array {
  const bytes = socket.written;
  const masked = bytes.at(-13) === 0x88;
  const payload = bytes.slice(-8);
  return masked ? payload.map((byte, i) => byte ^ bytes[bytes.length - 12 + (i & 3)]) : payload;
}

function end({ tunnel, ended }: Scene): void {
  tunnel.destroy();
  assertEquals(ended, ["upstream", "both"]);
}

const MIXED_UP = joined(
  up(1, "hello"),
  up(2, new Uint8Array(300).fill(7), { fin: false, reserved: 0x40 }),
  up(9, "ping"),
  up(0, ""),
  up(10),
  up(1),
);
const MIXED_DOWN = joined(
  down(2, new Uint8Array(70_000).fill(9), { reserved: 0x40 }),
  down(10, "pong"),
  down(1, "x", { fin: false }),
  down(9, new Uint8Array(125)),
  down(0, "y"),
);

Deno.test("Tunnel passes bytes in both directions as they come, and counts messages", () => {
  const all = scene();
  all.client.arrive(MIXED_UP);
  all.upstream.arrive(MIXED_DOWN);
  assertEquals(all.upstream.written, MIXED_UP);
  assertEquals(all.client.written, MIXED_DOWN);
  assertEquals([all.upstream.writes, all.client.writes], [1, 1]);
  assertEquals(all.counted, ["up 3:305", "down 2:70002"]);
  assertEquals([all.tunnel.receivedBytes, all.tunnel.sentBytes], [305, 70_002]);
  end(all);
});

Deno.test("Tunnel passes the same bytes, however they are cut", () => {
  const bytes = joined(MIXED_UP, up(8, close(4000, "bye")));
  for (let cut = 1; cut < bytes.length; cut++) {
    const all = scene();
    all.client.arrive(bytes.subarray(0, cut));
    all.client.arrive(bytes.subarray(cut));
    assertEquals(all.upstream.written, bytes, `cut at ${cut}`);
    assertEquals(all.tunnel.status, { code: 4000, reason: "bye" });
    assertEquals(all.tunnel.receivedBytes, 305);
    end(all);
  }
  const all = scene();
  for (const byte of bytes) all.client.arrive(new Uint8Array([byte]));
  assertEquals(all.upstream.written, bytes);
  end(all);
});

Deno.test("Tunnel passes 1,000 frames that arrive at once with one write", () => {
  const all = scene();
  const bytes = joined(...Array.from({ length: 1000 }, (_, i) => down(1, `message ${i}`)));
  all.upstream.arrive(bytes);
  assertEquals([all.client.writes, all.client.written.length], [1, bytes.length]);
  assertEquals(all.counted, ["down 1000:10890"]);
  end(all);
});

Deno.test("Tunnel passes what arrived together with the handshakes, first", () => {
  const all = scene({}, [up(1, "early"), down(1, "earlier")]);
  all.client.arrive(up(1, "late"));
  assertEquals([told(all.upstream), told(all.client)], [["1 early", "1 late"], ["1 earlier"]]);
  end(all);
});

for (const code of [1000, 1001, 1004, 1005, 1012, 1014, 1015, 2000, 2999, 3000, 4999]) {
  Deno.test(`Tunnel passes the close code ${code}, and the response to it`, () => {
    const all = scene();
    all.client.arrive(up(8, close(code, "why")));
    assertEquals(told(all.upstream), [`close:${code} why`]);
    all.upstream.arrive(down(1, "not yet"));
    all.upstream.arrive(down(8, close(4321)));
    assertEquals(told(all.client), ["1 not yet", "close:4321"]);
    assertEquals([all.client.calls, all.upstream.calls], [["end"], []]);
    all.upstream.handler.ended();
    all.client.handler.ended();
    assertEquals(all.ended, ["upstream", "both"]);
    assertEquals([all.tunnel.status.code, all.tunnel.cause], [code, ""]);
  });
}

for (const [payload, code] of [[close(999), 999], [close(5000), 5000], [new Uint8Array(1), 0]] as const) {
  Deno.test(`Tunnel passes a Close frame of ${payload.length} bytes with the code ${code}, and logs it as 1002`, () => {
    const all = scene();
    all.upstream.arrive(down(8, payload));
    assertEquals(all.client.written, down(8, payload));
    assertEquals([all.tunnel.status.code, all.tunnel.causeOwner], [1002, "upstream"]);
    end(all);
  });
}

Deno.test("Tunnel logs a Close frame without a code as 1005", () => {
  const all = scene();
  all.client.arrive(up(8));
  assertEquals([told(all.upstream), all.tunnel.status.code], [["close:none"], 1005]);
  end(all);
});

Deno.test("Tunnel passes nothing after a Close frame", () => {
  const all = scene();
  all.client.arrive(joined(up(8, close(1000)), up(1, "too late")));
  all.client.arrive(up(1, "later"));
  assertEquals(told(all.upstream), ["close:1000"]);
  end(all);
});

Deno.test("Tunnel closes an upstream that does not close first after a second", () => {
  const all = scene();
  all.client.arrive(up(8, close(1000)));
  all.upstream.arrive(down(8, close(1000)));
  all.client.handler.ended();
  all.clock.pass(900);
  assertEquals(all.upstream.calls, []);
  all.clock.pass(200);
  assertEquals([all.upstream.calls, all.ended], [["close"], ["upstream", "both"]]);
});

Deno.test("Tunnel responds to a client's Close frame itself when the upstream does not", () => {
  const all = scene();
  all.client.arrive(up(8, close(4000)));
  all.clock.pass(2100);
  assertEquals([all.ended, told(all.client)], [["upstream"], ["close:4000"]]);
  all.client.handler.ended();
  assertEquals([all.ended, all.tunnel.status.code], [["upstream", "both"], 4000]);
});

Deno.test("Tunnel responds to an upstream's Close frame itself when the client has left", () => {
  const all = scene();
  all.upstream.arrive(down(8, close(4000)));
  all.client.handler.failed(new Error("reset"));
  assertEquals(told(all.upstream), ["close:4000"]);
  all.upstream.handler.ended();
  assertEquals([all.ended, all.tunnel.status.code, all.tunnel.cause], [["upstream", "both"], 4000, ""]);
});

Deno.test("Tunnel tells an upstream 1001 when its client is lost, behind what it said", () => {
  const all = scene();
  all.client.arrive(joined(up(1, "first"), up(1, "half").slice(0, 3)));
  all.client.handler.ended();
  assertEquals(told(all.upstream), ["1 first", "close:1001"]);
  assertEquals(all.client.calls, ["close"]);
  all.upstream.arrive(down(8, close(1001)));
  all.upstream.handler.ended();
  assertEquals(all.ended, ["upstream", "both"]);
  const { status, cause, causeOwner } = all.tunnel;
  assertEquals([status.code, cause, causeOwner], [
    1006,
    "The client closed the connection without a Close frame",
    "client",
  ]);
});

Deno.test("Tunnel tells a client 1014 when its upstream is lost, behind what it said", () => {
  const all = scene();
  all.upstream.arrive(down(1, "first"));
  all.upstream.handler.failed(new Error("Connection reset by peer"));
  assertEquals([told(all.client), all.ended], [["1 first", "close:1014 Bad gateway"], ["upstream"]]);
  all.client.arrive(up(8, close(1014)));
  assertEquals(all.client.calls, ["end"]);
  all.client.handler.ended();
  assertEquals(all.ended, ["upstream", "both"]);
  const { status, cause, causeOwner } = all.tunnel;
  assertEquals([status.code, cause, causeOwner], [
    1014,
    "The upstream broke the connection: Connection reset by peer",
    "upstream",
  ]);
});

for (const who of ["client", "upstream"] as const) {
  Deno.test(`Tunnel ends the other connection when the ${who} is lost within a message`, () => {
    const all = scene();
    const [lost, other] = who === "client" ? [all.client, all.upstream] : [all.upstream, all.client];
    lost.arrive(frameBytes(1, "x".repeat(300), { masked: who === "client" }).slice(0, 100));
    lost.handler.ended();
    assertEquals([told(other), other.calls], [["100 bytes"], ["end"]]);
    other.handler.received(frameBytes(1, "discarded", { masked: who !== "client" }), 0, 11);
    other.handler.ended();
    assertEquals(all.ended, ["upstream", "both"]);
    assertEquals(all.tunnel.causeOwner, who);
  });
}

const VIOLATIONS: readonly [what: string, opcode: number, payload: Uint8Array | string, shape: FrameShape][] = [
  ["an unknown opcode", 3, "x", {}],
  ["a fragmented ping", 9, "x", { fin: false }],
  ["a ping of 126 bytes", 9, new Uint8Array(126), {}],
];

for (const [what, opcode, payload, shape] of VIOLATIONS) {
  for (const cut of [0, 1, 3]) {
    Deno.test(`Tunnel tells a client 1002 for ${what}, cut at ${cut}, and its upstream 1001`, () => {
      const all = scene();
      const bytes = joined(up(1, "first"), up(opcode, payload, shape));
      all.client.arrive(bytes.subarray(0, 11 + cut));
      all.client.arrive(bytes.subarray(11 + cut));
      all.client.arrive(up(1, "discarded"));
      assertEquals([told(all.client), told(all.upstream)], [["close:1002"], ["1 first", "close:1001"]]);
      assertEquals([all.tunnel.status.code, all.tunnel.causeOwner], [1002, "client"]);
      assertEquals(all.client.calls, ["end"]);
      end(all);
    });

    Deno.test(`Tunnel tells an upstream 1002 for ${what}, cut at ${cut}, and its client 1014`, () => {
      const all = scene();
      const bytes = joined(down(1, "first"), down(opcode, payload, shape));
      all.upstream.arrive(bytes.subarray(0, 7 + cut));
      all.upstream.arrive(bytes.subarray(7 + cut));
      assertEquals([told(all.upstream), told(all.client)], [["close:1002"], ["1 first", "close:1014 Bad gateway"]]);
      assertEquals([all.tunnel.status.code, all.tunnel.causeOwner], [1014, "upstream"]);
      end(all);
    });
  }
}

Deno.test("Tunnel refuses unmasked frames of clients, and masked ones of upstreams", () => {
  const one = scene();
  one.client.arrive(down(1, "x"));
  assertEquals(told(one.client), ["close:1002"]);
  end(one);
  const two = scene();
  two.upstream.arrive(up(1, "x"));
  assertEquals(told(two.upstream), ["close:1002"]);
  end(two);
});

Deno.test("Tunnel refuses a message beyond the limit with 1009, before any of the frame is passed on", () => {
  const all = scene({ max_message: 1000 });
  all.client.arrive(up(2, new Uint8Array(600), { fin: false }));
  all.client.arrive(up(0, new Uint8Array(401)));
  assertEquals([told(all.client), told(all.upstream)], [["close:1009 Message too large"], ["2 600", "close:1001"]]);
  assertEquals([all.tunnel.status.code, all.tunnel.cause], [
    1009,
    "The client broke the WebSocket protocol: it sends a message of more than 1000 bytes",
  ]);
  end(all);
});

Deno.test("Tunnel.goAway() tells both sides 1001, and ends when both have closed", () => {
  const all = scene();
  all.tunnel.goAway();
  assertEquals([told(all.client), told(all.upstream)], [["close:1001"], ["close:1001"]]);
  all.client.arrive(joined(up(1, "not passed on"), up(8, close(1001))));
  all.upstream.arrive(down(8, close(1001)));
  assertEquals([told(all.client), told(all.upstream)], [["close:1001"], ["close:1001"]]);
  all.client.handler.ended();
  all.upstream.handler.ended();
  assertEquals([all.ended, all.tunnel.status.code, all.tunnel.causeOwner], [["upstream", "both"], 1001, "proxy"]);
});

Deno.test("Tunnel.goAway() waits for the end of a frame, and passes nothing behind it", () => {
  const all = scene();
  const frame = up(1, "x".repeat(300));
  all.client.arrive(frame.subarray(0, 100));
  all.tunnel.goAway();
  assertEquals([told(all.client), told(all.upstream)], [["close:1001"], ["100 bytes"]]);
  all.client.arrive(joined(frame.subarray(100), up(1, "not passed on")));
  assertEquals(told(all.upstream), ["1 300", "close:1001"]);
  end(all);
});

Deno.test("Tunnel.goAway() ends what does not answer in time, also within a frame", () => {
  const all = scene();
  all.client.arrive(up(1, "x".repeat(300)).subarray(0, 100));
  all.tunnel.goAway("Because");
  all.clock.pass(2100);
  assertEquals([all.client.calls, all.upstream.calls], [["close"], ["end"]]);
  all.clock.pass(1100);
  assertEquals(all.upstream.calls, ["end", "close"]);
  assertEquals([all.ended, all.tunnel.cause], [["upstream", "both"], "Because"]);
});

Deno.test("Tunnel pauses an upstream beyond the bound of its client, and resumes it when nothing is queued", () => {
  const all = scene();
  all.client.blocked = true;
  all.upstream.arrive(down(2, new Uint8Array(900)));
  assertEquals(all.upstream.paused, false);
  all.upstream.arrive(down(2, new Uint8Array(900)));
  assertEquals(all.upstream.paused, true);
  all.client.accept();
  assertEquals([all.upstream.paused, all.client.paused], [false, false]);
  end(all);
});

Deno.test("Tunnel resumes a client when half of the bound is queued, on the next tick", () => {
  const all = scene();
  all.upstream.blocked = true;
  all.client.arrive(up(2, new Uint8Array(1500)));
  assertEquals(all.client.paused, true);
  all.upstream.accept(1000);
  all.clock.pass(50);
  assertEquals(all.client.paused, true);
  all.upstream.accept(10);
  all.clock.pass(50);
  assertEquals(all.client.paused, false);
  end(all);
});

Deno.test("Tunnel closes a client that accepts nothing with 1013, and cuts it when it still does not", () => {
  const all = scene({ idle_timeout: 1000 });
  all.client.blocked = true;
  all.upstream.arrive(down(2, new Uint8Array(2000)));
  for (let i = 0; i < 10; i++) {
    all.clock.pass(500);
    all.client.accept(1);
    all.client.arrive(up(10));
  }
  assertEquals(told(all.client).length, 1);
  all.clock.pass(600);
  all.client.arrive(up(10));
  all.clock.pass(500);
  assertEquals(told(all.client).at(-1), "close:1013 Messages are not taken");
  assertEquals(told(all.upstream).at(-1), "close:1001");
  assertEquals(all.upstream.paused, false);
  all.clock.pass(2100);
  assertEquals(all.client.calls, ["reset"]);
  assertEquals([all.ended, all.tunnel.status.code, all.tunnel.causeOwner], [["upstream", "both"], 1013, "client"]);
});

Deno.test("Tunnel cuts a client that accepts nothing at once where a frame is incomplete", () => {
  const all = scene({ idle_timeout: 1000 });
  all.client.blocked = true;
  all.upstream.arrive(down(2, new Uint8Array(2000)).subarray(0, 1500));
  all.clock.pass(600);
  all.client.arrive(up(10));
  all.clock.pass(700);
  assertEquals([all.client.calls, told(all.upstream)], [["reset"], ["10 ", "close:1001"]]);
  end(all);
});

Deno.test("Tunnel pings silent ends, keeps the pongs to itself, and passes all others", () => {
  const all = scene({ ping_interval: 1000, idle_timeout: 3000 });
  all.clock.pass(1200);
  assertEquals([told(all.client), told(all.upstream)], [["own ping"], ["own ping"]]);
  all.upstream.arrive(down(10, ownPing(all.upstream)));
  all.client.arrive(joined(up(10, "other"), up(10, ownPing(all.client)), up(1, "x")));
  assertEquals([told(all.client), told(all.upstream)], [["own ping"], ["own ping", "10 other", "1 x"]]);
  end(all);
});

Deno.test("Tunnel does not ping an end that talks", () => {
  const all = scene({ ping_interval: 1000 });
  for (let i = 0; i < 10; i++) {
    all.clock.pass(500);
    all.client.arrive(up(10));
  }
  assertEquals(told(all.client), []);
  assertEquals(told(all.upstream).includes("own ping"), true);
  end(all);
});

Deno.test("Tunnel passes a pong to its own ping when the peer may have left out one that the other side waits for", () => {
  const all = scene({ ping_interval: 1000, idle_timeout: 0 });
  all.client.arrive(up(9, "mine"));
  all.clock.pass(1200);
  const pong = down(10, ownPing(all.upstream));
  const before = all.client.written.length;
  all.upstream.arrive(pong);
  assertEquals(all.client.written.slice(before), pong);
  all.upstream.arrive(joined(down(10, "mine"), pong));
  assertEquals(all.client.written.slice(before), joined(pong, down(10, "mine")));
  end(all);
});

Deno.test("Tunnel pings only between two frames", () => {
  const all = scene({ ping_interval: 1000, idle_timeout: 5000 });
  const frame = down(1, "x".repeat(300));
  all.upstream.arrive(frame.subarray(0, 100));
  all.clock.pass(1500);
  all.upstream.arrive(frame.subarray(100));
  assertEquals(told(all.client), ["1 300"]);
  all.clock.pass(1200);
  assertEquals(told(all.client), ["1 300", "own ping"]);
  end(all);
});

Deno.test("Tunnel gives up a client that is silent, and tells its upstream 1001", () => {
  const all = scene({ ping_interval: 500, idle_timeout: 1000 });
  for (let i = 0; i < 12; i++) {
    all.clock.pass(100);
    all.upstream.arrive(down(10));
  }
  assertEquals([told(all.client).at(-1), told(all.upstream)], ["close:1001", ["close:1001"]]);
  all.clock.pass(1200);
  assertEquals(all.client.calls, ["end", "close"]);
  assertEquals([all.tunnel.status.code, all.tunnel.cause], [1006, "The client was silent for 1000 ms"]);
  end(all);
});

Deno.test("Tunnel gives up an upstream that is silent, and tells its client 1014", () => {
  const all = scene({ idle_timeout: 1000 });
  for (let i = 0; i < 12; i++) {
    all.clock.pass(100);
    all.client.arrive(up(1, "x"));
  }
  assertEquals(told(all.client), ["close:1014 Bad gateway"]);
  assertEquals(told(all.upstream).at(-1), "close:1001");
  end(all);
});

Deno.test("Tunnel does not take an end for silent that is paused", () => {
  const all = scene({ idle_timeout: 1000 });
  all.upstream.blocked = true;
  all.client.arrive(up(2, new Uint8Array(2000)));
  for (let i = 0; i < 20; i++) {
    all.clock.pass(100);
    all.upstream.accept(1);
    all.upstream.arrive(down(10));
  }
  assertEquals([all.client.paused, told(all.client).includes("close:1001")], [true, false]);
  end(all);
});

Deno.test("Tunnel.destroy() ends both connections at once", () => {
  const all = scene();
  all.tunnel.destroy();
  assertEquals([all.client.closed, all.upstream.closed, all.ended], [true, true, ["upstream", "both"]]);
  assertEquals([all.tunnel.status.code, all.tunnel.cause], [1006, "The proxy shut down"]);
});

Deno.test("Tunnel finds that a socket broke before it began", () => {
  const client = new NotedSocket();
  const upstream = new NotedSocket();
  upstream.closed = true;
  const ended: string[] = [];
  const options = { clock: new TestClock(), config: CONFIG, closeTimeoutMs: 1000 };
  const tunnel = new Tunnel(client, upstream, options, {
    upstreamEnded: () => ended.push("upstream"),
    webSocketEnded: () => ended.push("both"),
  });
  tunnel.start(NONE, NONE);
  assertEquals([told(client), ended], [["close:1014 Bad gateway"], ["upstream"]]);
  tunnel.destroy();
});
