// @ts-types="../../types/std/assert.d.ts"
import { assertEquals, assertThrows } from "@std/assert";
import { ChunkedDecoder } from "../../lib/http1/chunked_decoder.ts";
import { MalformedMessage } from "../../lib/http1/malformed_message.ts";
import { seededRandom, testSeed } from "../contract/seeded_random.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

function decodeIn(pieces: Uint8Array[]): { text: string; done: boolean; rest: number } {
  const chunked = new ChunkedDecoder();
  let text = "";
  let rest = 0;
  for (const piece of pieces) {
    const bytes = piece.slice();
    text += decoder.decode(bytes.subarray(0, chunked.decode(bytes, 0, bytes.length)));
    rest += bytes.length - chunked.consumed;
  }
  return { text, done: chunked.done, rest };
}

Deno.test("ChunkedDecoder.decode() gives the payload, whatever the cuts", () => {
  const seed = testSeed();
  const random = seededRandom(seed);
  for (let round = 0; round < 2000; round++) {
    let wire = "";
    let payload = "";
    const chunks = Math.floor(random() * 6);
    for (let i = 0; i < chunks; i++) {
      const data = "x\r\n0\r\n".repeat(1 + Math.floor(random() * 5)).slice(0, 1 + Math.floor(random() * 20));
      payload += data;
      const size = random() < 0.5 ? data.length.toString(16) : "00" + data.length.toString(16).toUpperCase();
      wire += size + (random() < 0.3 ? ";a=b" : "") + "\r\n" + data + "\r\n";
    }
    wire += "0\r\n" + (random() < 0.3 ? "X-Trailer: 1\r\nY: 2\r\n" : "") + "\r\n";
    const extra = random() < 0.3 ? "HTTP/1.1" : "";
    const bytes = encoder.encode(wire + extra);
    const pieces: Uint8Array[] = [];
    for (let at = 0; at < bytes.length;) {
      const size = 1 + Math.floor(random() * (random() < 0.5 ? 3 : 40));
      pieces.push(bytes.subarray(at, at + size));
      at += size;
    }
    assertEquals(decodeIn(pieces), { text: payload, done: true, rest: extra.length }, `seed ${seed}, round ${round}`);
  }
});

Deno.test("ChunkedDecoder.decode() is not done before the empty line", () => {
  assertEquals(decodeIn([encoder.encode("3\r\nabc\r\n0\r\n")]).done, false);
  assertEquals(decodeIn([encoder.encode("3\r\nab")]), { text: "ab", done: false, rest: 0 });
});

Deno.test("ChunkedDecoder.decode() refuses every other framing", () => {
  const hostile = [
    ...[
      "\r\n",
      "g\r\n",
      "-1\r\n",
      "0x3\r\nabc\r\n",
      "3\nabc\n",
      "3\r\nabcd\r\n",
      "3\r\nabc\n0\r\n\r\n",
      "3\r\nabc\rX",
      " 3\r\n",
    ],
    ...["fffffffffffffff\r\n", "3;a\nabc", "0\r\nX: y\n\r\n", ";\r\n", "0\r\n\rX", "3\r\nabcX\r\n"],
    ...["1;" + "a".repeat(70_000) + "\r\n", "0\r\n" + "A: b\r\n".repeat(20_000)],
  ];
  for (const wire of hostile) {
    assertThrows(
      () => decodeIn([encoder.encode(wire)]),
      MalformedMessage,
      undefined,
      JSON.stringify(wire.slice(0, 40)),
    );
  }
});

Deno.test("ChunkedDecoder.decode() takes bare line feeds of an upstream, but not behind an extension", () => {
  const decode = (wire: string) => {
    const decoder = new ChunkedDecoder({ bareLineFeeds: true });
    const bytes = encoder.encode(wire);
    const payloadEnd = decoder.decode(bytes, 0, bytes.length);
    return { text: new TextDecoder().decode(bytes.subarray(0, payloadEnd)), done: decoder.done };
  };
  for (const wire of ["3\nabc\n2\r\nde\n0\n\n", "3\r\nabc\n2\nde\r\n0\nX: y\nZ: a\r\n\n"]) {
    assertEquals(decode(wire), { text: "abcde", done: true }, JSON.stringify(wire));
  }
  for (const wire of ["3;a\nabc\n0\n\n", "3\nabcd\n", "\n", "3\n\nabc"]) {
    assertThrows(() => decode(wire + "\n0\n\n0"), MalformedMessage, undefined, JSON.stringify(wire));
  }
});
