// @ts-types="../../types/std/assert.d.ts"
import { assertEquals } from "@std/assert";
import { parseConfig } from "../../lib/generation/config/parse_config.ts";
import { sentenceOf } from "../../lib/config/problem.ts";
import { assertErrors, assertWarnings, PROXY } from "./marked_config.ts";

const ROUTE = '[[sites.proxy.routes]]\nupstream = "app"\n';

function upstream(url: string): string {
  return `${PROXY.replace('"http://127.0.0.1:3000"', url)}`;
}

Deno.test("parseConfig() refuses a route whose upstream is unknown, and names the one that there is", () => {
  assertErrors(
    `${PROXY}${ROUTE.replace('"app"', '«"ap"»')}path = "/x"\n${ROUTE.replace('"app"', '«"zzz"»')}path = "/y"`,
    [
      'unknown upstream "ap", expected "app"',
      'unknown upstream "zzz", expected "app"',
    ],
  );
  assertErrors('[[sites]]\n[[sites.proxy.routes]]\npath = "/"\nupstream = «"app"»', [
    'unknown upstream "app", expected a name of [[sites.proxy.upstreams]], of which there are none',
  ]);
});

Deno.test("parseConfig() names the nearest upstream where there are several, and does not repeat the only one", () => {
  const other = '[[sites.proxy.upstreams]]\nname = "chat"\nurl = "http://127.0.0.1:3001"\n';
  assertErrors(`${PROXY}${other}${ROUTE.replace('"app"', '«"ap"»')}path = "/x"`, [
    'unknown upstream "ap", expected one of "app", "chat" (did you mean "app"?)',
  ]);
});

Deno.test("parseConfig() finds unknown upstreams where other keys have wrong types", () => {
  assertErrors(`${PROXY}websocket = «"yes"»\n${ROUTE.replace('"app"', '«"apq"»')}path = «7»`, [
    'websocket is "yes", expected true, without quotes',
    'unknown upstream "apq", expected "app"',
    'path is 7, expected a path that begins with "/" and holds no spaces',
  ]);
});

Deno.test("parseConfig() refuses weights that are no whole numbers from 1 to 65535", () => {
  for (const weight of ["0", "-1", "1.5", "65536", '"2"', "99999999999999999999"]) {
    const { problems } = parseConfig(upstream(`"http://x"\nweight = ${weight}`));
    const found = problems.map(({ line, column, expected }) => [line, column, expected]);
    const expected = `a whole number from 1 to 65535${weight === '"2"' ? ", without quotes" : ""}`;
    assertEquals(found, [[6, 10, expected]], weight);
  }
});

Deno.test("parseConfig() accepts upstream URLs with a base path, an address or a socket", () => {
  for (const url of ["http://x", "https://x:8443/base/", "http://[::1]:80", "unix:/run/app.sock", "HTTP://x"]) {
    assertEquals(parseConfig(upstream(`"${url}"`)).problems, [], url);
  }
});

Deno.test("parseConfig() refuses upstream URLs with a wrong scheme, query, fragment, credentials or port", () => {
  const cases: [url: string, expected: string, suggestion?: string][] = [
    [
      "ftp://x",
      "a URL that begins with http://, https://, h2c://, unix:/ or, for SRV records, srv+http://, srv+https:// or srv+h2c://",
    ],
    [
      "srv://_web._tcp.x",
      "a URL that begins with http://, https://, h2c://, unix:/ or, for SRV records, srv+http://, srv+https:// or srv+h2c://",
      "srv+http://_web._tcp.x",
    ],
    [
      "ws://x:1",
      "a URL that begins with http://, https://, h2c://, unix:/ or, for SRV records, srv+http://, srv+https:// or srv+h2c://",
      "http://x:1",
    ],
    [
      "wss://x",
      "a URL that begins with http://, https://, h2c://, unix:/ or, for SRV records, srv+http://, srv+https:// or srv+h2c://",
      "https://x",
    ],
    [
      "127.0.0.1:3000",
      "a URL that begins with http://, https://, h2c://, unix:/ or, for SRV records, srv+http://, srv+https:// or srv+h2c://",
      "http://127.0.0.1:3000",
    ],
    [
      "",
      "a URL that begins with http://, https://, h2c://, unix:/ or, for SRV records, srv+http://, srv+https:// or srv+h2c://",
    ],
    ["http://x/?a=1", "a URL without a query", "http://x/"],
    ["http://x/#a", "a URL without a fragment", "http://x/"],
    ["http://x:70000", "a port from 1 to 65535"],
    ["http://x:0", "a port from 1 to 65535"],
    ["http://", 'a URL with a valid host, such as "http://127.0.0.1:3000"'],
    ["http://x y", "a URL without spaces and backslashes"],
    ["http://x\\\\y", "a URL without spaces and backslashes"],
    ["unix:app.sock", 'an absolute path, such as "unix:/run/app.sock"'],
    ["unix:///app.sock", 'an absolute path, such as "unix:/run/app.sock"', "unix:/app.sock"],
  ];
  for (const [url, expected, suggestion] of cases) {
    const { problems } = parseConfig(upstream(`"${url}"`));
    const found = problems.map((problem) => [problem.line, problem.column, problem.expected, problem.suggestion]);
    assertEquals(found, [[5, 7, expected, suggestion]], url);
  }
  const [problem] = parseConfig(upstream('"http://me:secret@x"')).problems;
  assertEquals([problem.line, problem.column, problem.length, problem.sourceLine], [
    5,
    7,
    20,
    'url = "http://*********@x"',
  ]);
  assertEquals(
    sentenceOf(problem),
    'url holds credentials, expected a URL without them; send a header instead, as in headers.request.set."Authorization"',
  );
});

Deno.test("parseConfig() refuses tls for an upstream that does not use it", () => {
  assertErrors(upstream('"http://x"\n«tls» = { insecure_skip_verify = true }'), [
    'tls is given for "http://x", which does not use TLS, expected an https:// URL, or no tls',
  ]);
  assertEquals(parseConfig(upstream('"https://x"\ntls = { server_name = "y" }')).problems, []);
});

Deno.test("parseConfig() refuses two identical routes, and accepts those whose kind or methods differ", () => {
  assertErrors(
    `${PROXY}${ROUTE}path = «"/"»\n${ROUTE}path = "/a"\nmethods = ["get"]\n${ROUTE}path = «"/a"»\nmethods = ["GET", "PUT"]`,
    [
      'two prefix routes have the path "/" (line 7), expected another path, another kind, or methods that do not overlap',
      'two prefix routes have the path "/a" (line 14), expected another path, another kind, or methods that do not overlap',
    ],
  );
  const rest =
    `${ROUTE}path = "/"\nexact = true\n${ROUTE}path = "/a"\nmethods = ["GET"]\n${ROUTE}path = "/a"\nmethods = ["PUT"]\n`;
  assertEquals(parseConfig(`${PROXY}${rest}${ROUTE}path = "/"\npattern = true`).problems, []);
});

Deno.test("parseConfig() compares and checks route paths as routes match them", () => {
  assertErrors(`${PROXY}${ROUTE}path = "/api"\n${ROUTE}path = «"/%61pi"»\n${ROUTE}path = «"/50%"»\n`, [
    'two prefix routes have the path "/%61pi" (line 11), expected another path, another kind, or methods that do not overlap',
    'path "/50%" has a "%" without two hexadecimal digits, expected an encoded byte such as "%2F", or "%25" for the sign itself',
  ]);
});

Deno.test("parseConfig() refuses routes whose keys contradict each other", () => {
  assertErrors(
    `${PROXY}${ROUTE}path = "/a"\nexact = true\n«pattern» = true\n${ROUTE}path = "/b"\npattern = true\n«strip_prefix» = true\n` +
      `${ROUTE}path = "/c"\nstrip_prefix = true\nrewrite_target = "/"`,
    [
      "the route is both exact and a pattern, expected one of exact and pattern",
      "a pattern has no prefix to strip, expected rewrite_target, or no strip_prefix",
    ],
  );
});

Deno.test("parseConfig() refuses paths and methods that can match nothing", () => {
  assertErrors(
    `${PROXY}methods = [«"GTE"», "propfind", «"A B"»]\n${ROUTE}path = «"/("»\npattern = true\n${ROUTE}path = «"/a?b"»\n${ROUTE}path = «"b"»\nmethods = «[]»`,
    [
      'methods[0] is "GTE", expected a known HTTP method such as GET or POST (did you mean "GET"?)',
      'methods[2] is "A B", expected a known HTTP method such as GET or POST',
      'path "/(" is no URLPattern, expected the syntax of a URLPattern pathname, such as "/users/:id"',
      'path "/a?b" holds a query or a fragment, which routes do not see, expected a path alone, or pattern = true',
      'path is "b", expected a path that begins with "/" and holds no spaces',
      "methods is an empty list, expected at least one method",
    ],
  );
});

Deno.test("A health check is off without its table and on with it; interval has a twin", () => {
  const off = parseConfig(PROXY).config?.sites[0].proxy?.health_check;
  assertEquals([off?.enabled, off?.interval, off?.timeout], [false, 10_000, 2000]);
  const on = parseConfig(`${PROXY}[sites.proxy.health_check]\ninterval_seconds = 15`).config?.sites[0].proxy
    ?.health_check;
  assertEquals([on?.enabled, on?.interval], [true, 15_000]);
  assertErrors(`${PROXY}[sites.proxy.health_check]\ninterval = 1\n«interval_seconds» = 1`, [
    "health_check has both interval and interval_seconds, expected one of them",
  ]);
});

Deno.test("parseConfig() warns of a proxy without routes and of an upstream that no route uses", () => {
  assertWarnings('[[sites]]\n«[sites.proxy]»\n[[sites.proxy.upstreams]]\nname = "a"\nurl = "http://x"', [
    "the proxy has no routes, expected a [[sites.proxy.routes]] table",
  ]);
  assertWarnings(
    `${PROXY}[[sites.proxy.upstreams]]\nname = «"spare"»\nurl = "http://x"\n[[sites.proxy.upstreams]]\nname = "spare"\nurl = "http://y"`,
    [
      'no route uses the upstream "spare"',
    ],
  );
});

Deno.test("A proxy that is not enabled is checked for types alone", () => {
  const off = PROXY.replace("[sites.proxy]", "[sites.proxy]\nenabled = false").replace(
    "[[sites]]",
    '[[sites]]\nstatic_dir = "/"',
  );
  assertEquals(parseConfig(off.replace('upstream = "app"', 'upstream = "nobody"')).problems, []);
  assertErrors(`${off}websocket = «1»`, ["websocket is 1, expected true or false"]);
});

Deno.test("parseConfig() refuses expressions whose comparison could take minutes", () => {
  const slow =
    "could take minutes to compare with a path that a client makes for it, expected no repeat within a repeat, " +
    "and at most two that compete for the same characters";
  const route = (path: string) => `${ROUTE}pattern = true\npath = «${JSON.stringify(path)}»\n`;
  assertErrors(`${PROXY}${route("/x/:a.:b.:c")}${route("/x/:a((?:b+)+)")}`, [
    `path "/x/:a.:b.:c" ${slow}`,
    `path "/x/:a((?:b+)+)" ${slow}`,
  ]);
  assertErrors(`${PROXY}[sites.proxy.health_check]\nexpect_body = «'(a)\\1'»`, [
    "expect_body cannot be used: invalid escape sequence: `\\1`; back references and looking ahead or behind are not known " +
    "here, expected a regular expression that is not empty",
  ]);
});

Deno.test("parseConfig() refuses rewrite targets that no request could carry as they are meant", () => {
  const target = (value: string) =>
    `${ROUTE}path = "/x${encodeURIComponent(value)}"\nrewrite_target = «${JSON.stringify(value)}»\n`;
  assertErrors(`${PROXY}${["/a#b", "/a?b=c", "/50%", "/a/../../b", "a", "/a b", "/a\\b"].map(target).join("")}`, [
    'rewrite_target holds a fragment, which no request can carry, expected a path, with "%23" for the sign itself',
    'rewrite_target holds a query, and the query of the request follows the path, expected a path, with "%3F" for ' +
    "the sign itself",
    'rewrite_target has a "%" without two hexadecimal digits, expected "%25" for the sign itself',
    "rewrite_target leads above the root, expected a path below it",
    'rewrite_target is "a", expected a path that begins with "/" and holds no spaces, query and fragment',
    'rewrite_target is "/a b", expected a path that begins with "/" and holds no spaces, query and fragment',
    'rewrite_target is "/a\\\\b", expected a path that begins with "/" and holds no spaces, query and fragment',
  ]);
});

Deno.test("parseConfig() refuses versions of HTTP that an upstream's URL or its PROXY protocol rules out", () => {
  const accepted = [
    '"h2c://127.0.0.1:3000"',
    '"h2c://127.0.0.1:3000/base"\nprotocol = "h2"',
    '"srv+h2c://_grpc._tcp.example.com"',
    '"unix:/run/a.sock"\nprotocol = "h2"',
    '"https://example.com"\nprotocol = "auto"',
    '"https://example.com"\nprotocol = "h2"',
  ];
  for (const keys of accepted) assertEquals(parseConfig(upstream(keys)).problems, [], keys);
  const refused: [keys: string, problem: string][] = [
    [
      '"http://127.0.0.1:3000"\nprotocol = "auto"',
      'protocol is "auto" for "http://127.0.0.1:3000", which does not use TLS',
    ],
    [
      '"h2c://127.0.0.1:3000"\nprotocol = "http/1.1"',
      'protocol is "http/1.1" for "h2c://127.0.0.1:3000", which means HTTP/2',
    ],
    ['"h2c://127.0.0.1:3000"\nproxy_protocol = "v2"', "proxy_protocol is given for"],
    ['"h2c://a:b@127.0.0.1:3000"', "holds credentials"],
    ['"h2c://127.0.0.1:99999"', "has the port 99999"],
  ];
  for (const [keys, problem] of refused) {
    const found = parseConfig(upstream(keys)).problems.map(sentenceOf);
    assertEquals([found.length, found[0].includes(problem)], [1, true], `${keys}: ${found}`);
  }
});
