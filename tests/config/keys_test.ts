import { assertErrors, assertWarnings, PROXY } from "./marked_config.ts";

const SITE = '[[sites]]\nstatic_dir = "/"\n';

Deno.test("parseConfig() refuses an unknown key and names the nearest known one", () => {
  assertErrors(`${SITE}«hostnmae» = "a"\n[server]\n«shutdown_timout» = 5\n«colour» = 1`, [
    'unknown key "hostnmae" in [[sites]] (did you mean "hostname"?)',
    'unknown key "shutdown_timout" in [server] (did you mean "shutdown_timeout"?)',
    'unknown key "colour" in [server], expected one of "name", "trusted_proxies", "name_servers", "workers", "middleware", "max_body_size", "limits", "stream_close_delay", "listener", "sockets", "reuse_port", "shutdown_delay" and 1 more',
  ]);
});

Deno.test("parseConfig() refuses an unknown table at its header", () => {
  assertErrors(`${SITE}[«serverr»]\nname = "x"\n[sites.«chache»]\n`, [
    'unknown key "serverr" in the file (did you mean "server"?)',
    'unknown key "chache" in [[sites]] (did you mean "cache"?)',
  ]);
});

Deno.test("parseConfig() names the place of a key that stands below the wrong header", () => {
  assertErrors(`${PROXY}[sites.proxy.timeout]\n«static_dir» = "/"`, [
    'unknown key "static_dir" in [sites.proxy.timeout], expected it directly below [[sites]]',
  ]);
});

Deno.test("parseConfig() only warns of unknown keys where it reads leniently", () => {
  assertWarnings(`${SITE}«prot» = 80`, ['unknown key "prot" in [[sites]] (did you mean "port"?)'], { lenient: true });
});

Deno.test("parseConfig() reports a missing key at its table", () => {
  assertErrors(`[[sites]]\n[sites.proxy]\n«[[sites.proxy.upstreams]]»\nname = "a"`, [
    '[[sites.proxy.upstreams]] has no key "url", expected a URL that begins with http://, https://, h2c://, unix:/ or, for SRV records, srv+http://, srv+https:// or srv+h2c://',
  ]);
});

Deno.test("parseConfig() reports a required key that is misspelt once", () => {
  assertErrors(`${PROXY}[[sites.proxy.upstreams]]\n«nmae» = "app"\nurl = "http://x"`, [
    'unknown key "nmae" in [[sites.proxy.upstreams]] (did you mean "name"?)',
  ]);
});

Deno.test("parseConfig() reports a config without sites", () => {
  assertErrors(`«[»server]\nname = "x"`, ["sites is missing, expected a list of tables, each written [[sites]]"]);
  assertErrors(`sites = «[]»`, ["sites is an empty list, expected at least one [[sites]] table"]);
});

Deno.test("parseConfig() reports [name] where [[name]] is meant, and still checks what stands in it", () => {
  assertErrors(`«[sites]»\nstatic_dir = "/"\nport = «"x"»\n`, [
    "[sites] is one table, expected a list of tables, each written [[sites]]",
    'port is "x", expected a whole number from 0 to 65535',
  ]);
});

Deno.test("parseConfig() reports values of wrong types, in tables and lists of any depth", () => {
  assertErrors(
    `logging = «1»
[server]
name = «["x"]»
trusted_proxies = «"10.0.0.1"»
[[sites]]
static_dir = «{ a = 1 }»
hostnames = ["a", «5»]
browse = «"yes"»
[sites.headers]
X-A = «1979-05-27»
[sites.cache]
max_age = «true»
`,
    [
      "logging is 1, expected a table, written [logging]",
      "name is a list, expected text that is not empty",
      'trusted_proxies is "10.0.0.1", expected a list of texts, such as ["10.0.0.1"]',
      "static_dir is a table, expected the path of a folder",
      "hostnames[1] is 5, expected a host name",
      'browse is "yes", expected true, without quotes',
      "headers.X-A is a date, expected text without line breaks and other control characters, in characters up to U+00FF",
      'max_age is true, expected a duration from 0 to 3653 days: seconds, or text such as "250ms", "30s", "1m30s", "1h", "7d"',
    ],
  );
});

Deno.test("parseConfig() reports the word that is nearest to a misspelt one", () => {
  assertErrors(`${SITE}[logging]\nlevel = «"wran"»\nformat = «"xml"»`, [
    'level is "wran", expected one of "debug", "info", "warn", "error" (did you mean "warn"?)',
    'format is "xml", expected one of "json", "combined"',
  ]);
});
