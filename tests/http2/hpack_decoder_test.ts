// @ts-types="../../types/std/assert.d.ts"
import { assertEquals, assertThrows } from "@std/assert";
import { HpackDecoder } from "../../lib/http2/hpack_decoder.ts";
import { HpackError } from "../../lib/http2/hpack_error.ts";
import { seededRandom, testSeed } from "../contract/seeded_random.ts";
import { HPACK_SEQUENCES } from "./hpack_examples.ts";
import { NotedFields, octets } from "./noted_fields.ts";

function decode(decoder: HpackDecoder, hex: string): NotedFields {
  const noted = new NotedFields();
  const block = octets("ffff" + hex + "ff");
  decoder.decode(block, 2, block.length - 1, noted);
  return noted;
}

for (const { section, maxTableBytes, examples } of HPACK_SEQUENCES) {
  Deno.test(`HpackDecoder.decode() reads the examples of RFC 7541, ${section}`, () => {
    const decoder = new HpackDecoder(maxTableBytes);
    for (const { block, fields, table, tableBytes } of examples) {
      assertEquals(decode(decoder, block).fields, fields.map((field) => [...field]));
      assertEquals(decoder.tableBytes, tableBytes);
      const indexes = table.map((_, i) => (0x80 | 62 + i).toString(16)).join("");
      assertEquals(decode(decoder, indexes).fields, table.map((field) => [...field]));
    }
  });
}

Deno.test("HpackDecoder.decode() says which fields are never to be indexed (RFC 7541, C.2.3)", () => {
  const decoder = new HpackDecoder();
  const noted = decode(decoder, "100870617373776f726406736563726574" + "040c2f73616d706c652f70617468");
  assertEquals(noted.fields, [["password", "secret"], [":path", "/sample/path"]]);
  assertEquals(noted.sensitive, ["password"]);
  assertEquals(decoder.tableBytes, 0);
});

Deno.test("HpackDecoder.decode() gives one character for each octet", () => {
  const noted = decode(new HpackDecoder(), "00" + "0178" + "03" + "e9ff80" + "00" + "0178" + "10" + "e9".repeat(16));
  assertEquals(noted.fields, [["x", "\u00e9\u00ff\u0080"], ["x", "\u00e9".repeat(16)]]);
});

Deno.test("HpackDecoder.decode() reads integers of several octets (RFC 7541, C.1.2)", () => {
  // 1337 with a prefix of five bits is 1f 9a 0a: as a table size, 3f 9a 0a.
  const decoder = new HpackDecoder();
  decode(decoder, "3f9a0a");
  decoder.maxTableBytes = 1337;
  decode(decoder, "82");
  decoder.maxTableBytes = 1336;
  assertThrows(() => decode(decoder, "82"), HpackError, "does not begin with the table size");
});

Deno.test("HpackDecoder.decode() refuses what is no HPACK", () => {
  const refused: [hex: string, message: string][] = [
    ["80", "an index is 0, expected 1 to 61"],
    ["be", "an index is 62, expected 1 to 61"],
    ["7f0000", "an index is 63, expected 1 to 61"],
    ["ff", "a block ends within a field"],
    ["40", "a block ends within a field"],
    ["4001", "a string is longer than its block"],
    ["400161", "a block ends within a field"],
    ["4001610262", "a string is longer than its block"],
    ["ff80808080", "an integer is longer than 5 octets"],
    ["ffffffffff0f", "an integer is longer than 5 octets"],
    ["007fffffffff7f", "an integer is longer than 5 octets"],
    ["8220", "a table size stands behind a field"],
    ["3fe21f", "a table size is 4097, expected at most 4096"],
    // EOS in a string, and with more behind it.
    ["00016184ffffffff", "a string holds the symbol EOS"],
    ["00016185fffffffc00", "a string holds the symbol EOS"],
    // Eight bits of padding behind "a" (00011), and none of ones.
    ["000161821fff", "the padding of a string is longer than 7 bits"],
    ["00016182" + "ffff", "the padding of a string is longer than 7 bits"],
    ["00016181ff", "the padding of a string is longer than 7 bits"],
    ["0001618118", "or not of ones"],
    ["000161811e", "or not of ones"],
  ];
  for (const [hex, message] of refused) {
    assertThrows(() => decode(new HpackDecoder(), hex), HpackError, message, hex);
  }
  assertEquals(decode(new HpackDecoder(), "000161811f").fields, [["a", "a"]]);
  assertEquals(decode(new HpackDecoder(), "00016180").fields, [["a", ""]]);
});

Deno.test("HpackDecoder.decode() lets the peer choose sizes up to what was announced, and demands a reduction", () => {
  const decoder = new HpackDecoder();
  decode(decoder, "4001610162" + "4001630164");
  decoder.maxTableBytes = 40;
  // First smaller, then larger again: the older entry has gone.
  const noted = decode(decoder, "3f03" + "3f09" + "be");
  assertEquals(noted.fields, [["c", "d"]]);
  assertEquals(decoder.tableBytes, 34);
  assertThrows(() => decode(decoder, "bf"), HpackError, "an index is 63, expected 1 to 62");
  assertThrows(() => decode(decoder, "3f0a"), HpackError, "a table size is 41, expected at most 40");
  const larger = new HpackDecoder();
  larger.maxTableBytes = 65536;
  decode(larger, "3fe1ff03" + "4001610162");
  assertEquals(larger.tableBytes, 34);
});

Deno.test("HpackDecoder.decode() empties its table for an entry that is larger", () => {
  const decoder = new HpackDecoder(64);
  decode(decoder, "4001610162");
  assertEquals(decoder.tableBytes, 34);
  const noted = decode(decoder, "400161" + "20" + "62".repeat(32));
  assertEquals(noted.fields, [["a", "b".repeat(32)]]);
  assertEquals(decoder.tableBytes, 0);
});

Deno.test("HpackDecoder.decode() ends with fields or HpackError, whatever it is given", () => {
  const random = seededRandom(testSeed());
  const blocks = HPACK_SEQUENCES.flatMap(({ examples }) => examples.map(({ block }) => octets(block)));
  for (let round = 0; round < 20_000; round++) {
    const block = blocks[Math.floor(random() * blocks.length)].slice();
    for (let i = Math.floor(random() * 4); i >= 0; i--) {
      block[Math.floor(random() * block.length)] = Math.floor(random() * 256);
    }
    const decoder = new HpackDecoder(256);
    const noted = new NotedFields();
    try {
      decoder.decode(block, 0, Math.floor(random() * (block.length + 1)), noted);
    } catch (error) {
      assertEquals(error instanceof HpackError, true, String(error));
    }
    assertEquals(decoder.tableBytes <= 256, true);
    for (const [name, value] of noted.fields) assertEquals(/^[\0-\xff]*$/.test(name + value), true);
  }
});
