// @ts-types="../../types/std/assert.d.ts"
import { assertEquals } from "@std/assert";
import { proxyHeader, type ProxyProtocol } from "../../lib/http/proxy_protocol.ts";
import { readProxyHeader } from "../../lib/listener/own/proxy_header.ts";

/** Ends of connections, and the lines of version 1. */
const CLIENTS: readonly [peer: [string, number], local: [string, number], line: string][] = [
  [["198.51.100.7", 56324], ["192.0.2.1", 443], "PROXY TCP4 198.51.100.7 192.0.2.1 56324 443"],
  [["2001:db8::7", 1], ["2001:db8::1", 65535], "PROXY TCP6 2001:db8::7 2001:db8::1 1 65535"],
  // Ends of two families are told as IPv6.
  [["198.51.100.7", 5], ["2001:db8::1", 80], "PROXY TCP6 ::ffff:c633:6407 2001:db8::1 5 80"],
  [["2001:db8::7", 5], ["192.0.2.1", 80], "PROXY TCP6 2001:db8::7 ::ffff:c000:201 5 80"],
  // Where the client connected to is not known.
  [["198.51.100.7", 0], ["", 443], "PROXY TCP4 198.51.100.7 0.0.0.0 0 443"],
  [["2001:db8::7", 9], ["", 0], "PROXY TCP6 2001:db8::7 :: 9 0"],
  // The client has no address, as over a unix socket.
  [["", 0], ["192.0.2.1", 80], "PROXY UNKNOWN"],
];

Deno.test("proxyHeader() tells both ends of the client's connection in version 1", () => {
  for (const [peer, local, line] of CLIENTS) {
    assertEquals(new TextDecoder().decode(header("v1", peer, local)), `${line}\r\n`);
  }
});

Deno.test("proxyHeader() tells both ends of the client's connection in version 2", () => {
  const bytes = header("v2", ["198.51.100.7", 56324], ["192.0.2.1", 443]);
  const expected = "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc6\x33\x64\x07\xc0\0\x02\x01\xdc\x04\x01\xbb";
  assertEquals(String.fromCharCode(...bytes), expected);
});

Deno.test("BWS's listener reads what proxyHeader() writes", () => {
  for (const version of ["v1", "v2"] as const) {
    for (const [peer, local] of CLIENTS) {
      const bytes = header(version, peer, local);
      const found = readProxyHeader(bytes, 0, bytes.length);
      if (typeof found === "string") throw new Error(`${version} of ${peer}: ${found}`);
      assertEquals(found.length, bytes.length);
      assertEquals(found.peer, peer[0] === "" ? undefined : { address: peer[0], port: peer[1] });
    }
  }
});

Deno.test("proxyHeader() of a connection of BWS itself is UNKNOWN in version 1, LOCAL in version 2", () => {
  assertEquals(new TextDecoder().decode(proxyHeader("v1", undefined)), "PROXY UNKNOWN\r\n");
  assertEquals(String.fromCharCode(...proxyHeader("v2", undefined)), "\r\n\r\n\0\r\nQUIT\n\x20\0\0\0");
});

function header(version: ProxyProtocol, peer: [string, number], local: [string, number]): Uint8Array<ArrayBuffer> {
  return proxyHeader(version, {
    peer: { address: peer[0], port: peer[1] },
    local: { address: local[0], port: local[1] },
  });
}
