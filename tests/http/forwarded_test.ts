// @ts-types="../../types/std/assert.d.ts"
import { assertEquals } from "@std/assert";
import { forwardedElement, nodeAddress, parseForwarded } from "../../lib/http/forwarded.ts";

Deno.test("parseForwarded() reads the examples of RFC 7239", () => {
  assertEquals(parseForwarded('for="_gazonk"'), [{ for: "_gazonk" }]);
  assertEquals(parseForwarded('For="[2001:db8:cafe::17]:4711"'), [{ for: "[2001:db8:cafe::17]:4711" }]);
  assertEquals(parseForwarded("for=192.0.2.60;proto=http;by=203.0.113.43"), [
    { for: "192.0.2.60", proto: "http", by: "203.0.113.43" },
  ] as never);
  assertEquals(parseForwarded('for=192.0.2.43, for="[2001:db8:cafe::17]"'), [
    { for: "192.0.2.43" },
    { for: "[2001:db8:cafe::17]" },
  ]);
});

Deno.test("parseForwarded() takes quotes, escapes, blanks and empty members", () => {
  assertEquals(parseForwarded(', for="a\\"b\\\\" ;host="x, y;z=1" ,,proto=https,'), [
    { for: 'a"b\\', host: "x, y;z=1" },
    { proto: "https" },
  ]);
  assertEquals(parseForwarded(""), []);
});

Deno.test("parseForwarded() gives undefined for what is malformed", () => {
  for (
    const value of ['for="a', "for", "for=", "=a", "for=a b", "for=a;for=b", 'for="a"b', "for=a=b", 'fo"r=a', "a b=c"]
      .concat("f@r=a")
  ) {
    assertEquals(parseForwarded(value), undefined, value);
  }
});

Deno.test("parseForwarded() takes time in proportion to a hostile value", () => {
  const startMs = performance.now();
  for (const value of ['for="' + "\\a".repeat(30_000), ";".repeat(60_000), " ".repeat(60_000), "a=b;".repeat(15_000)]) {
    parseForwarded(value);
  }
  assertEquals(performance.now() - startMs < 2000, true);
});

Deno.test("nodeAddress() takes off brackets and port, and takes no names", () => {
  assertEquals(["1.2.3.4:80", "[2001:db8::1]:80", "2001:db8::1", "[::ffff:1.2.3.4]"].map(nodeAddress), [
    "1.2.3.4",
    "2001:db8::1",
    "2001:db8::1",
    "1.2.3.4",
  ]);
  for (const node of ["unknown", "_hidden", "", "1.2.3", "[::1", "a:80"]) {
    assertEquals(nodeAddress(node), undefined, node);
  }
});

Deno.test("forwardedElement() quotes and brackets as RFC 7239 asks", () => {
  assertEquals(forwardedElement("2001:db8::1", "[::1]:80", "https"), 'for="[2001:db8::1]";host="[::1]:80";proto=https');
  assertEquals(forwardedElement("::ffff:1.2.3.4", "a.b", "http"), "for=1.2.3.4;host=a.b;proto=http");
  assertEquals(forwardedElement("", 'a"\\', "http"), 'for=unknown;host="a\\"\\\\";proto=http');
});
