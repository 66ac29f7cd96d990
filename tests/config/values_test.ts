// @ts-types="../../types/std/assert.d.ts"
import { assertEquals } from "@std/assert";
import { parseConfig } from "../../lib/generation/config/parse_config.ts";
import { sentenceOf } from "../../lib/config/problem.ts";
import { assertErrors, PROXY } from "./marked_config.ts";

const SITE = '[[sites]]\nstatic_dir = "/"\n';
const DURATION = 'a duration above 0 to 24 days: seconds, or text such as "250ms", "30s", "1m30s", "1h", "7d"';
const SIZE = 'a size above 0: bytes, or text such as "10MB", "512KiB", "1GiB"';

function accepted(text: string) {
  const { config, problems } = parseConfig(text, { checkFiles: false });
  assertEquals(problems.map(sentenceOf), []);
  if (config === undefined) throw new TypeError("A config without problems is missing");
  return config;
}

Deno.test("Durations come out in milliseconds", () => {
  const cases: [string, number][] = [
    ["30", 30_000],
    ["0.25", 250],
    ["1.1", 1100],
    ["0.0001", 1],
    ['"250ms"', 250],
    ['"30s"', 30_000],
    ['"1.5m"', 90_000],
    ['"1h"', 3_600_000],
    ['"1m30s"', 90_000],
    ['"1d2h3m4s5ms"', 93_784_005],
    ['"7d"', 604_800_000],
  ];
  for (const [written, ms] of cases) {
    assertEquals(accepted(`${SITE}[server]\nshutdown_timeout = ${written}`).server.shutdown_timeout, ms, written);
  }
});

Deno.test("Durations that are malformed, zero, negative or too long are refused", () => {
  for (
    const written of [
      "0",
      "-1",
      '"30"',
      '"30 s"',
      '"25d"',
      '"s5"',
      '"30s1m"',
      '"1m 30s"',
      '"s"',
      '""',
      '"-5s"',
      "inf",
      "nan",
      '"999h"',
      "1e300",
    ]
  ) {
    const report = parseConfig(`${SITE}[server]\nshutdown_timeout = ${written}`, { checkFiles: false });
    assertEquals(
      report.problems.map(({ expected, line, column }) => [expected, line, column]),
      [[DURATION, 4, 20]],
      written,
    );
  }
});

Deno.test("Sizes come out in bytes, with decimal and binary units", () => {
  const cases: [string, number][] = [
    ["1", 1],
    ["1_048_576", 1_048_576],
    ['"10MB"', 10_000_000],
    ['"10 mb"', 10_000_000],
    ['"512KiB"', 524_288],
    ['"1GiB"', 2 ** 30],
    ['"1.5TB"', 1.5e12],
    ['"9B"', 9],
  ];
  for (const [written, bytes] of cases) {
    assertEquals(accepted(`${SITE}max_body_size = ${written}`).sites[0].max_body_size, bytes, written);
  }
});

Deno.test("Sizes that are malformed, zero or no whole number of bytes are refused", () => {
  for (const written of ["0", "-1", "1.5", '"10"', '"10XB"', '"KB"', '"-1MB"', '"99999999TB"', "true"]) {
    const report = parseConfig(`${SITE}max_body_size = ${written}`, { checkFiles: false });
    assertEquals(
      report.problems.map(({ expected, line, column }) => [expected, line, column]),
      [[SIZE, 3, 17]],
      written,
    );
  }
});

Deno.test("Host names may be exact, wildcards, addresses and *", () => {
  for (const host of ["example.com", "*.Example.com", "localhost", "192.0.2.1", "[::1]", "*", "a_b.test", "x.test."]) {
    accepted(`${SITE}hostname = "${host}"`);
  }
});

Deno.test("Host names with a scheme, a port, a path or bad characters are refused, with the bare name suggested", () => {
  const cases: [string, string | undefined][] = [
    ["https://example.com", "example.com"],
    ["example.com:80", "example.com"],
    ["example.com/x", "example.com"],
    ["::1", "[::1]"],
    ["[::1]:80", "[::1]"],
    ["exa mple.com", undefined],
    ["*.*.com", undefined],
    ["a.*.com", undefined],
    ["*.192.0.2.1", undefined],
    ["256.1.1.1", undefined],
    ["-a.com", undefined],
    ["a..b", undefined],
    ["", undefined],
  ];
  for (const [host, suggestion] of cases) {
    const { problems } = parseConfig(`${SITE}hostname = "${host}"`, { checkFiles: false });
    assertEquals(problems.map((problem) => [problem.column, problem.suggestion]), [[12, suggestion]], host);
  }
});

Deno.test("Trusted proxies are addresses and networks", () => {
  const good = ["10.0.0.0/8", "192.0.2.1", "::1", "fd00::/8", "::ffff:192.0.2.1", "0.0.0.0/0"];
  assertEquals(
    accepted(`${SITE}[server]\ntrusted_proxies = ${JSON.stringify(good)}`).server.trusted_proxies,
    good,
  );
  for (
    const bad of ["10.0.0.0/33", "10.0.0.1/", "10.0.0/8", "::/129", "example.com", "010.0.0.1", "1.2.3.4/8/8", ":::"]
  ) {
    const { problems } = parseConfig(`${SITE}[server]\ntrusted_proxies = ["${bad}"]`, { checkFiles: false });
    assertEquals(problems.map((problem) => problem.column), [20], bad);
  }
});

Deno.test("Header names must be tokens, and header values must not end their line", () => {
  assertErrors(
    `${PROXY}[sites.headers]\n«"X A"» = "b"\n«"X:"» = "b"\nX-B = «"a\\r\\nb"»\nX-C = «"\\u0000"»\nX-D = «"€"»`,
    [
      'invalid key "X A" in [sites.headers], expected a header name: letters, digits and !#$%&\'*+-.^_`|~',
      'invalid key "X:" in [sites.headers], expected a header name: letters, digits and !#$%&\'*+-.^_`|~',
      'headers.X-B is "a\\r\\nb", expected text without line breaks and other control characters, in characters up to U+00FF',
      'headers.X-C is "\\u0000", expected text without line breaks and other control characters, in characters up to U+00FF',
      'headers.X-D is "€", expected text without line breaks and other control characters, in characters up to U+00FF',
    ],
  );
});

Deno.test("Header names to remove are a list or a table of booleans, and come out in lower case", () => {
  const listed = accepted(`${PROXY}[sites.proxy.headers]\nremove = ["X-A", "x-a", "X-B"]`);
  assertEquals(listed.sites[0].proxy?.headers.remove, ["x-a", "x-b"]);
  const table = accepted(`${PROXY}[sites.proxy.headers.request.remove]\nX-A = true\nX-B = false`);
  assertEquals(table.sites[0].proxy?.headers.request.remove, ["x-a"]);
  assertErrors(`${PROXY}[sites.proxy.headers]\nremove = { «"A B"» = true, X-C = «1» }\n`, [
    'invalid key "A B" in [sites.proxy.headers.remove], expected a header name: letters, digits and !#$%&\'*+-.^_`|~',
    "remove.X-C is 1, expected true or false",
  ]);
  assertErrors(`${PROXY}[sites.proxy.headers.response]\nremove = ["A", «"B C"»]\n`, [
    'remove[1] is "B C", expected a header name: letters, digits and !#$%&\'*+-.^_`|~',
  ]);
});

Deno.test("Expected statuses come out as ranges", () => {
  const config = accepted(`${PROXY}[sites.proxy.health_check]\nexpect_status = ["2xx", "300-399", 404, "410"]`);
  const ranges = [[200, 299], [300, 399], [404, 404], [410, 410]] as const;
  assertEquals(config.sites[0].proxy?.health_check.expect_status, [...ranges]);
  assertErrors(`${PROXY}[sites.proxy.health_check]\nexpect_status = [200, «"6xx"»]`, [
    'expect_status[1] is "6xx", expected a status, a range or a class, such as 200, "200-399" or "2xx"',
  ]);
});
