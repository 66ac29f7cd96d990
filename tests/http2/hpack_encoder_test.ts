// @ts-types="../../types/std/assert.d.ts"
import { assertEquals } from "@std/assert";
import { HpackDecoder } from "../../lib/http2/hpack_decoder.ts";
import { HpackEncoder } from "../../lib/http2/hpack_encoder.ts";
import { seededRandom, testSeed } from "../contract/seeded_random.ts";
import { NotedFields, octets } from "./noted_fields.ts";

type Fields = readonly (readonly [name: string, value: string, sensitive?: boolean])[];

function encode(encoder: HpackEncoder, fields: Fields): Uint8Array {
  encoder.begin();
  for (const [name, value, sensitive] of fields) encoder.field(name, value, sensitive);
  return encoder.bytes.slice(0, encoder.length);
}

function decode(decoder: HpackDecoder, block: Uint8Array): NotedFields {
  const noted = new NotedFields();
  decoder.decode(block, 0, block.length, noted);
  return noted;
}

const request: Fields = [
  [":method", "GET"],
  [":scheme", "https"],
  [":path", "/"],
  [":authority", "www.example.com"],
  ["user-agent", "curl/8.0"],
  ["accept-encoding", "gzip, deflate"],
];

Deno.test("HpackEncoder.field() makes one octet of each field that was sent before", () => {
  const encoder = new HpackEncoder();
  const first = encode(encoder, request);
  const second = encode(encoder, request);
  assertEquals(second, octets("828784bfbe90"));
  const decoder = new HpackDecoder();
  assertEquals(decode(decoder, first).fields, decode(decoder, second).fields);
});

Deno.test("HpackEncoder.field() never indexes secrets, and marks them", () => {
  const encoder = new HpackEncoder();
  const secrets: Fields = [
    ["authorization", "Bearer abc"],
    ["proxy-authorization", "Basic abc"],
    ["set-cookie", "id=1"],
    ["cookie", "id=1"],
    ["cookie", "id=" + "0123456789".repeat(3)],
    ["x-key", "s", true],
  ];
  const first = encode(encoder, secrets);
  const second = encode(encoder, secrets);
  const decoder = new HpackDecoder();
  const sensitive = ["authorization", "proxy-authorization", "set-cookie", "cookie", "x-key"];
  const noted = decode(decoder, first);
  assertEquals(noted.sensitive, sensitive);
  assertEquals(noted.fields, secrets.map(([name, value]) => [name, value]));
  // Of these the long cookie alone is in the table.
  assertEquals(decoder.tableBytes, 6 + 33 + 32);
  assertEquals(decode(decoder, second).sensitive, sensitive);
  assertEquals(decode(decoder, second).fields, noted.fields);
});

Deno.test("HpackEncoder.field() stops to index a name whose values are always new", () => {
  const encoder = new HpackEncoder();
  const decoder = new HpackDecoder();
  for (let i = 0; i < 40; i++) decode(decoder, encode(encoder, [["x-id", String(1000 + i)], [":path", `/${i}`]]));
  assertEquals(decoder.tableBytes, 4 * (4 + 4 + 32));
});

Deno.test("HpackEncoder.begin() tells the smallest table size since the last block, and the last", () => {
  const encoder = new HpackEncoder();
  const decoder = new HpackDecoder();
  decode(decoder, encode(encoder, request));
  encoder.setMaxTableBytes(0);
  encoder.setMaxTableBytes(100);
  encoder.setMaxTableBytes(65536);
  decoder.maxTableBytes = 0;
  decoder.maxTableBytes = 4096;
  const block = encode(encoder, request);
  // 0, then 4096.
  assertEquals(block.subarray(0, 4), octets("203fe11f"));
  assertEquals(decode(decoder, block).fields, request.map(([name, value]) => [name, value]));
  encoder.setMaxTableBytes(0);
  assertEquals(encode(encoder, [["user-agent", "curl/8.0"]])[0], 0x20);
  assertEquals(encode(encoder, [["user-agent", "curl/8.0"]])[0], 0x0f, "literal, not indexed");
});

Deno.test("HpackEncoder.field() makes question marks of characters that are no octet", () => {
  const noted = decode(new HpackDecoder(), encode(new HpackEncoder(), [["x", "a\u010d\u010ab"], ["y", "\u4e00\xff"]]));
  assertEquals(noted.fields, [["x", "a??b"], ["y", "?\xff"]]);
});

Deno.test("HpackDecoder reads what HpackEncoder writes, whatever the fields and the table sizes", () => {
  const random = seededRandom(testSeed());
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)];
  const text = (most: number) => {
    const printable = random() < 0.8;
    return Array.from(
      { length: Math.floor(random() * most) },
      () => String.fromCharCode(printable ? 32 + Math.floor(random() * 95) : Math.floor(random() * 256)),
    ).join("");
  };
  for (let connection = 0; connection < 40; connection++) {
    const encoder = new HpackEncoder();
    const decoder = new HpackDecoder();
    const names = [
      "accept",
      "cookie",
      ":status",
      "set-cookie",
      "via",
      ...Array.from({ length: 30 }, () => "x-" + text(9)),
    ];
    const values = Array.from({ length: 60 }, () => text(pick([5, 40, 300])));
    for (let block = 0; block < 100; block++) {
      if (random() < 0.1) {
        const sizes = Array.from({ length: 1 + Math.floor(random() * 3) }, () => pick([0, 40, 100, 1000, 4096, 9000]));
        for (const size of sizes) {
          encoder.setMaxTableBytes(size);
          decoder.maxTableBytes = size;
        }
      }
      const fields: Fields = Array.from(
        { length: Math.floor(random() * 12) },
        () => [pick(names), random() < 0.8 ? pick(values) : text(50), random() < 0.1],
      );
      const noted = decode(decoder, encode(encoder, fields));
      assertEquals(noted.fields, fields.map(([name, value]) => [name, value]));
    }
  }
});

Deno.test("HpackEncoder.field() bounds what it remembers of names that peers choose", () => {
  const encoder = new HpackEncoder();
  const decoder = new HpackDecoder();
  for (let i = 0; i < 2000; i++) {
    const noted = decode(decoder, encode(encoder, [[`x-${i}`, "1"], [`x-${i}`, "1"]]));
    assertEquals(noted.fields, [[`x-${i}`, "1"], [`x-${i}`, "1"]]);
  }
});
