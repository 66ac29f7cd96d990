// @ts-types="../../types/std/assert.d.ts"
import { assert, assertEquals } from "@std/assert";
import { LISTENER_LIMITS } from "../../lib/listener/own/limits_schema.ts";
import { parseConfig } from "../../lib/generation/config/parse_config.ts";
import { formatProblems, sentenceOf } from "../../lib/config/problem.ts";
import { assertErrors, PROXY } from "./marked_config.ts";

const SITE = '[[sites]]\nstatic_dir = "/"\n';

function withVariables(variables: Record<string, string>) {
  return { env: (name: string) => variables[name], checkFiles: false };
}

Deno.test("${NAME} and ${NAME:-default} are replaced in text, and $${ stands for ${", () => {
  const text = `${SITE}name = "a-\${A}-\${B:-b}-\${C:-c}-\${D:-}-$\${A}-$A-$path"`;
  const { config, problems } = parseConfig(text, withVariables({ A: "1", B: "2", C: "" }));
  assertEquals(problems, []);
  assertEquals(config?.sites[0].name, "a-1-2-c--${A}-$A-$path");
});

Deno.test("What a variable holds is not replaced again", () => {
  const { config } = parseConfig(`${SITE}name = "\${A}"`, withVariables({ A: "${B}" }));
  assertEquals(config?.sites[0].name, "${B}");
});

Deno.test("Keys are not replaced", () => {
  const { config } = parseConfig(`${SITE}headers = { "$A" = "\${A}" }`, withVariables({ A: "1" }));
  assertEquals(config?.sites[0].headers, { $A: "1" });
});

Deno.test("A variable that is not set is reported at its place in the text", () => {
  assertErrors(
    `${SITE}name = "a \${A} «\${MISSING}» b «\${TOO}»"\nhostname = '''«\${HOST}»'''\nport = "«\${PORT}»"`,
    ["MISSING", "TOO", "HOST", "PORT"].map((name) =>
      `environment variable ${name} is not set, expected a value, or a default as in \${${name}:-default}`
    ),
    withVariables({ A: "1" }),
  );
});

Deno.test("What looks like a substitution and is none is reported", () => {
  assertErrors(
    `${SITE}name = "«\${A B}»"\nheaders = { x = "«\${}»", y = "«\${A-b}»", z = "«\${A»" }`.replace(
      "«${A B}»",
      "«${A» B}",
    ),
    ["${A", "${}", "${A-b}", "${A"].map((found) =>
      `${JSON.stringify(found)} is no substitution, expected \${NAME}, \${NAME:-default}, or $\${ for a literal \${`
    ),
    withVariables({ A: "1" }),
  );
});

Deno.test("Substituted text becomes a number or a boolean where one is expected", () => {
  const variables = withVariables({ PORT: "8081", YES: "true", SECONDS: "1.5", SIZE: "10KB", NUMBER: "42" });
  const { config, problems } = parseConfig(
    `[server]
workers = "\${NUMBER}"
shutdown_timeout = "\${SECONDS}"
max_body_size = "\${SIZE}"
name = "\${NUMBER}"
${SITE}port = "\${PORT}"
browse = "\${YES}"
internal_api = "\${NO:-false}"
`,
    variables,
  );
  assertEquals(problems.map(sentenceOf), []);
  assertEquals(config?.server, {
    name: "42",
    trusted_proxies: [],
    name_servers: [],
    limits: LISTENER_LIMITS,
    workers: 42,
    stream_close_delay: 5000,
    sockets: "auto",
    reuse_port: false,
    shutdown_delay: 0,
    max_body_size: 10_000,
    shutdown_timeout: 1500,
  });
  assertEquals([config?.sites[0].port, config?.sites[0].browse, config?.sites[0].internal_api], [8081, true, false]);
});

Deno.test("Substituted text that is no number is refused where one is expected, and so is text that only looks like one", () => {
  assertErrors(
    `${SITE}port = «"\${PORT}"»\nbrowse = «"true"»`,
    [
      "port is ${PORT} (not shown), expected a whole number from 0 to 65535",
      'browse is "true", expected true, without quotes',
    ],
    withVariables({ PORT: "http" }),
  );
});

Deno.test("Checks across keys see the substituted text", () => {
  assertErrors(
    `${PROXY}[[sites.proxy.routes]]\npath = "/x"\nupstream = «"\${POOL}"»`,
    ['unknown upstream ${POOL}, expected "app"'],
    withVariables({ POOL: "ap" }),
  );
});

Deno.test("An api_key is not shown in problems, wherever it comes from", () => {
  const fromVariable = parseConfig(`${SITE}[management]\napi_key = "\${KEY}"`, withVariables({ KEY: "hunter2\n" }));
  assertEquals(fromVariable.problems.length, 1);
  assert(!JSON.stringify(fromVariable.problems).includes("hunter2"));
  const literal = parseConfig(`${SITE}[management]\napi_key = "hunter2\\n"`, withVariables({}));
  assert(!JSON.stringify(literal.problems).includes("hunter2"));
  assertEquals(
    formatProblems(literal.problems).split("\n").slice(1),
    ["     4 | api_key = ***********", "       |           ^^^^^^^^^^^"],
  );
});
