// @ts-types="../../types/std/assert.d.ts"
import { assert, assertEquals } from "@std/assert";
import { parseConfig } from "../../lib/generation/config/parse_config.ts";
import { formatProblems, sentenceOf } from "../../lib/config/problem.ts";
import { assertErrors } from "./marked_config.ts";

const SITE = '[[sites]]\nstatic_dir = "/"\n';
const SITE_IN_TOML = 'expected TOML: [[sites]], and below it lines such as port = 8080 and static_dir = "www"';
const PROXY_IN_TOML =
  "expected TOML: [[sites]] with port = 8080, [[sites.proxy.upstreams]] with name and url, and [[sites.proxy.routes]] with path and upstream";

/** Files in other formats, and what is said about them: one sentence each. */
const FILES: readonly (readonly [name: string, marked: string, sentence: string])[] = [
  ["JSON", '«{»\n  "sites": [{ "port": 80 }]\n}', `the file is JSON, ${SITE_IN_TOML}`],
  ["JSON on one line", '«{"sites": [{"port": 80}]}»', `the file is JSON, ${SITE_IN_TOML}`],
  ["a JSON list", '\n«[{"port": 80}]»', `the file is JSON, ${SITE_IN_TOML}`],
  ["YAML", "# comment\n«sites:»\n  - port: 80\n    static_dir: .\n", `the file is YAML, ${SITE_IN_TOML}`],
  ["a YAML document", "«---»\nsites:\n- port: 80\n", `the file is YAML, ${SITE_IN_TOML}`],
  ["a line of YAML", "«port: 1»\n", `the file is YAML, ${SITE_IN_TOML}`],
  ["a Caddyfile", "«example.com {»\n\treverse_proxy localhost:3000\n}\n", `the file is a Caddyfile, ${PROXY_IN_TOML}`],
  [
    "a Caddyfile of a port",
    "«:8080 {»\n\troot * /www\n\tfile_server\n}\n",
    `the file is a Caddyfile, ${PROXY_IN_TOML}`,
  ],
  [
    "a short Caddyfile",
    "«localhost»\nreverse_proxy :3000\n".replace(
      "«localhost»\nreverse_proxy :3000",
      "localhost\n«reverse_proxy :3000»",
    ),
    `the file is a Caddyfile, ${PROXY_IN_TOML}`,
  ],
  [
    "a config of nginx",
    "user www;\n«server {»\n  listen 80;\n  location / { proxy_pass http://x; }\n}\n",
    `the file is a config of nginx, ${PROXY_IN_TOML}`,
  ],
  [
    "a config of HAProxy",
    "«global»\n  daemon\nfrontend f\n  bind *:80\n",
    `the file is a config of HAProxy, ${PROXY_IN_TOML}`,
  ],
  ["a config of Apache", "«<VirtualHost *:80>»\n</VirtualHost>\n", `the file is a config of Apache, ${PROXY_IN_TOML}`],
];

for (const [name, marked, sentence] of FILES) {
  Deno.test(`A file that is ${name} is recognized, and nothing else is said about it`, () =>
    assertErrors(marked, [sentence]));
}

/** Lines as other formats have them, in a file that is TOML. */
const LINES: readonly (readonly [name: string, marked: string, ...sentences: string[]])[] = [
  [
    "a colon",
    `${SITE}port«:» 1\nname«:» www # mine`,
    'found ":", expected "=" after the key: port = 1',
    'found ":", expected "=" after the key: name = "www"',
  ],
  ["a colon in braces", `${SITE}headers = { "X-A"«:» "b" }`, 'found ":", expected "=" after the key'],
  [
    "yes and no",
    `${SITE}browse = «yes»\ndotfiles = «Off»`,
    'found "yes", expected true',
    'found "Off", expected false',
  ],
  ["True", `${SITE}browse = «True»`, 'found "True", expected true'],
  ["null", `${SITE}name = «null»`, 'found "null", expected no such line: a key without a value is left out'],
  [
    "typographic quotes",
    `${SITE}name = «“www”»\nhostname = «‘a’»`,
    "found the typographic quote “, expected a straight one: \" or '",
    "found the typographic quote ‘, expected a straight one: \" or '",
  ],
  [
    "values without quotes",
    `${SITE}hostname = «example.com»\n[sites.headers]\nX-A = «/api»`,
    'found "example.com", expected text in quotes: hostname = "example.com"',
    'found "/api", expected text in quotes: X-A = "/api"',
  ],
  ["a text without quotes in a list", `${SITE}hostnames = ["a", «b»]`, 'found "b", expected text in quotes: "b"'],
  [
    "a duration without quotes",
    `${SITE}[server]\nshutdown_timeout = 30«s»`,
    'found "30s", expected text in quotes: shutdown_timeout = "30s"',
  ],
  ["a semicolon", `${SITE}port = 80«;»`, 'found ";", expected the end of the line, without ";"'],
  ["a comma", `${SITE}port = 80«,»`, 'found ",", expected the end of the line, without ","'],
  [
    "comments of other languages",
    `${SITE}«//» hello\nport = 80`,
    '"//" begins no comment, expected "#" before a comment',
  ],
  [
    "a comment behind a number",
    `${SITE}port = 28080 «//» main`,
    '"//" begins no comment, expected "#" before a comment',
  ],
  [
    "a comment behind a list of texts",
    `${SITE}hostnames = ["a", "b"] «/*» names */`,
    '"/*" begins no comment, expected "#" before a comment',
  ],
];

for (const [name, marked, ...sentences] of LINES) {
  Deno.test(`${name[0].toUpperCase()}${name.slice(1)} in a line: the problem says how TOML writes it`, () =>
    assertErrors(marked, sentences));
}

Deno.test("Tables of a site above the first [[sites]] are reported, with their place below it", () => {
  const upstream = 'name = "a"\nurl = "http://x"\n';
  const above = parseConfig(`[[sites.proxy.upstreams]]\n${upstream}[[sites]]\nport = 1\nstatic_dir = "/"\n`, {
    checkFiles: false,
  });
  assertEquals(above.problems.map((problem) => [problem.line, problem.column, problem.length, sentenceOf(problem)]), [[
    ...[1, 1, 25],
    "[[sites.proxy.upstreams]] stands above the first [[sites]] (line 4), expected [[sites]] first: the tables below it belong to it",
  ]]);
  const without = parseConfig(`[sites.proxy]\n[[sites.proxy.upstreams]]\n${upstream}`, { checkFiles: false });
  assertEquals(without.problems.map((problem) => [problem.line, sentenceOf(problem)]), [
    [1, "there is no [[sites]] above, expected [[sites]] first: the tables below it belong to it"],
  ]);
});

Deno.test("A secret is not shown, in whatever format it is written", () => {
  for (
    const text of [
      '{"management": {"api_key": "hunter2hunter2"}}',
      "management:\n  api_key: hunter2hunter2\n",
      `${SITE}[management]\napi_key: hunter2hunter2\n`,
      `${SITE}[management]\napi_key = hunter2hunter2\n`,
      `${SITE}[management]\napi_key hunter2hunter2\n`,
      `${SITE}[management]\napi_key = “hunter2hunter2”\n`,
    ]
  ) {
    const { problems } = parseConfig(text, { checkFiles: false });
    assert(problems.length > 0);
    assert(!formatProblems(problems).includes("hunter2"), formatProblems(problems));
  }
});

Deno.test("Long lines that look like many things take no longer than they are", () => {
  for (const piece of ["a: ", "{ ", "location ", '"a', ", b", "server {", "x = y ", "- "]) {
    const started = performance.now();
    parseConfig(`${piece.repeat(400_000 / piece.length)}\n`, { checkFiles: false });
    assert(performance.now() - started < 5000, piece);
  }
});
