// @ts-types="../../types/std/assert.d.ts"
import { assert, assertEquals, assertFalse, assertThrows } from "@std/assert";
import { AddressBlocks } from "../../lib/http/address_block.ts";
import { parseAddress, plainAddress } from "../../lib/http/ip_address.ts";
import { ProxyTrust } from "../../lib/http/client_address.ts";

Deno.test("AddressBlocks.has() knows addresses and blocks of both families", () => {
  const blocks = new AddressBlocks(["10.0.0.0/8", "192.168.1.7", "fc00::/7", "::1", "172.16.0.0/12", "100.64.0.0/10"]);
  for (
    const address of ["10.255.0.1", "192.168.1.7", "fd12::9", "::1", "172.31.255.255", "::ffff:10.1.2.3", "100.127.0.1"]
  ) {
    assert(blocks.has(address), address);
  }
  for (
    const address of [
      "11.0.0.1",
      "192.168.1.8",
      "fe80::1",
      "::2",
      "172.32.0.0",
      "::ffff:11.0.0.1",
      "",
      "x",
      "100.128.0.1",
    ]
  ) {
    assertFalse(blocks.has(address), address);
  }
});

Deno.test("AddressBlocks counts the bits of IPv4 in IPv6 form as IPv6 does", () => {
  const blocks = new AddressBlocks(["::ffff:10.0.0.0/104"]);
  assert(blocks.has("10.9.9.9"));
  assertFalse(blocks.has("11.0.0.1"));
});

Deno.test("AddressBlocks refuses what is neither address nor block", () => {
  for (
    const entry of [
      "",
      "10.0.0.0/33",
      "10.0.0",
      "10.0.0.256",
      "010.0.0.1",
      "::1/129",
      "::g",
      "1::2::3",
      "10.0.0.0/x",
      "a/8",
    ]
  ) {
    assertThrows(() => new AddressBlocks([entry]), SyntaxError, entry);
  }
});

Deno.test("parseAddress() reads every form of IPv6", () => {
  assertEquals(parseAddress("::")?.join("."), new Array(16).fill(0).join("."));
  assertEquals(parseAddress("1:2:3:4:5:6:7:8")?.at(-1), 8);
  assertEquals(parseAddress("64:ff9b::1.2.3.4")?.slice(-4).join("."), "1.2.3.4");
  assertEquals(parseAddress("1:2:3:4:5:6:7"), undefined);
  assertEquals(parseAddress("1:2:3:4:5:6:7:8:9"), undefined);
  assertEquals(parseAddress("12345::"), undefined);
});

Deno.test("plainAddress() takes off brackets, zones and the IPv4 prefix", () => {
  assertEquals(plainAddress("[::1]"), "::1");
  assertEquals(plainAddress("::ffff:10.0.0.1"), "10.0.0.1");
  assertEquals(plainAddress("fe80::1%eth0"), "fe80::1");
});

Deno.test("ProxyTrust.clientAddress() is the rightmost address that is not trusted", () => {
  const trust = new ProxyTrust(["10.0.0.0/8", "::1"]);
  assertEquals(trust.clientAddress("10.0.0.1", "1.2.3.4"), "1.2.3.4");
  assertEquals(trust.clientAddress("10.0.0.1", "6.6.6.6, 1.2.3.4, 10.0.0.2"), "1.2.3.4");
  assertEquals(trust.clientAddress("10.0.0.1", "10.0.0.3, 10.0.0.2"), "10.0.0.3");
  assertEquals(trust.clientAddress("10.0.0.1", "1.2.3.4:5678"), "1.2.3.4");
  assertEquals(trust.clientAddress("10.0.0.1", "[2001:db8::1]:80"), "2001:db8::1");
  assertEquals(trust.clientAddress("10.0.0.1", "1.2.3.4, unknown"), "10.0.0.1");
  assertEquals(trust.clientAddress("10.0.0.1", ""), "10.0.0.1");
});

Deno.test("ProxyTrust.trusts() believes nobody when no proxy is named", () => {
  assertFalse(new ProxyTrust([]).trusts("127.0.0.1"));
});
