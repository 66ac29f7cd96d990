// @ts-types="../../types/std/assert.d.ts"
import { assert, assertEquals } from "@std/assert";
import { isIP } from "node:net";
import { isIpv4, isIpv6, isLoopback, parseAddress, parseNetwork } from "../../lib/http/ip_address.ts";
import { choose, seededRandom, testSeed } from "../contract/seeded_random.ts";
import { slowBytes } from "../support/slow_address.ts";

Deno.test("addresses are read as the runtime's own readers do, on random texts", () => {
  const seed = testSeed();
  const random = seededRandom(seed);
  const pieces = [
    ...[
      "0",
      "1",
      "255",
      "256",
      "ffff",
      "a",
      "B2",
      "01",
      "g",
      " ",
      ":",
      ":",
      ":",
      "::",
      ".",
      ".",
      "1.2.3.4",
      "2001:db8",
    ],
    ...["127.0.0.1", "::ffff:", "%", "[", "]"],
  ];
  let valid = 0;
  for (let i = 0; i < 200_000; i++) {
    const text = Array.from({ length: 1 + Math.floor(random() * 15) }, () => choose(random, pieces)).join("");
    const about = `BWS_TEST_SEED=${seed}: ${text}`;
    const family = text.includes("%") ? 0 : isIP(text);
    assertEquals([isIpv4(text), isIpv6(text)], [family === 4, family === 6], about);
    if (family === 0) continue;
    valid++;
    assertEquals(parseAddress(text), slowBytes(text), about);
    assertEquals(parseAddress(`[${text}]`), slowBytes(text), about);
    assertEquals(parseAddress(`${text}%eth0`), slowBytes(text), about);
  }
  assert(valid > 1000, "an oracle that sees no address proves nothing");
});

Deno.test("parseNetwork() takes what the config may hold, and one number of bits only", () => {
  assertEquals(parseNetwork("10.0.0.0/8"), { bytes: [10, 0, 0, 0], bits: 8 });
  assertEquals(parseNetwork("10.1.2.3"), { bytes: [10, 1, 2, 3], bits: 32 });
  assertEquals(parseNetwork("::ffff:10.0.0.0/104"), { bytes: [10, 0, 0, 0], bits: 8 });
  assertEquals(parseNetwork("::ffff:a00:0/104"), { bytes: [10, 0, 0, 0], bits: 8 });
  assertEquals(parseNetwork("::/0")?.bits, 0);
  for (
    const text of [
      ...[
        "10.0.0.0/33",
        "10.0.0.0/08",
        "10.0.0.0/",
        "10.0.0.0/8/8",
        "10.0.0/8",
        "::/129",
        "::ffff:10.0.0.0/95",
        "/8",
        "",
      ],
      ...["[::1]/128", "fe80::1%eth0/64", "10.0.0.0/-1", "10.0.0.0/+8", "10.0.0.0/8 "],
    ]
  ) assertEquals(parseNetwork(text), undefined, text);
});

Deno.test("isLoopback() knows this machine by each of its names", () => {
  for (
    const host of [
      "localhost",
      "LOCALHOST",
      "127.0.0.1",
      "127.9.9.9",
      "::1",
      "[::1]",
      "0:0:0:0:0:0:0:1",
      "::ffff:127.0.0.1",
    ]
  ) {
    assert(isLoopback(host), host);
  }
  for (const host of ["", "example.com", "localhost.example.com", "128.0.0.1", "::2", "127.1", "1::1"]) {
    assert(!isLoopback(host), host);
  }
});
