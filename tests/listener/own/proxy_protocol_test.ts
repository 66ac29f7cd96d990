/**
 * The PROXY protocol on a listener.
 *
 * @module
 */

// @ts-types="../../../types/std/assert.d.ts"
import { assertEquals, assertMatch } from "@std/assert";
import { Log } from "../../../lib/log/log.ts";
import { readProxyHeader } from "../../../lib/listener/own/proxy_header.ts";
import { until } from "../../support/condition.ts";
import { bytesOf } from "../../support/message_reader.ts";
import { get } from "../../support/raw_client.ts";
import { responseOf, ScriptedClients } from "./scripted_clients.ts";

const SIGNATURE = "\r\n\r\n\0\r\nQUIT\n";
const V2_IPV4 = SIGNATURE + "\x21\x11\0\x0c" + "\xc6\x33\x64\x07\xc0\0\x02\x01" + "\xdc\x04\x01\xbb";
const V2_IPV6 = SIGNATURE + "\x21\x21\0\x24" + "\x20\x01\x0d\xb8" + "\0".repeat(11) + "\x07" + "\0".repeat(16) +
  "\xdc\x04\x01\xbb";

/** Headers, and the client that they tell. */
const HEADERS: readonly [header: string, address: string | undefined, port: number][] = [
  ["PROXY TCP4 198.51.100.7 192.0.2.1 56324 443\r\n", "198.51.100.7", 56324],
  ["PROXY TCP6 2001:db8::7 2001:db8::1 56324 443\r\n", "2001:db8::7", 56324],
  // One address has one text, whatever the form in which it came.
  ["PROXY TCP6 2001:DB8:0:0::7 2001:db8::1 56324 443\r\n", "2001:db8::7", 56324],
  ["PROXY TCP6 ::ffff:c633:6407 2001:db8::1 56324 443\r\n", "198.51.100.7", 56324],
  ["PROXY UNKNOWN\r\n", undefined, 0],
  ["PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n", undefined, 0],
  [V2_IPV4, "198.51.100.7", 56324],
  [V2_IPV6, "2001:db8::7", 56324],
  // LOCAL, another family, and extensions behind the addresses.
  [SIGNATURE + "\x20\0\0\0", undefined, 0],
  [SIGNATURE + "\x21\x31\0\x02ab", undefined, 0],
  [V2_IPV4.replace("\0\x0c", "\0\x0f") + "\x04\0\0", "198.51.100.7", 56324],
];

const MALFORMED: readonly string[] = [
  get("/"),
  "PROXY TCP4 198.51.100.7 192.0.2.1 56324 443\n",
  "PROXY TCP4 2001:db8::7 192.0.2.1 56324 443\r\n",
  "PROXY TCP4 198.51.100.7 192.0.2.1 65536 443\r\n",
  "PROXY TCP4 198.51.100.07 192.0.2.1 1 443\r\n",
  "PROXY UDP4 198.51.100.7 192.0.2.1 1 443\r\n",
  "PROXY \r\n",
  "proxy TCP4 198.51.100.7 192.0.2.1 1 443\r\n",
  "PROXY UNKNOWN " + "x".repeat(100) + "\r\n",
  SIGNATURE + "\x31\x11\0\x0c" + "x".repeat(12),
  SIGNATURE + "\x22\x11\0\x0c" + "x".repeat(12),
  SIGNATURE + "\x21\x11\0\x0bxxxxxxxxxxx",
  SIGNATURE + "\x21\x11\xff\xff" + "x".repeat(12),
];

Deno.test("readProxyHeader() reads headers of both versions, and waits for those that are incomplete", () => {
  for (const [header, address, port] of HEADERS) {
    const bytes = bytesOf("ab" + header + get("/"));
    const found = readProxyHeader(bytes, 2, bytes.length);
    assertEquals(found, { length: header.length, peer: address === undefined ? undefined : { address, port } }, header);
    for (let cut = 0; cut < header.length; cut++) {
      assertEquals(readProxyHeader(bytes, 2, 2 + cut), "incomplete", `${header} cut at ${cut}`);
    }
  }
  for (const bytes of MALFORMED) assertEquals(readProxyHeader(bytesOf(bytes), 0, bytes.length), "malformed", bytes);
});

function listening(log?: Log) {
  return new ScriptedClients(({ peer }) => responseOf(`${peer.address} ${peer.port}`), {
    ...(log === undefined ? {} : { log }),
    proxyProtocol: true,
    trusts: (address) => address === "192.0.2.9",
  });
}

Deno.test("a listener takes the client's address from the header of a trusted proxy, however it is cut", async () => {
  await using clients = listening();
  for (const [header, address, port] of HEADERS) {
    for (let cut = 1; cut < header.length; cut++) {
      const socket = clients.connect("192.0.2.9");
      socket.arrive(header.slice(0, cut), header.slice(cut) + get("/"), get("/"));
      const expected = address === undefined ? "192.0.2.9 0" : `${address} ${port}`;
      assertEquals(socket.written.match(/\r\n\r\n\S+ \d+/g), Array(2).fill(`\r\n\r\n${expected}`), `cut at ${cut}`);
      socket.finish();
    }
  }
});

Deno.test("a listener closes connections of a trusted proxy without a header", async () => {
  await using clients = listening();
  for (const bytes of MALFORMED) {
    const socket = clients.connect("192.0.2.9");
    socket.arrive(bytes);
    assertEquals([socket.closed, socket.written], [true, ""], bytes);
  }
  const silent = clients.connect("192.0.2.9");
  await until("the header is overdue", () => silent.closed);
});

Deno.test("connections of a trusted proxy without a header are in the log, but those that it closes itself", async () => {
  let text = "";
  const log = new Log((bytes) => {
    text += new TextDecoder().decode(bytes);
    return Promise.resolve();
  });
  await using clients = listening(log);
  clients.connect("192.0.2.9").finish();
  clients.connect("192.0.2.9").arrive("GET /a?token=secret HTTP/1.1\r\nHost: a\r\n\r\n");
  const silent = clients.connect("192.0.2.9");
  await until("the header is overdue", () => silent.closed);
  await log.drain();
  const lines = text.trim().split("\n").map((line) => JSON.parse(line));
  assertEquals(
    lines.map(({ level, message, peer, detail }) => [level, message, peer, detail]),
    [
      'the connection begins with "GET /a"',
      "it did not arrive within 3 s",
    ].map((detail) => [
      ...["info", "connection of a trusted proxy without a header of the PROXY protocol", "192.0.2.9", detail],
    ]),
  );
});

Deno.test("a listener believes no header of other peers, which are served without one", async () => {
  await using clients = listening();
  const plain = clients.connect("198.51.100.1");
  plain.arrive(get("/"));
  assertMatch(plain.written, /^HTTP\/1\.1 200 .*\r\n\r\n198\.51\.100\.1 0$/s);
  const lying = clients.connect("198.51.100.1");
  lying.arrive(HEADERS[0][0] + get("/"));
  assertMatch(lying.written, /^HTTP\/1\.1 400 /);
});

Deno.test("shutdown() closes connections whose header is awaited", async () => {
  await using clients = listening();
  const socket = clients.connect("192.0.2.9");
  await clients.listener.shutdown();
  assertEquals(socket.closed, true);
});
