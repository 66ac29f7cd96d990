// @ts-types="../../types/std/assert.d.ts"
import { assert, assertEquals, assertLess } from "@std/assert";
import { parseConfig } from "../../lib/generation/config/parse_config.ts";
import { formatProblems } from "../../lib/config/problem.ts";

const MEGABYTE = 1_000_000;

/** Far above what each takes, far below what a loop that grows with the square of the input takes. */
const DEADLINE_MS = 20_000;

/** Texts that must be refused soon, and without an exception. */
const HOSTILE: Record<string, () => string> = {
  "a megabyte of brackets": () => "a = " + "[".repeat(MEGABYTE),
  "a megabyte of equals signs": () => "=".repeat(MEGABYTE),
  "a megabyte of noise": () => noise(MEGABYTE),
  "many broken lines": () => "port 80\n".repeat(MEGABYTE / 8),
  "tables in tables": () => "a = " + "{ a = ".repeat(50_000) + "1" + " }".repeat(50_000),
  "lists in lists": () => "sites = " + "[".repeat(2000) + "]".repeat(2000),
  "a dotted key of 100000 parts": () => `a${".a".repeat(100_000)} = 1`,
  "a header of 100000 parts": () => `[a${".a".repeat(100_000)}]`,
  "a bare key of a megabyte": () => `${"a".repeat(MEGABYTE)} = 1`,
  "a quoted key of a megabyte": () => `"${"a".repeat(MEGABYTE)}" = 1`,
  "a text of a megabyte": () => `[server]\nname = "${"a".repeat(MEGABYTE)}"`,
  "thousands of unknown keys": () => Array.from({ length: 20_000 }, (_, index) => `hostname${index} = 1`).join("\n"),
  "thousands of sites that clash": () => '[[sites]]\nport = "x"\n'.repeat(5000),
  "thousands of sites on one line": () => `sites = [${"{ port = -1 },".repeat(5000)}]`,
  "thousands of unknown upstreams": () =>
    "[[sites]]\n" + '[[sites.proxy.routes]]\npath="/"\nupstream="x"\n'.repeat(5000),
  "substitutions without an end": () => `[server]\nname = '${"${A:- ".repeat(20_000)}'`,
  "a file that is too long": () => " ".repeat(9 * MEGABYTE),
  "NUL bytes": () => "\0".repeat(1000),
  "names of the prototype": () => '__proto__ = 1\nconstructor = 2\n[[sites]]\n__proto__.port = "x"\ntoString = 1',
};

for (const [name, make] of Object.entries(HOSTILE)) {
  Deno.test(`parseConfig() refuses ${name} soon`, () => {
    const text = make();
    const start = performance.now();
    const { config, problems } = parseConfig(text, { env: () => undefined });
    const printed = formatProblems(problems);
    assertLess(performance.now() - start, DEADLINE_MS);
    assertEquals(config, undefined);
    assert(problems.length > 0);
    assertLess(printed.length, 200_000);
  });
}

Deno.test("Keys named after the prototype change no prototype", () => {
  const { config, problems } = parseConfig(
    '[[sites]]\nstatic_dir = "/"\n[sites.headers.__proto__]\nx = 1\n[__proto__]\nenabled = true\n',
    { lenient: true },
  );
  assertEquals(problems, []);
  const refused = parseConfig('[[sites]]\nstatic_dir = "/"\n[__proto__]\nenabled = true\n').problems;
  assertEquals(refused.map(({ path }) => path), ["__proto__"]);
  assertEquals(Reflect.get({}, "enabled"), undefined);
  assertEquals(Object.keys(config?.sites[0].headers ?? { missing: true }), []);
});

/** The same noise on every run, so that a failure can be repeated. */
function noise(length: number): string {
  let state = 12345;
  const codes = new Array<number>(length);
  for (let index = 0; index < length; index++) {
    state = (state * 1103515245 + 12345) % 2 ** 31;
    codes[index] = state >> 8 & 0xff;
  }
  return new TextDecoder("latin1").decode(new Uint8Array(codes));
}
