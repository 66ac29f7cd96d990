// @ts-types="../../types/std/assert.d.ts"
import { assertEquals } from "@std/assert";
import { parseConfig } from "../../lib/generation/config/parse_config.ts";

const SITE = '[[sites]]\nlisten = "127.0.0.1"\nstatic_dir = "."\n';

/** The problems of a config: path and message. */
function problems(text: string): string[] {
  const { problems: found } = parseConfig(text, { checkFiles: false });
  return found.map(({ path, message, expected, suggestion }) =>
    `${path}: ${message}${expected === undefined ? "" : `, expected ${expected}`}${
      suggestion === undefined ? "" : ` (${suggestion})`
    }`
  );
}

const first = (text: string) => problems(text)[0] ?? "";

Deno.test("access_log is a table, an output, true or false", () => {
  for (const value of ["true", "false", '"access.log"', '"syslog"', "{ enabled = false }", '{ format = "common" }']) {
    assertEquals(problems(`${SITE}access_log = ${value}\n`), [], value);
    assertEquals(problems(`[logging]\naccess_log = ${value}\n${SITE}`), [], value);
  }
});

Deno.test("Secrets are refused by name", () => {
  for (const name of ["Authorization", "Cookie", "X-API-Key", "Proxy-Authorization", "X-Auth-Token"]) {
    assertEquals(
      first(`${SITE}access_log = { request_headers = ["${name}"] }`),
      `sites[0].access_log.request_headers[0]: request_headers[0] is "${name}", which holds secrets, expected a header field without secrets`,
    );
  }
  assertEquals(problems(`${SITE}access_log = { response_headers = ["Set-Cookie"] }`).length, 1);
  for (const name of ["header.authorization", "response.set-cookie", "cookie.session", "query.api_key"]) {
    assertEquals(
      first(`${SITE}access_log = { format = "{client.ip} {${name}}" }`),
      `sites[0].access_log.format: format {${name}} would show a secret, expected placeholders that the access log has`,
    );
    assertEquals(
      first(`${SITE}access_log = { fields = { a = "{${name}}" } }`),
      `sites[0].access_log.fields.a: {${name}} would show a secret, expected text with placeholders`,
    );
  }
});

Deno.test("Unknown formats, fields and placeholders are refused with the nearest name", () => {
  assertEquals(first(`${SITE}access_log = { format = "comined" }`).endsWith("(combined)"), true);
  assertEquals(first(`${SITE}access_log = { fields = ["clinet"] }`).endsWith("(client)"), true);
  assertEquals(
    first(`${SITE}access_log = { format = "{client.ipp}" }`),
    "sites[0].access_log.format: format {client.ipp} is not known, did you mean {client.ip}?, " +
      "expected placeholders that the access log has",
  );
});

Deno.test("What has no effect in a format is refused, also where the format is that of the site or the server", () => {
  const expected = 'has no effect in this format, whose fields are fixed, expected format = "json" or "w3c"';
  assertEquals(
    first(`${SITE}access_log = { format = "common", fields = ["client"] }`),
    `sites[0].access_log.fields: fields ${expected}`,
  );
  assertEquals(
    first(`[logging]\nformat = "combined"\n${SITE}access_log = { request_headers = ["X-A"] }`),
    `sites[0].access_log.request_headers: request_headers ${expected}`,
  );
});

Deno.test("w3c needs a file of its own, with the same fields for all who write it", () => {
  const message = 'the format "w3c" is for files with these lines alone, as their first lines name the fields';
  assertEquals(first(`${SITE}access_log = { format = "w3c" }`).includes(message), true);
  assertEquals(first(`${SITE}access_log = { format = "w3c", output = "syslog" }`).includes(message), true);
  assertEquals(problems(`${SITE}access_log = { format = "w3c", output = "a.log" }`), []);
  const other = SITE.replace("127.0.0.1", "127.0.0.2");
  const [same, different] = ['"client"', '"status"'].map((fields) =>
    problems(
      `${SITE}access_log = { format = "w3c", output = "a.log", fields = ["client"] }\n` +
        `${other}access_log = { format = "w3c", output = "a.log", fields = [${fields}] }`,
    )
  );
  assertEquals(same, []);
  assertEquals(different.length, 1);
});

Deno.test("[logging.rotate] needs to know when, and an output a form that is known", () => {
  assertEquals(
    first(`[logging.rotate]\nkeep = 3\n${SITE}`),
    "logging.rotate: [logging.rotate] has neither size nor every, expected when files are rotated",
  );
  assertEquals(problems(`[logging.rotate]\nsize = "10MB"\nkeep_for = "90d"\n${SITE}`), []);
  assertEquals(problems(`[logging]\noutput = "syslog+tcp://logs.example:601"\n${SITE}`), []);
  assertEquals(problems(`[logging]\noutput = "syslog://logs.example"\n${SITE}`).length, 1);
});

Deno.test("The examples of docs/logging.md are accepted without a warning", async () => {
  const text = await Deno.readTextFile(new URL("../../docs/logging.md", import.meta.url));
  const examples = [...text.matchAll(/```toml\n([^]*?)```/g)].map(([, example]) => example);
  assertEquals(examples.length, 3);
  for (const example of examples) {
    const { problems, warnings } = parseConfig(example, { checkFiles: false });
    assertEquals([...problems, ...warnings], [], example);
  }
});
