// @ts-types="../../types/std/assert.d.ts"
import { assert, assertEquals } from "@std/assert";
import { parseConfig } from "../../lib/generation/config/parse_config.ts";
import { formatProblems, sentenceOf } from "../../lib/config/problem.ts";
import { assertErrors } from "./marked_config.ts";

const VALUE = "a value: text in quotes, a number, true, false, a list or a table";
const SITE = '[[sites]]\nstatic_dir = "/"\n';

/** Broken TOML and what is said about it. */
const CASES: [name: string, marked: string, ...sentences: string[]][] = [
  ["text without quotes", `${SITE}name = «www»`, 'found "www", expected text in quotes: name = "www"'],
  ["a key without an equals sign", `${SITE}port «80»`, 'found "80", expected "=" after the key: port = 80'],
  ["two values", `${SITE}port = 80 «90»`, 'found "90", expected the end of the line'],
  ["a duplicate key", `${SITE}port = 80\n«port» = 80`, "port is defined twice, expected each key and table once"],
  ["a duplicate table", `${SITE}[server]\n[«server»]\n`, "server is defined twice, expected each key and table once"],
  [
    "a duplicate key in an inline table",
    `${SITE}headers = { x = "1", «x» = "2" }`,
    "x is defined twice, expected each key and table once",
  ],
  ["a list without commas", `${SITE}hostnames = ["a" «"»b"]`, 'found "\\"", expected "," between values'],
  [
    "an unknown escape",
    `${SITE}name = "C:\\«d»ir"`,
    "an unknown escape in a text, expected a known one such as \\n, or 'single quotes'",
  ],
];

for (const [name, marked, ...sentences] of CASES) {
  Deno.test(`parseConfig() points at ${name}`, () => assertErrors(marked, sentences));
}

Deno.test("parseConfig() points behind the end of a line that stops too early", () => {
  const text = '[[sites]]\nstatic_dir = "/"\nname = "www\nport = 80000\n[server\nworkers = 0\nname = ';
  assertErrorLines(text, [
    [3, 12, "a text has no end, expected a closing quote"],
    [4, 8, "port is 80000, expected a whole number from 0 to 65535"],
    [5, 8, "the line ends, expected a closing bracket of the table's name"],
    [6, 11, 'workers is 0, expected a whole number from 1 to 256, or "auto"'],
    [7, 8, `a value is missing, expected ${VALUE}`],
  ]);
});

Deno.test("parseConfig() reports syntax errors and mistakes of other lines together, each once", () => {
  assertErrors(
    `[[sites]]
port «80»
static_dir = "/"
[sites.proxy]
[[sites.proxy.upstreams]]
name = «app»
url = «"ftp://x"»
[[sites.proxy.routes]]
upstream = "app"
path = «"api"»
[server]
workers = 1
«workers» = 2`,
    [
      'found "80", expected "=" after the key: port = 80',
      'found "app", expected text in quotes: name = "app"',
      'url is "ftp://x", expected a URL that begins with http://, https://, h2c://, unix:/ or, for SRV records, srv+http://, srv+https:// or srv+h2c://',
      'path is "api", expected a path that begins with "/" and holds no spaces',
      "workers is defined twice, expected each key and table once",
    ],
  );
});

Deno.test("parseConfig() does not guess behind a list that has no end", () => {
  assertErrors(`[[sites]]\nhostnames = ["a",\n«port» = 80\nname = 5\n`, [
    `found "port", expected a key, a table's [name], or ${VALUE}`,
  ]);
});

Deno.test("parseConfig() does not say what an api_key without quotes is", () => {
  const { problems } = parseConfig(`${SITE}[management]\napi_key = hunter2\n`, { checkFiles: false });
  assertEquals(problems.length, 1);
  assert(!formatProblems(problems).includes("hunter2"));
});

function assertErrorLines(text: string, expected: [line: number, column: number, sentence: string][]): void {
  const { problems } = parseConfig(text, { checkFiles: false });
  assertEquals(problems.map((problem) => [problem.line, problem.column, sentenceOf(problem)]), expected);
}
