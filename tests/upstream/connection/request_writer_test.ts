// @ts-types="../../../types/std/assert.d.ts"
import { assertEquals } from "@std/assert";
import { CoarseClock } from "../../../lib/state/coarse_clock.ts";
import { Deadlines } from "../../../lib/upstream/connection/deadlines.ts";
import { RequestWriter } from "../../../lib/upstream/connection/request_writer.ts";
import { ScriptedSocket } from "../../support/scripted_socket.ts";

const LIMITS = { readTimeoutMs: 1000, writeTimeoutMs: 1000, clientTimeoutMs: 1000 };
const GET = "GET / HTTP/1.1\r\n\r\n";

function writerTo() {
  const socket = new ScriptedSocket();
  const clock = new CoarseClock();
  const deadlines = new Deadlines(clock, LIMITS);
  const writer = new RequestWriter(socket, deadlines);
  socket.handler = { received() {}, ended() {}, failed() {}, drained: () => writer.drained() };
  return { socket, clock, deadlines, writer };
}

Deno.test("RequestWriter is blocked until the system has accepted all bytes", () => {
  const { socket, writer, deadlines } = writerTo();
  writer.writeHead(GET);
  assertEquals([writer.blocked, socket.written, deadlines.expired(1e9)], [false, GET, undefined]);
  socket.block();
  writer.writeHead(GET);
  assertEquals([writer.blocked, writer.write(new Uint8Array([0x61]), "lent")], [true, false]);
  socket.unblock(5);
  assertEquals([writer.blocked, deadlines.expired(1001)?.kind], [true, "write_timeout"]);
  socket.unblock();
  assertEquals([writer.blocked, socket.written, deadlines.expired(1e9)], [false, `${GET}${GET}a`, undefined]);
});

Deno.test("RequestWriter.tick() begins the deadline anew when a part was accepted, and not otherwise", () => {
  const { socket, writer, deadlines, clock } = writerTo();
  socket.block();
  writer.writeHead(GET);
  for (const accepted of [3, 1]) {
    clock.nowMs += 900;
    socket.unblock(accepted);
    writer.tick();
    assertEquals(deadlines.expired(clock.nowMs + 1000), undefined);
  }
  clock.nowMs += 900;
  writer.tick();
  assertEquals(deadlines.expired(clock.nowMs + 101)?.kind, "write_timeout");
});

Deno.test("RequestWriter writes a character of a head as a byte, and the body behind it", () => {
  const { socket, writer } = writerTo();
  writer.writeHead("x: \u00e9\r\n\r\n", new Uint8Array([1, 2]));
  assertEquals(socket.written, "x: \u00e9\r\n\r\n\x01\x02");
  writer.writeHead("x".repeat(5000) + "\u00ff");
  assertEquals([socket.written.length, socket.written.at(-1), socket.writes], [5011, "\u00ff", 2]);
});

Deno.test("RequestWriter.writeChunk() frames a piece, whoever owns it, with one write", () => {
  for (const ownership of ["lent", "shared", "given"] as const) {
    const { socket, writer } = writerTo();
    writer.writeChunk(new Uint8Array(26).fill(0x61), ownership);
    assertEquals([socket.written, socket.writes], [`1a\r\n${"a".repeat(26)}\r\n`, 1]);
  }
});

Deno.test("RequestWriter.complete() counts the upstream's silence once the whole request is accepted", () => {
  for (const blocked of [false, true]) {
    const { socket, writer, deadlines, clock } = writerTo();
    deadlines.uploading = true;
    deadlines.awaitHead();
    if (blocked) socket.block();
    writer.writeHead(GET);
    clock.nowMs = 5000;
    writer.complete();
    assertEquals(deadlines.uploading, blocked);
    if (blocked) socket.unblock();
    assertEquals([deadlines.expired(6000)?.kind, deadlines.expired(6001)?.kind], [undefined, "read_timeout"]);
  }
});
