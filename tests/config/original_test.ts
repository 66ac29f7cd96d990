// @ts-types="../../types/std/assert.d.ts"
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { loadConfig } from "../../lib/generation/config/load_config.ts";
import { parseConfig } from "../../lib/generation/config/parse_config.ts";
import { resolveConfig } from "../../lib/generation/config/resolve_config.ts";
import type { Config } from "../../lib/generation/config/config_types.ts";
import { startServer } from "../../lib/process/server.ts";
import { bws } from "../cli/bws_process.ts";
import { Certificates } from "../support/certificates.ts";
import { assertErrors, assertWarnings } from "./marked_config.ts";

// The configs, with the certificate that one of them names.
const FOLDER = await copiedConfigs();
const SITE = '[[sites]]\nstatic_dir = "/"\n';

/** What each file is warned of: the keys that have no effect, or another name here. */
const FILES: Readonly<Record<string, readonly string[]>> = {
  "01_single_site.toml": ["sites[0].security", "sites[0].rate_limit"],
  "02_multi_site.toml": [],
  "03_virtual_hosts.toml": [
    ...["server.version", "server.description", "logging.log_requests", "performance", "sites[2].access_control"],
  ],
  "04_hot_reload.toml": ["performance", "security.hide_server_header", "security.max_request_size"],
  "05_ssl_acme.toml": ["sites[1].ssl", "sites[1].ssl.acme.challenge_dir"],
  "06_ssl_files.toml": ["sites[0].ssl"],
  "07_load_balancing.toml": [
    ...["server.version", "sites[0].proxy.upstreams[0].max_conns", "sites[0].proxy.upstreams[1].max_conns"],
    ...["sites[1].static_dir", "sites[1].proxy.load_balancing.sticky_sessions"],
    ...["sites[2].static_dir", "sites[2].proxy.health_check.retries", "logging.log_requests"],
  ],
  "08_proxy_headers.toml": [
    ...["server.description", "sites[0].proxy.headers.preserve_host"],
    ...["logging.log_level", "logging.log_format", "logging.log_requests"],
  ],
  "09_security.toml": [
    ...["sites[1].access_control", "security.hide_server_header", "security.max_request_size"],
    ...["security.allowed_origins", "security.security_headers", "security.rate_limiting"],
  ],
  "10_caching.toml": [
    "sites[0].cache.max_age_static",
    "sites[0].cache.max_age_dynamic",
    "sites[3].cache.cache_control",
  ],
  "11_service.toml": [
    ...["daemon", "logging.level", "logging.format", "logging.file_path", "logging.max_size", "logging.max_files"],
    ...["logging.compress", "logging.include_fields", "performance", "monitoring", "caching", "compression"],
    ...["sites[0].index_file", "sites[0].enable_directory_listing"],
  ],
  "12_error_pages.toml": [],
};

async function load(name: string): Promise<Config> {
  return (await loadConfig(FOLDER + name)).config;
}

async function copiedConfigs(): Promise<string> {
  const folder = await Deno.makeTempDir({ prefix: "bws-original-" });
  addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));
  const { pathname } = new URL("./original", import.meta.url);
  await new Deno.Command("cp", { args: ["-r", `${pathname}/.`, folder] }).output();
  await using certificates = await Certificates.make("DNS:secure.example.com");
  await Deno.mkdir(`${folder}/certs`);
  await Deno.copyFile(certificates.certFile, `${folder}/certs/site.crt`);
  await Deno.copyFile(certificates.keyFile, `${folder}/certs/site.key`);
  return `${folder}/`;
}

/** Ports that are free, loopback only, and in cleartext. */
function allSites(config: Config): Config {
  return { ...config, sites: config.sites.map((site) => ({ ...site, port: 0, listen: "127.0.0.1", tls: "off" })) };
}

for (const [name, warned] of Object.entries(FILES)) {
  Deno.test(`A config of the original BWS runs unchanged, and says what it does not do: ${name}`, async () => {
    const { config, warnings } = await loadConfig(FOLDER + name);
    assertEquals(warnings.map(({ path }) => path), [...warned]);
    const server = await startServer(allSites(config));
    try {
      const answer = await fetch(`http://127.0.0.1:${server.addresses[0].port}/api/health/live`);
      assertEquals((await answer.json()).status, "alive");
    } finally {
      await server.stop();
    }
  });
}

Deno.test("bws check accepts all of these configs", async () => {
  const names = Object.keys(FILES);
  const { code, stdout, stderr } = await bws(["check", ...names], { cwd: FOLDER });
  assertEquals([code, stdout.match(/^ok /gm)?.length], [0, names.length], stderr);
});

Deno.test("Keys of the original that have another name here keep their meaning", async () => {
  const balanced = await load("07_load_balancing.toml");
  assertEquals(balanced.sites[0].proxy?.upstreams.map((upstream) => upstream.max_connections), [100, 100]);
  assertEquals(balanced.sites[2].proxy?.health_check?.unhealthy_after, 4);
  const proxied = await load("08_proxy_headers.toml");
  assertEquals(proxied.sites[0].proxy?.preserve_host, false);
  assertEquals([proxied.logging.level, proxied.logging.format, proxied.logging.access], ["warn", "combined", false]);
  const cached = await load("10_caching.toml");
  assertEquals(cached.sites.map(({ cache }) => [cache.max_age, cache.control]), [
    [86_400_000, undefined],
    [undefined, undefined],
    [3_600_000, undefined],
    [undefined, "private, max-age=60"],
  ]);
  const service = await load("11_service.toml");
  assertEquals([service.logging.level, service.logging.output], ["debug", `${FOLDER}www/bws.log`]);
  assertEquals([service.sites[0].index_files, service.sites[0].browse], [["index.html"], false]);
});

Deno.test("[security] of the original sets header fields, hides Server and bounds bodies", async () => {
  const config = await load("09_security.toml");
  assertEquals(config.server.max_body_size, 2 * 1024 * 1024);
  assertEquals(config.sites[0].headers, {
    "X-Site-Name": "Main",
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
  });
  await using upstream = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    () => new Response("hello", { headers: { server: "secret/1.0" } }),
  );
  const proxied = { ...config.sites[1] };
  const [first] = proxied.proxy?.upstreams ?? [];
  if (proxied.proxy === undefined) throw new TypeError("The example has a proxy");
  assertEquals(proxied.access?.allow, ["10.0.0.0/8"]);
  // Requests of this test come from another network.
  delete proxied.access;
  proxied.proxy = { ...proxied.proxy, upstreams: [{ ...first, url: `http://127.0.0.1:${upstream.addr.port}` }] };
  const server = await startServer(allSites({ ...config, sites: [proxied] }));
  try {
    const url = `http://127.0.0.1:${server.addresses[0].port}/v1/a`;
    const answer = await fetch(url);
    assertEquals(await answer.text(), "hello");
    assertEquals([answer.headers.get("server"), answer.headers.get("x-frame-options")], [null, "DENY"]);
    const large = await fetch(url, { method: "POST", body: new Uint8Array(3_000_000) });
    await large.body?.cancel();
    assertEquals(large.status, 413);
  } finally {
    await server.stop();
  }
});

Deno.test("A key of the original that stands beside its name here is said to have no effect", () => {
  assertWarnings(`${SITE}[sites.cache]\nmax_age = 5\n«max_age_static» = 6`, [
    "max_age_static has no effect beside max_age, expected one of them",
  ]);
  assertWarnings(`${SITE}[sites.cache]\nmax_age = 5\n«cache_control» = "private"`, [
    "sites.cache.cache_control has no effect beside max_age or control, expected one of them",
  ]);
});

Deno.test("Tables of the original are checked like others: their types, and their keys", () => {
  assertErrors(
    `${SITE}api_only = «"yes"»
[sites.ssl]
«colour» = "x.pem"
[sites.compression]
level = «12»
types = «"text/html"»
[sites.cache]
max_age_static = «"often"»
[security]
max_request_size = «"10 apples"»
«colour» = 5
[security.rate_limiting]
requests_per_minute = «-1»
[sites.«compresion»]
`,
    [
      'api_only is "yes", expected true, without quotes',
      'unknown key "colour" in [sites.ssl], expected one of "enabled", "auto_cert", "domains", "cert_file", "key_file", "acme"',
      "level is 12, expected a whole number from 1 to 9",
      'types is "text/html", expected a list of texts, such as ["text/html"]',
      'max_age_static is "often", expected a duration from 0 to 3653 days: seconds, or text such as "250ms", "30s", "1m30s", "1h", "7d"',
      'max_request_size is "10 apples", expected a size above 0: bytes, or text such as "10MB", "512KiB", "1GiB"',
      'unknown key "colour" in [security], expected one of "security_headers", "hide_server_header", "max_request_size"',
      "requests_per_minute is -1, expected a whole number from 0",
      'unknown key "compresion" in [[sites]] (did you mean "compression"?)',
    ],
  );
});

Deno.test("Keys of the original are known in objects, and whatever their values come from", () => {
  const input = JSON.parse('{"sites":[{"static_dir":"/","redirect_to_https":true,"ssl":{"enabled":false}}]}');
  const { warnings } = resolveConfig(input);
  assertEquals(warnings.map(({ path }) => path), []);
  const { config, problems, warnings: said } = parseConfig(
    `[[sites]]\nstatic_dir = "/"\nhostname = "a.example"\n[sites.ssl]\nenabled = "\${TLS:-true}"\n[security]\nhide_server_header = "\${H}"`,
    {
      env: () => "true",
      checkFiles: false,
    },
  );
  assertEquals([problems, config?.sites.length], [[], 1]);
  assertEquals(said.map(({ path }) => path), ["sites[0].ssl", "security.hide_server_header"]);
});

Deno.test("What would leave a door open is said plainly", () => {
  const sentences = (text: string) =>
    parseConfig(SITE + text, { checkFiles: false }).warnings.map((one) => one.message);
  const loud: readonly (readonly [string, RegExp])[] = [
    ['[daemon]\nuser = "www-data"', /under the user and in the folder in which it was started$/],
  ];
  for (const [text, pattern] of loud) assertMatch(sentences(text).join("\n"), pattern);
  const open = '[sites.access_control]\nallow_origins = ["*"]\nallow_credentials = true';
  assertStringIncludes(sentences(open).join(), "every page of the web could act as its visitor");
});

Deno.test("Features of the original keep their meaning", async () => {
  const [single] = (await load("01_single_site.toml")).sites;
  assertEquals([single.rate_limit?.rate, single.rate_limit?.burst, single.security_headers], ["100/60s", 100, true]);
  assertEquals(single.cors?.origins, ["https://app.example.com"]);
  const sites = (await load("02_multi_site.toml")).sites;
  assertEquals(sites.map(({ compression }) => [compression?.enabled, compression?.level]), [
    ...[[true, 6], [true, 9], [undefined, undefined], [false, undefined]].slice(0, sites.length),
  ]);
  const cors = (await load("03_virtual_hosts.toml")).sites[2].cors;
  assertEquals([cors?.methods, cors?.credentials, cors?.max_age], [["GET", "POST"], true, 3_600_000]);
  const secured = (await load("09_security.toml")).sites[0];
  assertEquals([secured.rate_limit?.rate, secured.rate_limit?.burst, secured.rate_limit?.exempt], [
    ...["60/m", 10, ["127.0.0.1"]],
  ]);
  assertEquals(secured.cors?.origins, ["https://example.com"]);
  const service = (await load("11_service.toml")).sites[0];
  assertEquals([service.compression?.level, service.compression?.algorithms], [6, ["gzip"]]);
});
