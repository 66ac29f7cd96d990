// @ts-types="../../types/std/assert.d.ts"
import { assert, assertEquals, assertGreater } from "@std/assert";
import { parseConfig } from "../../lib/generation/config/parse_config.ts";
import { formatProblems, type Problem, sentenceOf } from "../../lib/config/problem.ts";

const FULL = Deno.readTextFileSync(new URL("../../examples/full.toml", import.meta.url));

/** What every value of a config holds in these tests. */
const CANARY = "cAnAry-5f1e";

/** Ways for a value to be wrong, or right: each text of the config gets one after the other. */
const SHAPES: readonly ((original: string) => string)[] = [
  () => CANARY,
  () => `${CANARY} ${"x".repeat(90)} ${CANARY}`,
  () => `http://user:${CANARY}@127.0.0.1:1/${CANARY}`,
  () => `http://127.0.0.1:1/${CANARY}?a=${CANARY}`,
  () => `ws://${CANARY}:1`,
  () => `${CANARY}.example:80`,
  () => `http://${CANARY}.example.:99999/x`,
  () => `/${CANARY}/%zz?x`,
  () => `/${CANARY}`,
  () => `./${CANARY}/folder`,
  () => `(${CANARY}`,
  () => `${CANARY}\n"\\\u0000`,
  () => `2${CANARY}`,
  (original) => `${original}${CANARY}`,
  (original) => `${original} ${CANARY}`,
  (original) => `${CANARY}${original}`,
];

/** `text` with every text in it replaced by a variable; how many there are. */
function withVariables(text: string): { text: string; originals: string[] } {
  const originals: string[] = [];
  const lines = text.split("\n").map((line) => {
    const code = line.replace(/^#+ ?(?=[a-z_"\[])/, "");
    const equals = code.indexOf("=");
    if (equals < 0 || code.startsWith("#")) return code.startsWith("#") ? "" : code;
    return code.slice(0, equals) + code.slice(equals).replace(/"([^"]*)"(?!\s*=)/g, (_, value: string) => {
      originals.push(value);
      return `"\${V${originals.length - 1}}"`;
    });
  });
  return { text: lines.join("\n"), originals };
}

function shownOf(problems: readonly Problem[]): string {
  return [JSON.stringify(problems), formatProblems(problems, { maxProblems: Infinity }), ...problems.map(sentenceOf)]
    .join("\n").toLowerCase();
}

Deno.test("No problem of a config shows a value that came by ${NAME}, however wrong it is", () => {
  const { text, originals } = withVariables(FULL);
  assertGreater(originals.length, 60);
  let count = 0;
  const check = (env: (name: string) => string, what: string) => {
    const { problems, warnings } = parseConfig(text, { env, baseDir: "/" });
    const shown = shownOf([...problems, ...warnings]);
    count += problems.length;
    const at = shown.indexOf(CANARY.toLowerCase().slice(0, 7));
    assert(at < 0, `${what}: ${shown.slice(Math.max(0, at - 300), at + 100)}`);
  };
  for (const [index, shape] of SHAPES.entries()) {
    check((name) => shape(originals[Number(name.slice(1))]), `all, shape ${index}`);
  }
  // One bad value in a good config gets to the checks across keys, which a config that is all bad does not
  for (const [place, original] of originals.entries()) {
    for (const [index, shape] of SHAPES.entries()) {
      // Each place gets one of the shapes, its neighbours the others
      if ((place + index) % SHAPES.length !== 0) continue;
      check(
        (name) => name === `V${place}` ? shape(original) : originals[Number(name.slice(1))],
        `V${place}, shape ${index}`,
      );
    }
  }
  assertGreater(count, originals.length);
});

Deno.test("Checks that compare several places do not show what came by ${NAME} either", () => {
  const env = (name: string) =>
    ({ NAME: CANARY, HOST: `${CANARY}.Example.`, POOL: `${CANARY}-pool`, NEAR: `${CANARY}-pools`, PATH: `/${CANARY}` })[
      name
    ];
  const site = (name: string, port: number) => `[[sites]]\nname = "${name}"\nhostname = "\${HOST}"\nport = ${port}\n`;
  const proxy = `[[sites.proxy.upstreams]]
name = "\${POOL}"
url = "http://127.0.0.1:2"
[[sites.proxy.upstreams]]
name = "other"
url = "http://127.0.0.1:2"
[[sites.proxy.routes]]
path = "\${PATH}"
upstream = "\${NEAR}"
[[sites.proxy.routes]]
path = "\${PATH}"
upstream = "\${POOL}"
`;
  const text = `[management]\nenabled = true\nport = 1\n${site("${NAME}", 1)}${proxy}${
    site("${NAME}", 1)
  }static_dir = "/"\n`;
  const { problems } = parseConfig(text, { env });
  assertEquals(problems.map(sentenceOf), [
    "management.port 1 is also the port of site ${NAME} (line 7), expected a port of its own",
    'unknown upstream ${NEAR}, expected one of "${POOL}", "other"',
    "two prefix routes have the path ${PATH} (line 15), expected another path, another kind, or methods that do not overlap",
    "two sites are named ${NAME} (line 5), expected unique names",
    "another site serves host ${HOST} on port 1 (line 6), expected one site for each host and port",
  ]);
  assert(!shownOf(problems).includes(CANARY.toLowerCase()));
});

Deno.test("Defaults of ${NAME:-default} are masked where they come into a message, too", () => {
  const { problems } = parseConfig('[[sites]]\nstatic_dir = "/"\nname = ""\nport = "${X:-hunter2-hunter2}"', {
    env: () => undefined,
  });
  assertEquals(problems.map(sentenceOf), [
    'name is "", expected text that is not empty',
    "port is ${X} (not shown), expected a whole number from 0 to 65535",
  ]);
});

Deno.test("Source lines hide what is a secret by its name, in every table and spelling, and keep their length", () => {
  const shown = (line: string) => {
    const { problems } = parseConfig(`[[sites]]\nstatic_dir = "/"\n${line}`, { checkFiles: false });
    assertGreater(problems.length, 0, line);
    return problems[0].sourceLine;
  };
  const cases: [line: string, expected: string][] = [
    ['password = "hunter2"', "password = *********"],
    ['headers = { "X-Api-Key" = "hunter2", "X-B" = "\\n" }', 'headers = { "X-Api-Key" = *********, "X-B" = "\\n" }'],
    [
      "headers = { Authorization = 'Bearer hunter2', X = \"\\n\" }",
      'headers = { Authorization = ****************, X = "\\n" }',
    ],
    ['x = "Basic aHVudGVyMg=="', "x = ********************"],
    ['x = "https://me:hunter2@example.com/"', 'x = "https://**********@example.com/"'],
    ["auth_token = hunter2", "auth_token = *******"],
    ['api_key = "hunter2', "api_key = ********"],
    [
      'secret = "hunter2-${X:-hunter2}-hunter2"',
      'secret = "********${X*********}********"'.replace("${X*********}", "${X**********"),
    ],
  ];
  for (const [line, expected] of cases) {
    assertEquals(shown(line), expected);
    assertEquals(expected.length, line.length);
  }
});
