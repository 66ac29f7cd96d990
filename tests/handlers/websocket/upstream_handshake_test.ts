// @ts-types="../../../types/std/assert.d.ts"
import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { TransportFailure } from "../../../lib/failure/failure.ts";
import { acceptOf } from "../../../lib/handlers/websocket/handshake.ts";
import { UpstreamHandshake } from "../../../lib/handlers/websocket/upstream_handshake.ts";
import type { ResponseHead } from "../../../lib/http1/response_head.ts";

function keyIn(lines: string): string {
  return /^sec-websocket-key: (.*)\r$/m.exec(lines)?.[1] ?? "";
}

/** The head of a response that accepts `key`, but for `fields`. */
function headOf(key: string, fields: Record<string, string | undefined> = {}): ResponseHead {
  const all: Record<string, string | undefined> = {
    ...{ Upgrade: "websocket", Connection: "Upgrade", "Sec-WebSocket-Accept": acceptOf(key) },
    ...fields,
  };
  const headers = Object.entries(all).flatMap(([name, value]) => value === undefined ? [] : [name, value]);
  return { status: 101, headers, connection: all.Connection } as unknown as ResponseHead;
}

Deno.test("UpstreamHandshake.ask() has a key of its own for each attempt, and the version that is spoken", () => {
  const handshake = new UpstreamHandshake();
  const lines = [handshake.ask(), handshake.ask()];
  for (const text of lines) {
    assertMatch(
      text,
      /^connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: .{22}==\r\n$/,
    );
  }
  assertEquals(new Set(lines.map(keyIn)).size, 2);
});

Deno.test("UpstreamHandshake.check() accepts a response to the last key, its tokens in any case and at any place", () => {
  const handshake = new UpstreamHandshake();
  const first = keyIn(handshake.ask());
  const last = keyIn(handshake.ask());
  handshake.check(headOf(last));
  handshake.check(headOf(last, { Upgrade: "WebSocket", Connection: "keep-alive, UPGRADE" }));
  // Whether it was offered is for the client to judge.
  handshake.check(headOf(last, { "Sec-WebSocket-Protocol": "chat", "Sec-WebSocket-Extensions": "" }));
  assertThrows(() => handshake.check(headOf(first)), TransportFailure, "does not match the key");
});

Deno.test("UpstreamHandshake of a client's own has its key each time, and takes extensions if it offers some", () => {
  const key = "dGhlIHNhbXBsZSBub25jZQ==";
  const offering = new UpstreamHandshake({ key, protocols: [], extensions: true });
  assertEquals([offering.ask(), offering.ask()].map(keyIn), [key, key]);
  offering.check(headOf(key, { "Sec-WebSocket-Extensions": "permessage-deflate" }));
  assertThrows(() => offering.check(headOf(acceptOf(key))), TransportFailure, "does not match the key");
  const plain = new UpstreamHandshake({ key, protocols: [], extensions: false });
  plain.ask();
  const compressed = headOf(key, { "Sec-WebSocket-Extensions": "permessage-deflate" });
  assertThrows(() => plain.check(compressed), TransportFailure, "extensions");
});

const WRONG: readonly [fields: Record<string, string | undefined>, why: string][] = [
  [{ "Sec-WebSocket-Accept": undefined }, "Sec-WebSocket-Accept"],
  [{ "Sec-WebSocket-Accept": "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" }, "Sec-WebSocket-Accept"],
  [{ Upgrade: undefined }, "Upgrade"],
  [{ Upgrade: "h2c" }, "Upgrade"],
  [{ Connection: undefined }, "Connection"],
  [{ Connection: "close" }, "Connection"],
  [{ "Sec-WebSocket-Extensions": "permessage-deflate" }, "extensions"],
];

for (const [fields, why] of WRONG) {
  const [[name, value]] = Object.entries(fields);
  Deno.test(`UpstreamHandshake.check() refuses ${value === undefined ? "no" : `"${value}" as`} ${name}`, () => {
    const handshake = new UpstreamHandshake();
    const key = keyIn(handshake.ask());
    const failure = assertThrows(() => handshake.check(headOf(key, fields)), TransportFailure, why);
    assertEquals([failure.kind, failure.owner], ["malformed", "upstream"]);
  });
}
