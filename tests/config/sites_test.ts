import { sentenceOf } from "../../lib/config/problem.ts";
import { assertErrors, assertWarnings } from "./marked_config.ts";
// @ts-types="../../types/std/assert.d.ts"
import { assertEquals } from "@std/assert";
import { parseConfig } from "../../lib/generation/config/parse_config.ts";

const SITE = '[[sites]]\nstatic_dir = "/"\n';

function accepted(text: string) {
  const { config, problems } = parseConfig(text, { checkFiles: false });
  assertEquals(problems, []);
  return config;
}

Deno.test("parseConfig() refuses two sites of one host and port, without regard to case and list", () => {
  assertErrors(
    `${SITE}hostname = "Example.com"\n${SITE}hostname = "b.test"\nhostnames = ["c.test", «"example.COM"»]\n`,
    ['another site serves host "example.com" on port 8080 (line 3), expected one site for each host and port'],
  );
});

Deno.test("parseConfig() refuses two sites for any host on one port", () => {
  assertErrors(`${SITE}${SITE.replace("[[sites]]", "«[[sites]]»")}`, [
    "another site serves any host on port 8080 (line 1), expected one site for each host and port",
  ]);
  assertErrors(`${SITE}port = 80\n${SITE}port = 80\nhostname = «"*"»`, [
    "another site serves any host on port 80 (line 1), expected one site for each host and port",
  ]);
});

Deno.test("parseConfig() compares hosts for each listening address alone", () => {
  accepted(`${SITE}listen = "127.0.0.1"\n${SITE}listen = "127.0.0.2"\n${SITE}port = 81`);
  assertErrors(`${SITE}listen = "::1"\n${SITE.replace("[[sites]]", "«[[sites]]»")}listen = "0:0::1"`, [
    "another site serves any host on port 8080 (line 1), expected one site for each host and port",
  ]);
});

Deno.test("parseConfig() lets sites with port 0 have the same hosts, because each gets a port of its own", () => {
  accepted(`${SITE}port = 0\ndefault = true\n${SITE}port = 0\ndefault = true`);
});

Deno.test("parseConfig() refuses two default sites on one port", () => {
  assertErrors(`${SITE}hostname = "a"\ndefault = true\n${SITE}hostname = "b"\ndefault = «true»\n`, [
    "another site is the default on port 8080 (line 4), expected one default site for each port",
  ]);
  accepted(`${SITE}hostname = "a"\ndefault = true\n${SITE}hostname = "b"\nport = 81\ndefault = true\n`);
});

Deno.test("parseConfig() refuses a site that neither serves files nor proxies", () => {
  assertErrors('«[[sites]]»\nhostname = "a"\n«[[sites]]»\n[sites.proxy]\nenabled = false', [
    "the site neither serves files nor proxies, expected static_dir, [sites.proxy] or both",
    "the site's proxy is not enabled, and it serves no files, expected static_dir, [sites.proxy] or both",
  ]);
});

Deno.test("parseConfig() refuses two sites of one name", () => {
  assertErrors(`${SITE}name = "a"\n${SITE}name = «"a"»\nport = 1`, [
    'two sites are named "a" (line 3), expected unique names',
  ]);
});

Deno.test("Sites without a name get their first host name or a number, and stay unique", () => {
  const config = accepted(
    `${SITE}hostname = "A.test"\n${SITE}hostnames = ["a.test", "b"]\nport = 81\n${SITE}${SITE}name = "site-5"\nport = 1\n${SITE}port = 2`,
  );
  assertEquals(config?.sites.map((site) => site.name), ["a.test", "a.test:81", "site-3", "site-5", "site-5 site-5"]);
});

Deno.test("parseConfig() refuses ports out of range and addresses that are none", () => {
  assertErrors(`${SITE}port = «65536»\nlisten = «"localhost"»\n${SITE}port = «-1»\n${SITE}port = «80.5»`, [
    "port is 65536, expected a whole number from 0 to 65535",
    'listen is "localhost", expected an IP address without brackets',
    "port is -1, expected a whole number from 0 to 65535",
    "port is 80.5, expected a whole number from 0 to 65535",
  ]);
});

Deno.test("parseConfig() checks try_files, index_files, internal_api and the cache", () => {
  accepted(`${SITE}try_files = ["$path", "$path.html", "$path/", "/index.html", "=404"]\ninternal_api = "/_bws"`);
  assertErrors(
    `${SITE}try_files = [«"=404"», «"index.html"», "/x"]
index_files = [«"a/b.html"»]
internal_api = «"api"»
[sites.cache]
control = "no-store"
max_age = «5»
«[[sites.cache.rules]]»
control = "x"
`,
    [
      'try_files goes on after "=404", expected "=404" at the end only',
      'try_files[1] is "index.html", expected a path that begins with "/" or "$path", or "=404" (did you mean "/index.html"?)',
      'index_files[0] is "a/b.html", expected a file name without a folder and without spaces',
      'internal_api is "api", expected true, false, or a path prefix that begins with "/"',
      "cache has both control and max_age, expected one of them",
      "the rule does not say what it is for, expected path, extensions or both",
    ],
  );
});

Deno.test("parseConfig() refuses error pages for statuses that are no errors", () => {
  assertErrors(
    `${SITE}[sites.error_pages]\n«200» = "a.html"\n«"3xx"» = "a.html"\n"4xx" = "a.html"\n404 = "a.html"\n404.1 = 2`
      .replace(
        "\n404.1 = 2",
        "",
      ),
    [
      'invalid key "200" in [sites.error_pages], expected a status from 400 to 599, or "4xx" or "5xx"',
      'invalid key "3xx" in [sites.error_pages], expected a status from 400 to 599, or "4xx" or "5xx"',
    ],
  );
});

Deno.test("parseConfig() refuses a management API that others can reach without a key", () => {
  const expected =
    "an api_key, or a loopback address such as 127.0.0.1: whoever reaches the management API controls the server";
  assertErrors(`${SITE}[management]\nenabled = true\nhost = «"0.0.0.0"»`, [
    `management.host is "0.0.0.0" and there is no api_key, expected ${expected}`,
  ]);
  for (const host of ["127.0.0.1", "127.8.8.8", "::1", "localhost"]) {
    accepted(`${SITE}[management]\nenabled = true\nhost = "${host}"`);
  }
  accepted(`${SITE}[management]\nenabled = true\nhost = "0.0.0.0"\napi_key = "0123456789abcdef"`);
  accepted(`${SITE}[management]\nhost = "0.0.0.0"`);
});

Deno.test("Mistakes of several keys are found even where other keys have wrong types", () => {
  assertErrors(`${SITE}hostname = "a"\nbrowse = «"x"»\n[[sites]]\nstatic_dir = «5»\nhostname = «"A"»\n`, [
    'browse is "x", expected true or false',
    "static_dir is 5, expected the path of a folder",
    'another site serves host "a" on port 8080 (line 3), expected one site for each host and port',
  ]);
});

Deno.test("Host names of any script are taken in the form that travels, and are compared in it", () => {
  const { config } = parseConfig(
    `[server]\n[management]\nhosts = ["m\u00fcnchen.example"]\n` +
      `${SITE}hostname = "B\u00fccher.example"\nhostnames = ["*.b\u00fccher.example", "\u4f8b\u3048.test.", "\u1e9e.example", "stra\u00dfe.example"]`,
    { checkFiles: false },
  );
  assertEquals(config?.sites[0].hostname, "xn--bcher-kva.example");
  assertEquals(config?.sites[0].hostnames, [
    ...["*.xn--bcher-kva.example", "xn--r8jz45g.test", "xn--zca.example", "xn--strae-oqa.example"],
  ]);
  assertEquals(config?.management.hosts, ["xn--mnchen-3ya.example"]);
  assertErrors(`${SITE}hostname = "b\u00fccher.example"\n${SITE}hostname = «"XN--BCHER-KVA.example"»`, [
    'another site serves host "xn--bcher-kva.example" on port 8080 (line 3), expected one site for each host and port',
  ]);
});

Deno.test("Host names that are none in any script are refused, and say what is one", () => {
  const expected =
    'expected a host name without scheme, port and path: "example.com", "b\u00fccher.example", "*.example.com", ' +
    '"192.0.2.1", "[::1]" or "*"';
  const names = [
    ...[
      "b\u00fccher.example/x",
      "b\u00fccher.example:80",
      "\uff11\uff12\uff17.0.0.1",
      "b\u00fc cher",
      "b\u00fc@x",
      "*.*.b\u00fc",
    ],
    ...["xn--a-\u00fc", "b\u00fc..x", "\u00fc".repeat(64)],
  ];
  for (const name of names) {
    const problems = parseConfig(`${SITE}hostname = ${JSON.stringify(name)}`, { checkFiles: false }).problems.map(
      sentenceOf,
    );
    assertEquals(problems.length, 1, name);
    assertEquals(problems[0].startsWith(`hostname is ${JSON.stringify(name)}, ${expected}`), true, problems[0]);
  }
});

Deno.test("parseConfig() refuses proxy_protocol that differs on one port, that nobody is trusted for, or that has no effect", () => {
  const trusting = '[server]\ntrusted_proxies = ["10.0.0.1"]\n';
  accepted(`${trusting}${SITE}hostname = "a"\nproxy_protocol = true\n${SITE}hostname = "b"\nproxy_protocol = true\n`);
  accepted(`${trusting}${SITE}port = 0\nproxy_protocol = true\n${SITE}port = 0\n`);
  assertErrors(`${trusting}${SITE}hostname = "a"\n${SITE}hostname = "b"\nproxy_protocol = «true»\n`, [
    "another site of port 8080 has proxy_protocol = false (line 3), expected the same proxy_protocol for all sites of a port",
  ]);
  assertErrors(`${SITE}proxy_protocol = «true»\n`, [
    "proxy_protocol is true, and no proxy is trusted, expected the addresses of the proxies in front in server.trusted_proxies",
  ]);
  assertErrors(`${trusting}listener = "runtime"\n${SITE}proxy_protocol = «true»\n`, [
    'proxy_protocol is true, and the server of the runtime does not know it, expected server.listener = "own"',
  ]);
});

Deno.test("parseConfig() warns of server.limits that have no effect with the runtime's listener", () => {
  accepted(`[server]\nlistener = "own"\n[server.limits]\nidle_timeout = "5s"\n${SITE}`);
  assertWarnings(`[server]\nlistener = "runtime"\nlimits = «{ idle_timeout = "5s" }»\n${SITE}`, [
    '[server.limits] has no effect with listener = "runtime", expected server.listener = "own"',
  ]);
  const before = Deno.env.get("BWS_LISTENER");
  Deno.env.set("BWS_LISTENER", "runtime");
  try {
    assertWarnings(`[server]\nlimits = «{ idle_timeout = "5s" }»\n${SITE}`, [
      '[server.limits] has no effect: BWS_LISTENER is runtime, expected server.listener = "own"',
    ]);
  } finally {
    if (before === undefined) Deno.env.delete("BWS_LISTENER");
    else Deno.env.set("BWS_LISTENER", before);
  }
});

Deno.test("parseConfig() takes limits of a port from one of its sites, and refuses two values on one port", () => {
  const site = (host: string, limits: string, port = 8080) =>
    `${SITE}hostname = "${host}"\nport = ${port}\nlimits = { ${limits} }\n`;
  accepted(`${site("a", 'idle_timeout = "5s"')}${site("b", 'idle_timeout = "5s", max_requests = 9')}${SITE}`);
  accepted(`${site("a", 'idle_timeout = "5s"')}${site("b", 'idle_timeout = "6s"', 8081)}`);
  accepted(`${site("a", "max_requests = 1", 0)}${site("b", "max_requests = 2", 0)}`);
  assertErrors(
    `${site("a", 'idle_timeout = "5s", max_requests = 1')}${site("b", "idle_timeout = «6», max_requests = 1")}`,
    [
      'another site of port 8080 has idle_timeout = "5s" (line 5), expected one idle_timeout for all sites of a port',
    ],
  );
});

Deno.test("parseConfig() warns of limits of sites that have no effect with the runtime's listener", () => {
  assertWarnings(`[server]\nlistener = "runtime"\n${SITE}limits = «{ max_requests = 1 }»\n`, [
    '[sites.limits] has no effect with listener = "runtime", expected server.listener = "own"',
  ]);
});
