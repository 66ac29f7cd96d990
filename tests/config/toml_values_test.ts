// @ts-types="../../types/std/assert.d.ts"
import { assert, assertEquals } from "@std/assert";
import { getStaticTOMLValue, parseTOML } from "toml-eslint-parser";
import { parseConfig } from "../../lib/generation/config/parse_config.ts";
import { ProblemList } from "../../lib/config/problem_list.ts";
import { formatPath, plainValue } from "../../lib/config/source_tree.ts";
import { readToml } from "../../lib/config/toml_document.ts";
import { readValues, UNREADABLE } from "../../lib/config/toml_values.ts";
import { quickestMs } from "../support/quickest.ts";

/** What `text` holds, and the paths of values that are refused. */
function read(text: string): { plain: unknown; refused: string[] } {
  const problems = new ProblemList("config.toml", text.split("\n"));
  const { root } = readToml(text, problems);
  return { plain: root === undefined ? undefined : plainValue(root), refused: problems.errors.map(({ path }) => path) };
}

Deno.test("readToml() reads the values of each kind of TOML alike in both parsers", () => {
  const kinds = [
    ...["0", "-0", "+5", "1_000", "0xDEADBEEF", "0o755", "0b1101", "9223372036854775807", "-9223372036854775808"],
    ...["0.1", "-0.0", "5e+22", "-2E-2", "224_617.445_991_228", "inf", "-inf", "nan", "+nan", "true", "false"],
    ...[
      '"x\\ty\\u00e9\\"\\\\"',
      "'C:\\x'",
      '""',
      '"""\nx\ny"""',
      '"""\\\n   x \\\n  y"""',
      "'''\nx'''",
      '"""a"b""c"""',
      "''''x''''",
    ],
    ...[
      "1979-05-27",
      "1979-05-27T07:32:00Z",
      "1979-05-27 07:32:00Z",
      "1979-05-27T00:32:00.999999-07:00",
      "1979-05-27T07:32:00",
    ],
    ...["[]", "[1, 2, ]", "[[1], ['x', {a = 1}]]", "{}", "{ a.b = 1, 'c d' = [true] }", "[ # comment\n1\n]"],
  ];
  const text = kinds.map((value, index) => `k${index} = ${value}\n`).join("") +
    'a.b.c = 1\na.b."d e" = 2\n"" = 3\n[t]\n[[l]]\nx = 1\n[[l]]\n[l.m]\ny = "z"\n[u.v]\nw = 1\n[u]\nx = 0';
  const { plain, refused } = read(text);
  assertEquals(refused, []);
  assertEquals(plain, getStaticTOMLValue(parseTOML(text)));
  assertEquals(read(text.replaceAll("\n", "\r\n")), { plain, refused });
});

Deno.test("readToml() takes tables in whatever order TOML lets them stand", () => {
  const text =
    '[[sites]]\nport = 1\n[[sites.proxy.upstreams]]\nname = "a"\n[sites.proxy]\nenabled = true\n[[sites]]\nport = 2\n';
  assertEquals(read(text), {
    plain: { sites: [{ port: 1, proxy: { upstreams: [{ name: "a" }], enabled: true } }, { port: 2 }] },
    refused: [],
  });
});

Deno.test("A value that the parsers read differently is refused, where it stands, and no other", () => {
  const cases: Readonly<Record<string, string>> = {
    "a character by eight digits": '"\\U0001F600"',
    "an escape that is newer than TOML 1.0": '"\\e"',
    "another one": '"\\x41"',
    "a time without a day": "07:32:00",
    "a date in lower case": "1987-07-05t17:45:00z",
  };
  for (const [name, value] of Object.entries(cases)) {
    const { refused, plain } = read(`before = 1\n[table]\nodd = ${value}\nlist = [1, ${value}]\nafter = "x"\n`);
    assertEquals(refused, ["table.odd", "table.list[1]"], name);
    assert(JSON.stringify(plain).includes('"after":"x"'), name);
  }
});

Deno.test("parseConfig() refuses a config with such a value, and says what to write", () => {
  const text = '[[sites]]\nname = "\\U0001F600"\nstatic_dir = "/"\nport = 80000\n';
  const { config, problems } = parseConfig(text, { checkFiles: false });
  assertEquals(config, undefined);
  assertEquals(problems.map(({ line, column, length, message }) => [line, column, length, message]), [
    [2, 8, 12, "readers of TOML do not agree on the value of name"],
    [4, 8, 5, "port is 80000"],
  ]);
});

Deno.test("Keys named after the prototype are keys like others", () => {
  const problems = new ProblemList("config.toml", []);
  const { root } = readToml("__proto__ = 1\nconstructor = 2\n[t]\n__proto__.x = 3\n", problems);
  assertEquals([...root?.entries.keys() ?? []].map((key) => formatPath([key])), ["__proto__", "constructor", "t"]);
  assertEquals(problems.errors, []);
});

Deno.test("readValues() reads the others when some cannot be read, and takes time in proportion", () => {
  assertEquals(readValues(["1", '"\\e"', "'x'", "07:99", "true"]), [1, UNREADABLE, "x", UNREADABLE, true]);
  assertEquals(readValues([]), []);
  const raws = (count: number) =>
    Array.from({ length: count }, (_, index) => index % 2 === 0 ? `${index}` : `"v${index}"`);
  const timeOf = (values: string[]) => {
    const started = performance.now();
    readValues(values);
    return performance.now() - started;
  };
  timeOf(raws(2000));
  const small = Math.max(timeOf(raws(2000)), 1);
  const large = quickestMs(60 * small, () => timeOf(raws(20_000)));
  assert(large < 60 * small, `${large} ms for 20,000 values, ${small} ms for 2,000`);
});

Deno.test("A 0 that ends the file is a 0", () => {
  assertEquals(read("a = 0"), { plain: { a: 0 }, refused: [] });
  assertEquals(read("a = [1, 0]").plain, { a: [1, 0] });
});
