// @ts-types="../../../types/std/assert.d.ts"
import { assertEquals, assertThrows } from "@std/assert";
import { encodeFrame, Opcode } from "../../../lib/handlers/websocket/frame.ts";
import { FrameDecoder, FrameError } from "../../../lib/handlers/websocket/frame_decoder.ts";
import { seededRandom } from "../../contract/seeded_random.ts";
import { frameBytes, type FrameShape } from "../../support/frame_peer.ts";

interface Decoding {
  decoder: FrameDecoder;
  said: string[];
}

function decoding({ masked = false, maxMessageBytes = 1 << 20 } = {}): Decoding {
  const said: string[] = [];
  const text = new TextDecoder();
  const decoder = new FrameDecoder({
    onMessage: (message) => said.push(message.text ? `text:${text.decode(message.bytes)}` : `binary:${message.bytes}`),
    onPing: (payload) => said.push(`ping:${text.decode(payload)}`),
    onPong: () => said.push("pong"),
    onClose: ({ code, reason }) => said.push(`close:${code} ${reason}`),
  }, { masked, maxMessageBytes });
  return { decoder, said };
}

function codeOf(bytes: Uint8Array, options = {}): number {
  const { decoder } = decoding(options);
  return assertThrows(() => decoder.push(bytes), FrameError).code;
}

function joined(...frames: Uint8Array[]): Uint8Array {
  const bytes: number[] = [];
  for (const frame of frames) for (const byte of frame) bytes.push(byte);
  return Uint8Array.from(bytes);
}

const MIXED = joined(
  frameBytes(1, "whole"),
  frameBytes(1, ""),
  frameBytes(2, new Uint8Array(0)),
  frameBytes(1, "in ", { fin: false }),
  frameBytes(9, "now?"),
  frameBytes(0, "", { fin: false }),
  frameBytes(0, "three ", { fin: false }),
  frameBytes(10, "unasked"),
  frameBytes(0, "parts"),
  frameBytes(2, new Uint8Array([0, 255, 128])),
  frameBytes(8, new Uint8Array([0x0f, 0xa1, 0x62, 0x79, 0x65])),
  frameBytes(1, "ignored"),
);
const MIXED_SAID = [
  "text:whole",
  "text:",
  "binary:",
  "ping:now?",
  "pong",
  "text:in three parts",
  "binary:0,255,128",
  "close:4001 bye",
];

Deno.test("FrameDecoder joins fragments, lets control frames between them, and ends with Close", () => {
  const { decoder, said } = decoding();
  decoder.push(MIXED);
  assertEquals(said, MIXED_SAID);
});

Deno.test("FrameDecoder takes frames in pieces of any size", () => {
  for (const size of [1, 2, 3, 5, 7, 16]) {
    const { decoder, said } = decoding();
    for (let at = 0; at < MIXED.length; at += size) decoder.push(MIXED.slice(at, at + size));
    assertEquals(said, MIXED_SAID, `pieces of ${size}`);
  }
});

Deno.test("FrameDecoder keeps no bytes of the buffer that it was given", () => {
  const said: Uint8Array[] = [];
  const decoder = new FrameDecoder({
    onMessage: ({ bytes }) => said.push(bytes),
    onPing: () => {},
    onPong: () => {},
    onClose: () => {},
  }, { masked: false, maxMessageBytes: 100 });
  const buffer = frameBytes(2, new Uint8Array([1, 2, 3]));
  decoder.push(buffer);
  buffer.fill(9);
  assertEquals([...said[0]], [1, 2, 3]);
});

Deno.test("FrameDecoder reads back what encodeFrame() writes, at every length form, masked or not", () => {
  const random = seededRandom(7);
  for (const masked of [false, true]) {
    for (const size of [0, 1, 3, 124, 125, 126, 127, 65_535, 65_536, 70_001]) {
      const payload = Uint8Array.from({ length: size }, () => Math.floor(random() * 256));
      const frame = encodeFrame(Opcode.BINARY, payload, { masked });
      assertEquals(frame.length - size, (size < 126 ? 2 : size < 65_536 ? 4 : 10) + (masked ? 4 : 0));
      const cut = Math.floor(random() * frame.length);
      const { decoder, said } = decoding({ masked });
      decoder.push(frame.subarray(0, cut));
      decoder.push(frame.subarray(cut));
      assertEquals(said, [`binary:${payload}`]);
    }
  }
});

const FORBIDDEN: readonly [what: string, bytes: Uint8Array, code: number][] = [
  ["reserved bits", frameBytes(1, "x", { reserved: 0x40 }), 1002],
  ["opcode 3", frameBytes(3, ""), 1002],
  ["opcode 11", frameBytes(11, ""), 1002],
  ["a continuation of nothing", frameBytes(0, "x"), 1002],
  ["a message within a message", joined(frameBytes(1, "a", { fin: false }), frameBytes(1, "b")), 1002],
  [
    "a continuation after the end",
    joined(frameBytes(1, "a", { fin: false }), frameBytes(0, "b"), frameBytes(0, "c")),
    1002,
  ],
  ["a fragmented ping", frameBytes(9, "x", { fin: false }), 1002],
  ["a ping of 126 bytes", frameBytes(9, new Uint8Array(126)), 1002],
  ["a Close of 1 MiB", frameBytes(8, new Uint8Array(1 << 20)), 1002],
  ["a Close of one byte", frameBytes(8, new Uint8Array(1)), 1002],
  ["a length of 5 in 16 bits", new Uint8Array([0x82, 126, 0, 5, 1, 2, 3, 4, 5]), 1002],
  ["a length of 5 in 64 bits", new Uint8Array([0x82, 127, 0, 0, 0, 0, 0, 0, 0, 5, 1, 2, 3, 4, 5]), 1002],
  ["a length of 2^63", new Uint8Array([0x82, 127, 128, 0, 0, 0, 0, 0, 0, 0]), 1002],
  ["a length of 2^62", new Uint8Array([0x82, 127, 64, 0, 0, 0, 0, 0, 0, 0]), 1009],
  ["text that is not UTF-8", frameBytes(1, new Uint8Array([0xc3, 0x28])), 1007],
  ["text that ends within a character", frameBytes(1, new Uint8Array([0xe2, 0x82])), 1007],
  ["a surrogate in UTF-8", frameBytes(1, new Uint8Array([0xed, 0xa0, 0x80])), 1007],
  ["a close reason that is not UTF-8", frameBytes(8, new Uint8Array([3, 0xe8, 0xff])), 1007],
];

for (const [what, bytes, code] of FORBIDDEN) {
  Deno.test(`FrameDecoder refuses ${what} with ${code}`, () => {
    assertEquals(codeOf(bytes), code);
  });
}

Deno.test("FrameDecoder refuses masks of servers, and clients without", () => {
  assertEquals(codeOf(frameBytes(1, "x", { masked: true })), 1002);
  assertEquals(codeOf(frameBytes(1, "x"), { masked: true }), 1002);
});

Deno.test("FrameDecoder takes text whose characters are split between fragments", () => {
  const { decoder, said } = decoding();
  const euro = new Uint8Array([0xe2, 0x82, 0xac]);
  decoder.push(joined(frameBytes(1, euro.slice(0, 1), { fin: false }), frameBytes(0, euro.slice(1))));
  assertEquals(said, ["text:€"]);
});

Deno.test("FrameDecoder takes the close codes that the protocol allows, and no others", () => {
  const allowed = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 4999];
  for (const code of allowed) {
    const { decoder, said } = decoding();
    decoder.push(frameBytes(8, new Uint8Array([code >> 8, code & 255])));
    assertEquals(said, [`close:${code} `]);
  }
  for (const code of [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65_535]) {
    assertEquals(codeOf(frameBytes(8, new Uint8Array([code >> 8, code & 255]))), 1002, String(code));
  }
});

Deno.test("FrameDecoder judges the size of a message by its heads, fragments together", () => {
  const limit = { maxMessageBytes: 100 };
  const { decoder, said } = decoding(limit);
  decoder.push(frameBytes(2, new Uint8Array(100)));
  assertEquals(said.length, 1);
  assertEquals(codeOf(frameBytes(2, new Uint8Array(126)).subarray(0, 4), limit), 1009);
  const part: FrameShape = { fin: false };
  assertEquals(
    codeOf(joined(frameBytes(2, new Uint8Array(60), part), frameBytes(0, new Uint8Array(41), part)), limit),
    1009,
  );
});

Deno.test("FrameDecoder.push() stops after as many frames as it is allowed, and goes on from there", () => {
  const { decoder, said } = decoding();
  let rest = MIXED;
  let pushes = 0;
  for (; rest.length > 0; pushes++) rest = rest.subarray(decoder.push(rest, 2));
  assertEquals(said, MIXED_SAID);
  assertEquals(pushes, 6);
});
