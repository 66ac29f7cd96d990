// @ts-types="../../../types/std/assert.d.ts"
import { assertEquals } from "@std/assert";
import type { RequestHead } from "../../../lib/http/message.ts";
import { acceptOf, handshakeKey, isFault, readUpgrade } from "../../../lib/handlers/websocket/handshake.ts";

const KEY = "dGhlIHNhbXBsZSBub25jZQ==";

function headOf(fields: Record<string, string | undefined>, method = "GET"): RequestHead {
  const all: Record<string, string | undefined> = {
    upgrade: "websocket",
    connection: "Upgrade",
    "sec-websocket-key": KEY,
    "sec-websocket-version": "13",
    ...fields,
  };
  const headers = Object.entries(all).flatMap(([name, value]) => value === undefined ? [] : [name, value]);
  const peer = { address: "192.0.2.1", port: 1 };
  return { method, path: "/", query: "", authority: "x", host: "x", scheme: "http", headers, peer };
}

function statusOf(fields: Record<string, string | undefined>, method = "GET"): number | "upgrade" | "plain" {
  const upgrade = readUpgrade(headOf(fields, method));
  return upgrade === undefined ? "plain" : isFault(upgrade) ? upgrade.status : "upgrade";
}

Deno.test("readUpgrade() finds its tokens in any case and at any place", () => {
  assertEquals(statusOf({}), "upgrade");
  assertEquals(statusOf({ upgrade: "WebSocket" }), "upgrade");
  assertEquals(statusOf({ upgrade: "h2c, WEBSOCKET" }), "upgrade");
  assertEquals(statusOf({ connection: "keep-alive, UPGRADE" }), "upgrade");
  assertEquals(statusOf({ connection: " ,upgrade,, x" }), "upgrade");
});

Deno.test("readUpgrade() takes a request that asks for no WebSocket as a plain one", () => {
  assertEquals(statusOf({ upgrade: undefined }), "plain");
  assertEquals(statusOf({ upgrade: "h2c" }), "plain");
  assertEquals(statusOf({ upgrade: "websockets" }), "plain");
  // The field has no meaning without the option in Connection.
  assertEquals(statusOf({ connection: undefined, "sec-websocket-key": undefined }), "plain");
});

Deno.test("readUpgrade() refuses what is malformed with 400", () => {
  assertEquals(statusOf({}, "POST"), 400);
  assertEquals(statusOf({}, "get"), 400);
  assertEquals(statusOf({ connection: undefined }), 400);
  assertEquals(statusOf({ connection: "upgraded" }), 400);
  assertEquals(statusOf({ "sec-websocket-version": undefined }), 400);
  const keys = [
    undefined,
    "",
    "abc",
    KEY.slice(1),
    `${KEY}=`,
    "dGhlIHNhbXBsZSBub25jZQ",
    "dGhlIHNhbXBsZSBub25jZR==",
    `${KEY}, ${KEY}`,
  ];
  for (const key of keys) {
    assertEquals(statusOf({ "sec-websocket-key": key }), 400, String(key));
  }
});

Deno.test("readUpgrade() refuses other versions with 426 and names its own", () => {
  for (const version of ["8", "0", "14", "13, 8", "thirteen", "013"]) {
    const upgrade = readUpgrade(headOf({ "sec-websocket-version": version }));
    if (upgrade === undefined || !isFault(upgrade)) throw new Error(version);
    assertEquals(upgrade.status, 426, version);
    assertEquals(upgrade.lines.slice(0, 2), ["sec-websocket-version", "13"]);
  }
});

Deno.test("readUpgrade() lists subprotocols in order and keeps their case", () => {
  const upgrade = readUpgrade(headOf({ "sec-websocket-protocol": "Chat.v2,chat ,  superchat," }));
  assertEquals(upgrade, { key: KEY, protocols: ["Chat.v2", "chat", "superchat"], extensions: false });
});

Deno.test("acceptOf() gives the accept value of RFC 6455, section 1.3", async () => {
  assertEquals(await acceptOf(KEY), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
});

Deno.test("handshakeKey() gives a key that readUpgrade() takes, another each time", () => {
  const keys = new Set(Array.from({ length: 50 }, () => handshakeKey()));
  assertEquals(keys.size, 50);
  for (const key of keys) assertEquals(statusOf({ "sec-websocket-key": key }), "upgrade");
});
