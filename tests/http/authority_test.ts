// @ts-types="../../types/std/assert.d.ts"
import { assertEquals } from "@std/assert";
import { hostOf, portOf } from "../../lib/http/authority.ts";

Deno.test("hostOf() gives the host in lower case, without port and root dot", () => {
  assertEquals(hostOf("Example.COM"), "example.com");
  assertEquals(hostOf("example.com:8080"), "example.com");
  assertEquals(hostOf("example.com."), "example.com");
  assertEquals(hostOf("example.com.:80"), "example.com");
  assertEquals(hostOf("my_service"), "my_service");
  assertEquals(hostOf("[::1]:8080"), "[::1]");
  assertEquals(hostOf("[FE80::1]"), "[fe80::1]");
  assertEquals(hostOf("127.0.0.1:"), "127.0.0.1");
});

Deno.test("hostOf() refuses what could move a URL's path or authority", () => {
  const hostile = [
    ...[
      "",
      "a/b",
      "a?b",
      "a#b",
      "a@b",
      "a b",
      "a\tb",
      "a\\b",
      "a%2fb",
      "a,b",
      "a:b",
      "a:1:2",
      "a:99999",
      "a:-1",
      ":80",
    ],
    ...[".", "[", "[]", "[::1", "[zz]", "[::1]x", "[::1]:99999", "é.com", "a\0b", "a".repeat(300)],
  ];
  for (const authority of hostile) assertEquals(hostOf(authority), undefined, JSON.stringify(authority));
});

Deno.test("hostOf() stays right when clients fill its memory", () => {
  for (let i = 0; i < 5000; i++) assertEquals(hostOf(`Host${i}.example`), `host${i}.example`);
  assertEquals(hostOf("Host0.example"), "host0.example");
});

Deno.test("portOf() gives the port, and nothing where there is none", () => {
  assertEquals(portOf("a:80"), 80);
  assertEquals(portOf("[::1]:8080"), 8080);
  assertEquals(portOf("[::1]"), undefined);
  assertEquals(portOf("a"), undefined);
  assertEquals(portOf("a:"), undefined);
});
