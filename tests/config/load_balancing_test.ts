// @ts-types="../../types/std/assert.d.ts"
import { assert, assertEquals } from "@std/assert";
import type { PolicySettings } from "../../lib/upstream/balancer/policy_settings.ts";
import { POLICIES } from "../../lib/upstream/balancer/registry.ts";
import { jsonSchema } from "../../lib/config/json_schema.ts";
import { configSchema } from "../../lib/generation/config/config_schema.ts";
import { FALLBACK_NAMES, POLICY_NAMES } from "../../lib/upstream/config/load_balancing_schema.ts";
import { parseConfig } from "../../lib/generation/config/parse_config.ts";
import { sentenceOf } from "../../lib/config/problem.ts";
import { assertErrors, assertWarnings, PROXY } from "./marked_config.ts";

const TABLE = `${PROXY}[sites.proxy.load_balancing]\n`;
const COOKIE = `${TABLE}method = "cookie"\n[sites.proxy.load_balancing.cookie]\n`;

/** The method and its settings; other keys of the table are no matter of policies. */
function resolved(text: string): { method?: string } & PolicySettings {
  const { config, problems } = parseConfig(text);
  assertEquals(problems, []);
  const known = ["method", "header", "include_query", "balance_factor", "cookie"];
  const table = config?.sites[0].proxy?.load_balancing ?? {};
  return Object.fromEntries(Object.entries(table).filter(([key]) => known.includes(key)));
}

Deno.test("parseConfig() refuses an unknown policy, and accepts those that an embedder brings", () => {
  const names = POLICY_NAMES.map((name) => `"${name}"`).join(", ");
  assertErrors(`${TABLE}method = «"least_connection"»`, [
    `unknown policy "least_connection", expected one of ${names} (did you mean "least_connections"?)`,
  ]);
  assertEquals(parseConfig(`${TABLE}method = "by_header"`, { policies: ["by_header"] }).problems, []);
});

Deno.test("parseConfig() knows every policy that there is", () => {
  assertEquals(POLICY_NAMES.toSorted(), Object.keys(POLICIES).sort());
  assertEquals(FALLBACK_NAMES.includes("cookie" as never), false);
  for (const method of POLICY_NAMES) {
    const header = method === "header_hash" ? '\nheader = "X-Tenant"' : "";
    assertEquals(resolved(`${TABLE}method = "${method}"${header}`).method, method);
  }
});

Deno.test("parseConfig() gives a policy its settings as they were written, and adds none", () => {
  assertEquals(resolved(PROXY), { method: "round_robin" });
  assertEquals(resolved(`${TABLE}method = "uri_hash"\ninclude_query = true\nbalance_factor = 0`), {
    method: "uri_hash",
    include_query: true,
    balance_factor: 0,
  });
  assertEquals(resolved(`${COOKIE}secret = "0123456789abcdef"\nmax_age = "400m"\nsecure = true\nsame_site = "none"`), {
    method: "cookie",
    cookie: { secret: "0123456789abcdef", max_age: 24_000_000, secure: true, same_site: "none" },
  });
});

Deno.test("parseConfig() takes settings of a policy from the environment", () => {
  const text = `${COOKIE}secure = "\${SECURE}"\nmax_age = "\${AGE}"\n`.replace(
    'method = "cookie"',
    'method = "cookie"\nbalance_factor = "${FACTOR}"',
  );
  const values: Record<string, string> = { SECURE: "true", AGE: "30s", FACTOR: "1.5" };
  const { config, problems } = parseConfig(text, { env: (name) => values[name] });
  assertEquals(problems, []);
  const { balance_factor, cookie } = config?.sites[0].proxy?.load_balancing ?? {};
  assertEquals([balance_factor, cookie?.secure, cookie?.max_age], [1.5, true, 30_000]);
});

Deno.test("parseConfig() refuses a balance factor at which keys could not be placed", () => {
  for (const factor of ["0.99", "-1", "101", "nan", '"1.5"', "0.5"]) {
    const { problems } = parseConfig(`${TABLE}method = "ip_hash"\nbalance_factor = ${factor}`);
    assertEquals(problems.map(({ expected }) => expected), ["0, or a number from 1 to 100"], factor);
  }
  for (const factor of ["0", "1", "1.0", "1.25", "100"]) {
    assertEquals(parseConfig(`${TABLE}method = "ip_hash"\nbalance_factor = ${factor}`).problems, [], factor);
  }
});

Deno.test("parseConfig() refuses header_hash without a header, also as a fallback", () => {
  assertErrors(`${TABLE}method = «"header_hash"»`, [
    'header_hash has no header to go by, expected header, such as header = "X-Tenant"',
  ]);
  assertErrors(`${COOKIE}fallback = «"header_hash"»`, [
    'header_hash has no header to go by, expected header, such as header = "X-Tenant"',
  ]);
  assertErrors(`${TABLE}method = "header_hash"\nheader = «"X Tenant"»`, [
    'header is "X Tenant", expected a header name: letters, digits and !#$%&\'*+-.^_`|~',
  ]);
});

Deno.test("parseConfig() warns of settings that the method does not look at", () => {
  assertWarnings(
    `${TABLE}method = "least_time"\n«header» = "X-A"\n«include_query» = true\n«balance_factor» = 2\n` +
      '[sites.proxy.load_balancing.«cookie»]\npath = "/"',
    [
      'header has no effect with the method "least_time", expected the method "header_hash"',
      'include_query has no effect with the method "least_time", expected the method "uri_hash"',
      'balance_factor has no effect with the method "least_time", expected the method "ip_hash", "uri_hash" or "header_hash"',
      'cookie has no effect with the method "least_time", expected the method "cookie"',
    ],
  );
  assertWarnings(`${TABLE}«cookie» = {}`, [
    'cookie has no effect with the method "round_robin", expected the method "cookie"',
  ]);
  assertWarnings(
    `${TABLE}method = "cookie"\nheader = "X-A"\nbalance_factor = 2\ncookie = { fallback = "header_hash" }`,
    [],
  );
  assertWarnings(`${TABLE}method = "own"\nheader = "X-A"`, [], { policies: ["own"] });
});

Deno.test("parseConfig() warns of weights that the method does not look at", () => {
  const upstream = '[[sites.proxy.upstreams]]\nname = "app"\nurl = "http://127.0.0.1:3002"\n';
  for (
    const [method, instead] of [["random", 'the method "weighted"'], [
      "first",
      "the upstreams in the order of preference",
    ]]
  ) {
    assertWarnings(`${TABLE}method = "${method}"\n${upstream}«weight» = 5`, [
      `weight has no effect with the method "${method}", expected ${instead}`,
    ]);
  }
  assertWarnings(`${TABLE}method = "round_robin"\n${upstream}weight = 5`, []);
});

Deno.test("parseConfig() refuses a cookie that no browser would keep", () => {
  assertErrors(`${COOKIE}same_site = «"none"»\nsecure = "auto"`, [
    'same_site is "none" for a cookie that is not secure, which browsers refuse, expected secure = true as well',
  ]);
  assertErrors(`${COOKIE}name = «"__Secure-to"»`, [
    'the name of the cookie begins with "__Secure-", so that browsers would refuse it, expected secure = true',
  ]);
  assertErrors(`${COOKIE}name = «"__Host-to"»\nsecure = true\npath = "/app"`, [
    'the name of the cookie begins with "__Host-", so that browsers would refuse it, expected secure = true, path = "/" and no domain',
  ]);
  resolved(`${COOKIE}name = "__Host-to"\nsecure = true`);
  resolved(`${COOKIE}name = "__Secure-to"\nsecure = true\ndomain = "a.test"`);
});

Deno.test("parseConfig() refuses parts of a cookie that would break its line, or mean nothing", () => {
  assertErrors(
    `${COOKIE}name = «"a;b"»\npath = «"/a; Secure"»\ndomain = «"a.test; Path=/"»\n` +
      'max_age = «"401h 3m"»\nsecure = «"yes"»\nsame_site = «"Lax"»\nfallback = «"cookie"»',
    [
      'name is "a;b", expected the name of a cookie: letters, digits and !#$%&\'*+-.^_`|~',
      'path is "/a; Secure", expected a path in ASCII that begins with "/" and holds no spaces and no ";"',
      'domain is "a.test; Path=/", expected a domain such as "example.com"',
      'max_age is "401h 3m", expected a duration above 0 to 400 days: seconds, or text such as "250ms", "30s", "1m30s", "1h", "7d" (did you mean "401h3m"?)',
      'secure is "yes", expected true, false or "auto"',
      'same_site is "Lax", expected one of "lax", "strict", "none" (did you mean "lax"?)',
      `fallback is "cookie", expected one of ${FALLBACK_NAMES.map((name) => `"${name}"`).join(", ")}`,
    ],
  );
  const [problem] = parseConfig(`${COOKIE}secret = "too short"`).problems;
  assertEquals(
    [sentenceOf(problem), problem.sourceLine],
    ["secret is too short (not shown), expected text of at least 16 characters", "secret = ***********"],
  );
  for (const age of ["0", '"401d"', "34560001"]) {
    assertEquals(parseConfig(`${COOKIE}max_age = ${age}`).problems.length, 1, age);
  }
});

Deno.test("jsonSchema() shows the defaults that policies have", () => {
  const text = JSON.stringify(jsonSchema(configSchema));
  for (const part of ['"default":"bws_upstream"', '"default":1.25', '"default":"weighted_round_robin"']) {
    assert(text.includes(part), part);
  }
});
