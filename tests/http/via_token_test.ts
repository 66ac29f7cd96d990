import { assertEquals } from "@std/assert";
import { isToken } from "../../lib/http/header_lines.ts";
import { viaToken } from "../../lib/http/via_token.ts";

Deno.test("viaToken() leaves a token as it is", () => {
  for (const name of ["bws", "a.example", "edge_1~x"]) assertEquals(viaToken(name), name);
});

Deno.test("viaToken() makes a token of any name", () => {
  const cases = [
    ["BWS Multi-Site Server", "BWS-Multi-Site-Server"],
    ["a,b;c/d:e", "a-b-c-d-e"],
    ["Müller 🦕", "M-ller--"],
    ['"(x)"\r\n', "--x----"],
    ["", "-"],
    ["x".repeat(1000), "x".repeat(100)],
  ];
  for (const [name, token] of cases) {
    assertEquals(viaToken(name), token);
    assertEquals(isToken(viaToken(name)), true);
  }
});
