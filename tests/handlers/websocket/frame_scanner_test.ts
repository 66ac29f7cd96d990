// @ts-types="../../../types/std/assert.d.ts"
import { assertEquals } from "@std/assert";
import { FrameScanner, ScanStop } from "../../../lib/handlers/websocket/frame_scanner.ts";
import { frameBytes } from "../../support/frame_peer.ts";

const MAX = 100_000;

function scanner(masked = false, maxMessageBytes = MAX): FrameScanner {
  return new FrameScanner({ masked, maxMessageBytes });
}

/** What a scan finds: control frames, and why it ended. */
function found(scanning: FrameScanner, bytes: Uint8Array): string[] {
  const all: string[] = [];
  for (let at = 0; at < bytes.length;) {
    at = scanning.scan(bytes, at, bytes.length);
    if (scanning.stop === ScanStop.Violation) return [...all, `${scanning.violation?.code} at ${at}`];
    if (scanning.stop === ScanStop.Incomplete) return [...all, `incomplete at ${at}`];
    if (scanning.stop === ScanStop.Control) {
      const payload = new TextDecoder().decode(scanning.controlPayload(bytes));
      all.push(`${scanning.opcode} ${payload} ${scanning.frameStart}-${at}`);
    }
  }
  return [...all, `${scanning.messages} messages, ${scanning.payloadBytes} bytes`];
}

function joined(...frames: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(frames.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const frame of frames) {
    bytes.set(frame, at);
    at += frame.length;
  }
  return bytes;
}

for (const masked of [false, true]) {
  const of = (opcode: number, payload: string | Uint8Array = "", fin = true) =>
    frameBytes(opcode, payload, { fin, masked });

  Deno.test(`FrameScanner counts messages of all lengths of heads, ${masked ? "masked" : "unmasked"}`, () => {
    const sizes = [0, 1, 125, 126, 127, 65_535, 65_536, 70_000];
    const bytes = joined(...sizes.map((size) => of(2, new Uint8Array(size))));
    assertEquals(found(scanner(masked), bytes), [`8 messages, ${sizes.reduce((sum, size) => sum + size)} bytes`]);
  });

  Deno.test(`FrameScanner finds control frames between fragments, ${masked ? "masked" : "unmasked"}`, () => {
    const first = of(1, "one", false);
    const bytes = joined(first, of(9, "ping"), of(0, "", false), of(10), of(0, "two"), of(8, "\x03\x30x"));
    const masks = masked ? 4 : 0;
    assertEquals(found(scanner(masked), bytes).map((line) => line.split(" ").slice(0, 2).join(" ")), [
      "9 ping",
      "10 ",
      "8 \x03\x30x",
      "1 messages,",
    ]);
    const ping = first.length;
    assertEquals(found(scanner(masked), bytes)[0], `9 ping ${ping}-${ping + 6 + masks}`);
  });

  Deno.test(`FrameScanner finds the same however the bytes are cut, ${masked ? "masked" : "unmasked"}`, () => {
    const bytes = joined(of(1, "a"), of(9, "p"), of(2, new Uint8Array(200), false), of(0, new Uint8Array(3)), of(1));
    for (let cut = 1; cut < bytes.length; cut++) {
      const scanning = scanner(masked);
      let at = 0;
      let pings = 0;
      for (const end of [cut, bytes.length]) {
        while (at < end) {
          at = scanning.scan(bytes, at, end);
          if (scanning.stop === ScanStop.Control) pings++;
          if (scanning.stop === ScanStop.Incomplete) break;
        }
      }
      assertEquals([scanning.messages, scanning.payloadBytes, pings, scanning.betweenFrames], [3, 204, 1, true]);
    }
  });

  Deno.test(`FrameScanner refuses a frame on the wrong side of the mask, ${masked ? "masked" : "unmasked"}`, () => {
    const bytes = joined(of(1, "good"), frameBytes(1, "bad", { masked: !masked }));
    assertEquals(found(scanner(masked), bytes), [`1002 at ${of(1, "good").length}`]);
  });
}

const VIOLATIONS: readonly [what: string, bytes: Uint8Array, found: string][] = [
  ["opcode 3", frameBytes(3, "x"), "1002 at 0"],
  ["opcode 7", frameBytes(7, "x"), "1002 at 0"],
  ["opcode 11", frameBytes(11, "x"), "1002 at 0"],
  ["a fragmented ping", frameBytes(9, "x", { fin: false }), "1002 at 0"],
  ["a ping of 126 bytes", frameBytes(9, new Uint8Array(126)), "1002 at 0"],
  ["a length of 64 bits", new Uint8Array([0x82, 127, 0x80, 0, 0, 0, 0, 0, 0, 0]), "1002 at 0"],
  ["a length of 2^53", new Uint8Array([0x82, 127, 0, 0x20, 0, 0, 0, 0, 0, 0]), "1002 at 0"],
  ["a length of 2^53 - 1", new Uint8Array([0x82, 127, 0, 0x1f, 255, 255, 255, 255, 255, 255]), "1009 at 0"],
  ["a message of one byte too many", frameBytes(2, new Uint8Array(MAX + 1)), "1009 at 0"],
];

for (const [what, bytes, expected] of VIOLATIONS) {
  Deno.test(`FrameScanner refuses ${what}`, () => {
    assertEquals(found(scanner(), bytes), [expected]);
    assertEquals(found(scanner(), joined(frameBytes(1, "good"), bytes)), [expected.replace("at 0", "at 6")]);
  });
}

Deno.test("FrameScanner adds up the fragments of a message, and begins anew with the next one", () => {
  const half = new Uint8Array(MAX / 2);
  const message = joined(frameBytes(2, half, { fin: false }), frameBytes(0, half));
  assertEquals(found(scanner(), joined(message, message)), [`2 messages, ${2 * MAX} bytes`]);
  const more = joined(frameBytes(2, half, { fin: false }), frameBytes(0, half, { fin: false }), frameBytes(0, "x"));
  assertEquals(found(scanner(), more), [`1009 at ${more.length - 3}`]);
});

Deno.test("FrameScanner passes what only the peers judge: reserved bits, order of fragments, long forms of lengths", () => {
  const long = new Uint8Array([0x82, 126, 0, 1, 7]);
  const bytes = joined(frameBytes(1, "x", { reserved: 0x70 }), frameBytes(0, "x"), long);
  assertEquals(found(scanner(), bytes), ["3 messages, 3 bytes"]);
});

Deno.test("FrameScanner stops at the next end of a frame when it is asked to", () => {
  const bytes = joined(frameBytes(1, "one"), frameBytes(1, "two"));
  const scanning = scanner();
  let at = scanning.scan(bytes, 0, 3);
  assertEquals([at, scanning.betweenFrames], [3, false]);
  at = scanning.scan(bytes, at, bytes.length, true);
  assertEquals([at, scanning.stop, scanning.betweenFrames], [5, ScanStop.Boundary, true]);
});
