// @ts-types="../../types/std/assert.d.ts"
import { assertEquals } from "@std/assert";
import { ErrorCode } from "../../lib/http2/error_code.ts";
import { FLOOD_CAUSES, type FloodCause } from "../../lib/http2/flood_budget.ts";
import { block, bytesOf, CLIENT_BEGIN, frame, GET, number, POST, settings } from "../support/http2_frames.ts";
import { MemoryConnection, Recorder } from "./memory_connection.ts";

const get = block(GET);
const post = block(POST);

/** What is sent for the `n`th time, from 0. */
const FLOODS: Readonly<Record<string, [FloodCause, (n: number) => Uint8Array<ArrayBuffer>]>> = {
  "streams that are reset at once": [
    "reset",
    (n) => bytesOf(frame(1, 5, 2 * n + 1, get), frame(3, 0, 2 * n + 1, number(8))),
  ],
  "streams that the server is made to reset": [
    "reset",
    (n) => bytesOf(frame(1, 5, 2 * n + 1, get), frame(8, 0, 2 * n + 1, number(0))),
  ],
  "CONTINUATION frames without an end": [
    "continuation",
    (n) => n === 0 ? frame(1, 1, 1, get) : frame(9, 0, 1, new Uint8Array(10).fill(0x82)),
  ],
  "a header block without an end": [
    "continuation",
    (n) => n === 0 ? frame(1, 1, 1, get) : frame(9, 0, 1, new Uint8Array(16384).fill(0x82)),
  ],
  "pings": ["ping", () => frame(6, 0, 0, new Uint8Array(8))],
  "settings": ["settings", (n) => frame(4, 0, 0, settings([1, n % 4096]))],
  "DATA without data": ["empty", (n) => n === 0 ? frame(1, 4, 1, post) : frame(0, 0, 1)],
  "priorities": ["empty", (n) => frame(2, 0, 2 * n + 1, new Uint8Array(5))],
  "frames of an unknown type": ["empty", () => frame(0x50, 0, 0, [1, 2, 3])],
  "small updates of the connection's window": ["window", () => frame(8, 0, 0, number(1))],
  "updates of windows of streams that have ended": [
    "window",
    (n) => n === 0 ? frame(1, 5, 1, get) : frame(8, 0, 1, number(1)),
  ],
  "data on streams that have ended": [
    "closed",
    (n) => n === 0 ? bytesOf(frame(1, 5, 1, get), frame(3, 0, 1, number(8))) : frame(0, 0, 1, [1]),
  ],
  "streams above the limit": ["refused", (n) => frame(1, 4, 2 * n + 1, post)],
};

for (const [name, [cause, made]] of Object.entries(FLOODS)) {
  Deno.test(`flood: ${name} end the connection with ENHANCE_YOUR_CALM`, () => {
    const server = new MemoryConnection();
    server.receive(CLIENT_BEGIN);
    let sent = 0;
    while (!server.connection.closed && sent < 20_000) server.receive(made(sent++));
    assertEquals(server.sent.goAway, ErrorCode.ENHANCE_YOUR_CALM);
    assertEquals(server.failures.map(({ flood }) => flood), [cause]);
    assertEquals(server.connection.openStreams, 0);
    // A client in the normal course of things is far from that.
    assertEquals(sent > (cause === "continuation" ? 3 : 30), true, `after ${sent}`);
  });
}

Deno.test("flood: a window that is opened byte by byte ends the connection with ENHANCE_YOUR_CALM", () => {
  const server = new MemoryConnection();
  server.receive(bytesOf(CLIENT_BEGIN, frame(4, 0, 0, settings([4, 0]))));
  server.onRequest = (stream) => {
    stream.handler = new Recorder();
    stream.beginHeaders()?.field(":status", "200");
    stream.sendHeaders(false);
    stream.write(new Uint8Array(100_000), "given", true);
  };
  server.receive(frame(1, 5, 1, get));
  let updates = 0;
  while (!server.connection.closed && updates++ < 2000) server.receive(frame(8, 0, 1, number(1)));
  assertEquals(server.failures.map(({ flood }) => flood), ["window"]);
  assertEquals(updates < 200, true, `after ${updates}`);
});

Deno.test("a client that takes data may ping and update windows frame by frame, for as long as it likes", () => {
  const server = new MemoryConnection();
  server.receive(CLIENT_BEGIN);
  server.onRequest = (stream) => {
    const recorder = new Recorder();
    stream.handler = recorder;
    stream.beginHeaders()?.field(":status", "200");
    stream.sendHeaders(false);
    recorder.onDrained = () => {
      while (stream.write(new Uint8Array(2000), "given"));
    };
    recorder.onDrained();
  };
  server.receive(frame(1, 5, 1, get));
  for (let i = 0; i < 1000; i++) {
    const taken = server.sent.all.filter(({ type }) => type === 0).reduce(
      (sum, { payload }) => sum + payload.length,
      0,
    );
    server.sent.all.length = 0;
    server.receive(bytesOf(
      frame(6, 0, 0, new Uint8Array(8)),
      ...taken === 0 ? [] : [frame(8, 0, 0, number(taken)), frame(8, 0, 1, number(taken))],
    ));
  }
  assertEquals(server.failures, []);
});

Deno.test("budgets of floods come back with time", () => {
  const server = new MemoryConnection();
  server.receive(CLIENT_BEGIN);
  for (let second = 0; second < 100; second++) {
    for (let i = 0; i < 15; i++) server.receive(frame(6, 0, 0, new Uint8Array(8)));
    server.clock.nowMs += 1000;
  }
  assertEquals(server.failures, []);
});

Deno.test("each cause of a flood but stalls is in the list of those that are tried", () => {
  const tried = new Set(Object.values(FLOODS).map(([cause]) => cause));
  assertEquals(FLOOD_CAUSES.filter((cause) => !tried.has(cause)), ["stall"]);
});
