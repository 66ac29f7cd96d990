// @ts-types="../../../types/std/assert.d.ts"
import { assertEquals, assertRejects } from "@std/assert";
import { TransportFailure } from "../../../lib/failure/failure.ts";
import { CoarseClock } from "../../../lib/state/coarse_clock.ts";
import { SharedConnection } from "../../../lib/upstream/http2/shared_connection.ts";
import { AskingUser } from "../../support/asking_user.ts";
import { block, frame, Frames, settings } from "../../support/http2_frames.ts";
import { ScriptedSocket } from "../../support/scripted_socket.ts";

const PREFACE_LENGTH = 24;
const PING = 6;

/** A connection over a socket that the test plays, with a clock that it sets. */
class Bench {
  readonly socket = new ScriptedSocket();
  readonly clock = new CoarseClock(60_000);
  readonly connection: SharedConnection;
  retired = 0;
  changes = 0;

  constructor(pingIntervalMs = 1000) {
    const limits = { readTimeoutMs: Infinity, writeTimeoutMs: Infinity, clientTimeoutMs: Infinity };
    this.connection = new SharedConnection(this.socket, this.clock, {
      ...{ ...limits, idle_timeout: 5000, maxHeadBytes: 65_536, max_streams: 2, ping_interval: pingIntervalMs },
    }, { changed: () => void this.changes++, retired: () => void this.retired++ });
  }

  /** The upstream sends frames. */
  arrive(...frames: Uint8Array[]): void {
    for (const bytes of frames) this.socket.arrive(String.fromCharCode(...bytes));
  }

  /** Frames of a type that were sent. */
  async sent(type: number): Promise<number> {
    // What is written is sent at the end of the turn.
    await Promise.resolve();
    const frames = new Frames();
    frames.take(Uint8Array.from(this.socket.written.slice(PREFACE_LENGTH), (char) => char.charCodeAt(0)));
    return frames.all.filter((made) => made.type === type).length;
  }

  /** So many milliseconds pass. */
  pass(ms: number): void {
    this.clock.nowMs += ms;
    this.connection.tick(this.clock.nowMs);
  }

  [Symbol.dispose](): void {
    this.connection.close();
  }
}

const SETTINGS = frame(4, 0, 0);

Deno.test("SharedConnection has room once the settings have arrived, for as many exchanges as both sides allow", async () => {
  using bench = new Bench();
  assertEquals(bench.connection.hasRoom, false);
  bench.arrive(frame(4, 0, 0, settings([3, 1])));
  await bench.connection.settled;
  assertEquals(bench.connection.hasRoom, true);
  const only = bench.connection.lend();
  assertEquals(bench.connection.hasRoom, false);
  bench.arrive(frame(4, 0, 0, settings([3, 100])));
  assertEquals([bench.connection.hasRoom, bench.changes], [true, 1]);
  bench.connection.lend();
  assertEquals(bench.connection.hasRoom, false, "max_streams");
  only.close();
  assertEquals([bench.connection.hasRoom, bench.connection.idle], [true, false]);
});

Deno.test("SharedConnection sends PING when an exchange waits in silence, and fails without a reply", async () => {
  using bench = new Bench();
  bench.arrive(SETTINGS);
  bench.pass(3000);
  assertEquals(await bench.sent(PING), 0, "nothing waits");
  const stream = bench.connection.lend();
  const head = AskingUser.ask(stream);
  bench.pass(1001);
  assertEquals(await bench.sent(PING), 1);
  bench.arrive(frame(PING, 1, 0, [2, 0, 0, 0, 0, 0, 0, 0]));
  bench.pass(500);
  bench.pass(600);
  assertEquals(await bench.sent(PING), 2, "the reply has begun the time anew");
  const failed = assertRejects(() => head, TransportFailure);
  bench.pass(10_001);
  assertEquals((await failed).kind, "closed_unanswered");
  assertEquals([bench.connection.closed, bench.socket.closed, bench.retired], [true, true, 1]);
});

Deno.test("SharedConnection sends no PING where ping_interval is 0, and closes when it has idled for idle_timeout", async () => {
  using bench = new Bench(0);
  bench.arrive(SETTINGS);
  const stream = bench.connection.lend();
  const head = AskingUser.ask(stream);
  bench.pass(600_000);
  assertEquals(await bench.sent(PING), 0);
  bench.arrive(frame(1, 0x5, 1, block([":status", "200"])));
  assertEquals((await head).status, 200);
  stream.finish(true);
  bench.pass(4999);
  assertEquals(bench.connection.closed, false);
  bench.pass(2);
  assertEquals([bench.connection.closed, bench.retired], [true, 1]);
});

Deno.test("SharedConnection.settled rejects for an upstream that speaks something else, or says nothing and closes", async () => {
  using other = new Bench();
  other.socket.arrive("HTTP/1.1 400 Bad Request\r\n\r\n");
  await assertRejects(() => other.connection.settled, Error);
  assertEquals(other.connection.hasRoom, false);
  using silent = new Bench();
  silent.socket.finish();
  await assertRejects(() => silent.connection.settled, Error, "before SETTINGS arrived");
  assertEquals([silent.connection.closed, silent.retired], [true, 1]);
});
