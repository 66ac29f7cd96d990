// @ts-types="../../../types/std/assert.d.ts"
import { assert, assertEquals, assertFalse } from "@std/assert";
import { ReadAhead } from "../../../lib/handlers/proxy/read_ahead.ts";
import { RequestBody } from "../../../lib/handlers/proxy/request_body.ts";

const KEEP_BYTES = 8;

function bodyOf(): { body: RequestBody; client: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>> } {
  let client: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>> | undefined;
  const stream = new ReadableStream<Uint8Array<ArrayBuffer>>({ start: (controller) => void (client = controller) });
  const body = new RequestBody(stream, -1, { maxBytes: 1000, keepBytes: KEEP_BYTES, readAhead: new ReadAhead() });
  return { body, client: client as ReadableStreamDefaultController<Uint8Array<ArrayBuffer>> };
}

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (piece: Uint8Array | undefined) => new TextDecoder().decode(piece);

Deno.test("RequestBody.rewind() gives again what was taken, from its first byte", async () => {
  const { body, client } = bodyOf();
  client.enqueue(bytes("first"));
  assertEquals(text(await body.first()), "first");
  assertFalse(body.firstTaken());
  assert(body.replayable);
  body.rewind();
  assertEquals(text(await body.first()), "first");
  client.close();
});

Deno.test("RequestBody keeps what it has rewound, however much arrives before it is sent again", async () => {
  const { body, client } = bodyOf();
  client.enqueue(bytes("kept"));
  await body.first();
  body.firstTaken();
  body.rewind();
  client.enqueue(bytes("far more than is kept"));
  await new Promise((resolve) => setTimeout(resolve, 0));
  assertEquals(text(await body.first()), "kept");
  client.close();
});

Deno.test("RequestBody is not replayable once more was taken than is kept", async () => {
  const { body, client } = bodyOf();
  client.enqueue(bytes("123456789"));
  await body.first();
  body.firstTaken();
  assertFalse(body.replayable);
  client.close();
});
