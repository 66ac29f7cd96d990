// @ts-types="../../types/std/assert.d.ts"
import { assertEquals } from "@std/assert";
import { Buffer } from "node:buffer";
import { once } from "node:events";
import http2, { type ServerHttp2Stream } from "node:http2";
import type { AddressInfo } from "node:net";
import { HpackDecoder } from "../../lib/http2/hpack_decoder.ts";
import { HpackEncoder } from "../../lib/http2/hpack_encoder.ts";
import { NotedFields } from "./noted_fields.ts";

function frame(type: number, flags: number, stream: number, payload: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(9 + payload.length);
  bytes.set([payload.length >> 16, payload.length >> 8, payload.length, type, flags]);
  new DataView(bytes.buffer).setUint32(5, stream);
  bytes.set(payload, 9);
  return bytes;
}

/** Reads frames until a HEADERS frame ends, and returns its payload. */
async function nextHeaders(connection: Deno.Conn, unread: { bytes: Buffer }): Promise<Uint8Array> {
  for (;;) {
    const { bytes } = unread;
    const length = bytes.length < 9 ? Infinity : 9 + bytes.readUIntBE(0, 3);
    if (bytes.length < length) {
      const more = new Uint8Array(65536);
      const read = await connection.read(more);
      if (read === null) throw new Error("The server closed the connection");
      unread.bytes = Buffer.concat([bytes, more.subarray(0, read)]);
      continue;
    }
    unread.bytes = bytes.subarray(length);
    if (bytes[3] === 1) return Uint8Array.from(bytes.subarray(9, length));
  }
}

Deno.test("HpackEncoder and HpackDecoder talk with node:http2 over a connection's tables", async () => {
  const server = http2.createServer({ settings: { headerTableSize: 1000 } });
  const received: Record<string, unknown>[] = [];
  server.on("stream", (stream: ServerHttp2Stream, headers) => {
    received.push({ ...headers });
    const number = Number(headers["x-number"]);
    stream.respond({
      ":status": number % 3 === 0 ? 404 : 200,
      "content-type": "text/plain; charset=utf-8",
      "x-long": "v".repeat(number * 20),
      "x-number": String(number),
      "set-cookie": ["a=1", "b=2"],
      date: "Mon, 21 Oct 2013 20:13:21 GMT",
    }, { endStream: true });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const connection = await Deno.connect({ port: (server.address() as AddressInfo).port });
  try {
    const encoder = new HpackEncoder();
    const decoder = new HpackDecoder();
    const unread = { bytes: Buffer.alloc(0) };
    await connection.write(new TextEncoder().encode("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"));
    await connection.write(frame(4, 0, 0, new Uint8Array(0)));
    encoder.setMaxTableBytes(1000);
    for (let number = 0; number < 60; number++) {
      encoder.begin();
      encoder.field(":method", "GET");
      encoder.field(":scheme", "http");
      encoder.field(":path", `/item/${number}?é=${"%20".repeat(number)}`.replace("é", "e"));
      encoder.field(":authority", "example.com:8080");
      encoder.field("x-number", String(number));
      encoder.field("x-repeated", "r".repeat(number % 5 * 40));
      encoder.field("authorization", `Bearer ${number % 4}`);
      await connection.write(frame(1, 0x5, 2 * number + 1, encoder.bytes.subarray(0, encoder.length)));
      const block = await nextHeaders(connection, unread);
      const noted = new NotedFields();
      decoder.decode(block, 0, block.length, noted);
      assertEquals(noted.fields, [
        [":status", number % 3 === 0 ? "404" : "200"],
        ["content-type", "text/plain; charset=utf-8"],
        ["x-long", "v".repeat(number * 20)],
        ["x-number", String(number)],
        ["set-cookie", "a=1"],
        ["set-cookie", "b=2"],
        ["date", "Mon, 21 Oct 2013 20:13:21 GMT"],
      ]);
      assertEquals(received[number][":path"], `/item/${number}?e=${"%20".repeat(number)}`);
      assertEquals(received[number]["x-repeated"], "r".repeat(number % 5 * 40));
      assertEquals(received[number].authorization, `Bearer ${number % 4}`);
    }
  } finally {
    connection.close();
    server.close();
    await once(server, "close");
  }
});
