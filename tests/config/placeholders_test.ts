// @ts-types="../../types/std/assert.d.ts"
import { assertEquals } from "@std/assert";
import { parseConfig } from "../../lib/generation/config/parse_config.ts";
import { assertErrors, assertWarnings, PROXY } from "./marked_config.ts";

Deno.test("Placeholders of header fields are checked by where they stand", () => {
  assertErrors(
    `${PROXY}[sites.proxy.headers.request.set]
X-Status = «"{status}"»
[sites.proxy.headers.add]
X-Took = «"{duration}"»
[sites.proxy.headers.response.set]
X-Fine = "{status} {upstream.name} {header.X-A}"`,
    [
      "set.X-Status {status} is not known before there is a response, expected a placeholder that is known, or {{status}} for the text {status}",
      "add.X-Took {duration} is not known before there is a response, expected a placeholder that is known, or {{duration}} for the text {duration}",
    ],
  );
});

Deno.test("Host takes no placeholder, on a proxy and on a route", () => {
  const sentence = "Host has a placeholder, expected preserve_host = true for the client's Host, " +
    "or preserve_host = false for that of the upstream's URL";
  assertErrors(`${PROXY}[sites.proxy.headers.request.set]\nHost = «"{host}"»`, [`set.Host ${sentence}`]);
  assertErrors(`${PROXY}[sites.proxy.routes.headers.add]\nhost = «"{upstream.host}"»`, [`host ${sentence}`]);
});

Deno.test("A name that is almost a placeholder is text, and warned of with the one that is meant", () => {
  const known = (text: string) =>
    `which is sent as it is written, expected a placeholder that is known, or {${text}} for the text ${text}`;
  assertWarnings(
    `${PROXY}[sites.headers]
X-A = «"from {clinet.ip}"»
X-B = "{each} {{client.pi}} {\\"a\\":1}"
X-C = «"{client.addr}"»
[[sites.response_headers.when]]
status = 404
set = { X-D = «"{headr.X-Tag}"» }
[sites.proxy.routes.headers.request.set]
X-E = «"{upstream.hots}"»`,
    [
      `headers.X-A holds "{clinet.ip}", ${known("{clinet.ip}")} (did you mean "from {client.ip}"?)`,
      `headers.X-C holds "{client.addr}", ${known("{client.addr}")}`,
      `set.X-D holds "{headr.X-Tag}", ${known("{headr.X-Tag}")} (did you mean "{header.X-Tag}"?)`,
      `set.X-E holds "{upstream.hots}", ${known("{upstream.hots}")} (did you mean "{upstream.host}"?)`,
    ],
  );
});

Deno.test("Placeholders of fixed responses may be named parts, and JSON is no placeholder", () => {
  const text = (body: string) =>
    `[[sites]]\n[[sites.respond]]\npath = "/u/:id"\nbody = '${body}'\nheaders = { X-Id = "{id}" }\n`;
  assertEquals(parseConfig(text('{"id":"{id}","ok":true}')).problems, []);
  const [{ message, suggestion }] = parseConfig(text("{idd} {pathh}")).problems;
  assertEquals([message.slice(0, 18), suggestion], ["{idd} is not known", "{id} {pathh}"]);
});
