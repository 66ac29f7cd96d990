// @ts-types="../../../types/std/assert.d.ts"
import { assertEquals, assertStrictEquals } from "@std/assert";
import { clientNetwork } from "../../../lib/upstream/balancer/ip_hash.ts";
import { choose, seededRandom, testSeed } from "../../contract/seeded_random.ts";
import { slowBytes } from "../../support/slow_address.ts";

/** The slow and obvious way. */
function expected(address: string): string {
  const bytes = slowBytes(address);
  if (bytes === undefined || !address.includes(":")) return address;
  if (bytes.length === 4) return bytes.join(".");
  if (bytes.slice(0, 12).join() === "0,0,0,0,0,0,0,0,0,0,255,255") return bytes.slice(12).join(".");
  return String.fromCharCode(...[0, 2, 4, 6].map((i) => bytes[i] * 256 + bytes[i + 1]));
}

Deno.test("clientNetwork() gives IPv4 in full, and one text for a /64", () => {
  assertStrictEquals(clientNetwork("192.0.2.1"), "192.0.2.1");
  assertStrictEquals(clientNetwork("::ffff:192.0.2.1"), "192.0.2.1");
  assertStrictEquals(clientNetwork("2001:db8:1:2:3:4:5:6"), "\u2001\u0db8\u0001\u0002");
  assertStrictEquals(clientNetwork("2001:DB8:1:2::"), "\u2001\u0db8\u0001\u0002");
  assertStrictEquals(clientNetwork("::1"), "\0\0\0\0");
});

Deno.test("clientNetwork() reads every notation of an address as the general reader does", () => {
  for (
    const address of [
      ...["::", "1::", "::1", "1::8", "1:2:3:4:5:6:7:8", "::2:3:4:5:6:7:8", "1:2:3:4:5:6:7::", "1::3:4:5:6:7:8"],
      ...["1:2::5:6", "1:2:3::", "fe80::1%eth0", "[2001:db8::1]", "::1.2.3.4", "::ffff:1.2.3.4", "::ffff:102:304"],
      ...["0:0:0:0:0:ffff:1.2.3.4", "64:ff9b::1.2.3.4", "0001:0002::", "ABCD:EF01::", "::ffff:0:1.2.3.4"],
    ]
  ) assertStrictEquals(clientNetwork(address), expected(address), address);
});

Deno.test("clientNetwork() gives back what is no address", () => {
  for (
    const text of [
      ...[
        "",
        "unknown",
        ":",
        ":::",
        "1:",
        ":1",
        "1:2",
        "1::2::3",
        "1:2:3:4:5:6:7:8:9",
        "1:2:3:4:5:6:7",
        "12345::",
        "g::",
      ],
      ...[
        "1:2:3:4:5:6:7:8::",
        "::1:2:3:4:5:6:7:8",
        "1:::2",
        "::1:",
        ":1::",
        "1.2.3.4:80",
        "::1.2.3",
        "1:2:3:4::5:6:7:8",
      ],
    ]
  ) assertStrictEquals(clientNetwork(text), text);
});

Deno.test("clientNetwork() agrees with the general reader on random texts", () => {
  const seed = testSeed();
  const random = seededRandom(seed);
  const pieces = ["0", "1", "ffff", "a", "B2", ":", ":", ":", "::", "1.2.3.4", "2001:db8"];
  for (let i = 0; i < 100_000; i++) {
    const text = Array.from({ length: 1 + Math.floor(random() * 15) }, () => choose(random, pieces)).join("");
    assertEquals(clientNetwork(text), expected(text), `BWS_TEST_SEED=${seed}: ${text}`);
  }
});
