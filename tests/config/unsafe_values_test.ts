// @ts-types="../../types/std/assert.d.ts"
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { parseConfig } from "../../lib/generation/config/parse_config.ts";

const PROXY = `[[sites.proxy.upstreams]]
name = "u"
url = "http://127.0.0.1:1"
[[sites.proxy.routes]]
path = "/"
upstream = "u"
`;

function messages(text: string): string[] {
  return parseConfig(text, { checkFiles: false }).problems.map(({ line, message, expected }) =>
    `${line}: ${message}, expected ${expected}`
  );
}

Deno.test("header values with control characters are refused: the runtime would end the process on them", () => {
  for (const value of ["a\\u0001b", "\\u007f", "a\\nb"]) {
    const found = messages(`[[sites]]\n${PROXY}[sites.headers]\nX = "${value}"\n`);
    assertEquals(found.length, 1, value);
  }
  assertEquals(messages(`[[sites]]\n${PROXY}[sites.headers]\nX = "caf\\u00e9\\t!"\n`), []);
});

Deno.test("fields that frame messages cannot be set", () => {
  for (const name of ["Transfer-Encoding", "content-length", "Connection", "TE"]) {
    const found = messages(`[[sites]]\n${PROXY}[sites.proxy.headers.request.set]\n${name} = "x"\n`);
    assertEquals(found.length, 1, name);
    assertStringIncludes(found[0], "does not frame the message");
  }
});

Deno.test("a port that is asked for on all interfaces and on one is refused", () => {
  const found = messages(
    `[[sites]]\nhostname = "a"\nport = 81\n${PROXY}[[sites]]\nhostname = "b"\nport = 81\nlisten = "127.0.0.1"\n${PROXY}`,
  );
  assertEquals(found.length, 1);
  assert(found[0].startsWith("13: "), found[0]);
  assertStringIncludes(found[0], "all interfaces");
});

Deno.test("a rewrite_target that no request line can carry is refused", () => {
  assertEquals(messages(`[[sites]]\n${PROXY}rewrite_target = "/\\u000a"\n`).length, 1);
});
