// @ts-types="../../types/std/assert.d.ts"
import { assert, assertEquals } from "@std/assert";
import { formatProblems } from "../../lib/config/problem.ts";
import { parseConfig } from "../../lib/generation/config/parse_config.ts";
import { assertErrors, assertWarnings } from "./marked_config.ts";

const SITE = '[[sites]]\nstatic_dir = "."\n';
const TOO_SHORT = "api_key is too short (not shown), expected text of at least 16 characters";

function management(keys: string): string {
  return `[management]\nenabled = true\n${keys}\n`;
}

Deno.test("parseConfig() refuses a short api_key where others can reach the port, and warns of it on loopback", () => {
  for (const key of ["k", "0123456789abcde"]) {
    const text = management(`host = "HOST"\napi_key = "${key}"`) + SITE;
    const open = parseConfig(text.replace("HOST", "10.0.0.1"), { checkFiles: false });
    assertEquals(open.problems.map(({ line, column }) => [line, column]), [[4, 11]]);
    assertEquals(open.problems.map(({ message, expected }) => `${message}, expected ${expected}`), [TOO_SHORT]);
    assert(!formatProblems(open.problems).includes(`"${key}"`));
    const local = parseConfig(text.replace("HOST", "127.0.0.1"), { checkFiles: false });
    assertEquals([local.problems.length, local.warnings.length], [0, 1]);
    assert(!formatProblems(local.warnings).includes(`"${key}"`));
  }
  const [empty] = parseConfig(management('api_key = ""') + SITE, { checkFiles: false }).problems;
  assertEquals([empty.message, empty.expected], ['api_key is ""', "a key that is not empty"]);
  assertWarnings(management('host = "10.0.0.1"\napi_key = "0123456789abcdef"') + SITE, []);
  assertWarnings(`[management]\napi_key = "k"\n${SITE}`, []);
});

Deno.test("parseConfig() does not show a short api_key that comes from the environment", () => {
  const { problems } = parseConfig(management('host = "::"\napi_key = "${KEY}"') + SITE, { env: () => "hunter2" });
  assertEquals(problems.length, 1);
  assert(!JSON.stringify(problems).includes("hunter2"));
});

Deno.test("parseConfig() refuses a management port that a site asks for on an overlapping address", () => {
  const site = (name: string, keys: string) => `[[sites]]\nname = "${name}"\nstatic_dir = "."\n${keys}\n`;
  assertErrors(management("port = «8080»") + site("www", ""), [
    'management.port 8080 is also the port of site "www" (line 4), expected a port of its own',
  ]);
  assertErrors(`«[management]»\nenabled = true\n${site("other", "")}${site("www", "port = 7654")}`, [
    'management.port 7654 is also the port of site "www" (line 10), expected a port of its own',
  ]);
});

for (
  const [host, listen, clash] of [
    ["127.0.0.1", undefined, true],
    ["::1", undefined, true],
    ["127.0.0.1", "0.0.0.0", true],
    ["127.0.0.1", "::", true],
    ["localhost", "127.0.0.1", true],
    ["::1", "0:0::1", true],
    ["::", "127.0.0.1", true],
    ["127.0.0.2", "127.0.0.1", false],
    ["::1", "0.0.0.0", false],
    ["0.0.0.0", "::1", false],
    ["127.0.0.1", "::1", false],
    ["localhost", "10.0.0.1", false],
  ] as const
) {
  Deno.test(`parseConfig() ${clash ? "refuses" : "accepts"} one port for management on ${host} and a site on ${listen}`, () => {
    const keys = `host = "${host}"\nport = 8080\napi_key = "0123456789abcdef"`;
    const text = management(keys) + SITE + (listen === undefined ? "" : `listen = "${listen}"\n`);
    const find = (from: string) => parseConfig(from, { checkFiles: false }).problems.map(({ line }) => line);
    assertEquals(find(text), clash ? [4] : []);
    assertEquals(find(text.replace("enabled = true", "enabled = false")), []);
    assertEquals(find(text.replace("port = 8080", "port = 0")), []);
  });
}
