// @ts-types="../../types/std/assert.d.ts"
import { assertEquals, assertThrows } from "@std/assert";
import { HpackError } from "../../lib/http2/hpack_error.ts";
import { decodedRoom, decodeHuffman, encodeHuffman, huffmanLength } from "../../lib/http2/huffman.ts";
import { seededRandom, testSeed } from "../contract/seeded_random.ts";
import { octets } from "./noted_fields.ts";

function encoded(text: string): Uint8Array {
  const target = new Uint8Array(huffmanLength(text) + 8);
  return target.slice(0, encodeHuffman(text, target, 0));
}

function decoded(bytes: Uint8Array): string {
  const target = new Uint8Array(decodedRoom(bytes.length));
  return String.fromCharCode(...target.subarray(0, decodeHuffman(bytes, 0, bytes.length, target)));
}

Deno.test("encodeHuffman() writes the strings of RFC 7541, appendix C", () => {
  const strings: [text: string, hex: string][] = [
    ["www.example.com", "f1e3c2e5f23a6ba0ab90f4ff"],
    ["no-cache", "a8eb10649cbf"],
    ["custom-key", "25a849e95ba97d7f"],
    ["custom-value", "25a849e95bb8e8b4bf"],
    ["302", "6402"],
    ["private", "aec3771a4b"],
    ["Mon, 21 Oct 2013 20:13:21 GMT", "d07abe941054d444a8200595040b8166e082a62d1bff"],
    ["https://www.example.com", "9d29ad171863c78f0b97c8e9ae82ae43d3"],
    ["307", "640eff"],
    ["gzip", "9bd9ab"],
  ];
  for (const [text, hex] of strings) {
    assertEquals(encoded(text), octets(hex), text);
    assertEquals(decoded(octets(hex)), text);
  }
});

Deno.test("encodeHuffman() and decodeHuffman() agree on every octet beside every other", () => {
  for (let first = 0; first < 256; first++) {
    let text = "";
    for (let second = 0; second < 256; second++) text += String.fromCharCode(first, second);
    const bytes = encoded(text);
    assertEquals(bytes.length, huffmanLength(text));
    assertEquals(decoded(bytes), text);
  }
});

Deno.test("decodeHuffman() reads as a decoder that goes bit by bit", () => {
  const random = seededRandom(testSeed());
  // Codes by the octets that encodeHuffman() writes for one symbol.
  const codes = new Map<string, number>();
  for (let symbol = 0; symbol < 256; symbol++) {
    // The bits in which two paddings agree: "a" begins with 0, so a code's end is seen by what follows it.
    const alone = bits(encoded(String.fromCharCode(symbol)));
    const twice = bits(encoded(String.fromCharCode(symbol, symbol)));
    let length = 5;
    while (twice.slice(length, 2 * length) !== twice.slice(0, length) || !restIsPadding(alone, twice, length)) length++;
    codes.set(twice.slice(0, length), symbol);
  }
  assertEquals(codes.size, 256);
  for (let round = 0; round < 20_000; round++) {
    const bytes = Uint8Array.from({ length: Math.floor(random() * 12) }, () => Math.floor(random() * 256));
    const expected = bitByBit(codes, bits(bytes));
    if (expected === undefined) assertThrows(() => decoded(bytes), HpackError);
    else assertEquals(decoded(bytes), expected);
  }
});

function bits(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(2).padStart(8, "0")).join("");
}

function restIsPadding(alone: string, twice: string, length: number): boolean {
  return /^1{0,7}$/.test(alone.slice(length)) && /^1{0,7}$/.test(twice.slice(2 * length));
}

function bitByBit(codes: ReadonlyMap<string, number>, all: string): string | undefined {
  let text = "";
  let code = "";
  for (const bit of all) {
    code += bit;
    const symbol = codes.get(code);
    if (symbol === undefined) continue;
    text += String.fromCharCode(symbol);
    code = "";
  }
  return /^1{0,7}$/.test(code) ? text : undefined;
}

Deno.test("huffmanLength() and encodeHuffman() take characters that are no octet for question marks", () => {
  assertEquals(encoded("a\u010ab"), encoded("a?b"));
});
