// @ts-types="../../types/std/assert.d.ts"
import { assert, assertEquals } from "@std/assert";
import { parseConfig } from "../../lib/generation/config/parse_config.ts";
import { isPublicName, issuedNames, tlsOf } from "../../lib/listener/tls/site_tls.ts";
import { shownConfig } from "../../lib/generation/config/shown_config.ts";
import type { SiteConfig } from "../../lib/generation/config/config_types.ts";
import { assertErrors, assertWarnings, PROXY } from "./marked_config.ts";

const SITE = '[[sites]]\nstatic_dir = "/"\n';

function siteOf(text: string, more = ""): SiteConfig {
  const { config, problems } = parseConfig(`${SITE}${text}\n${more}`, { checkFiles: false });
  assertEquals(problems, []);
  return (config as NonNullable<typeof config>).sites[0];
}

function issued(text: string, more = ""): string[] {
  return issuedNames(siteOf(text, more)).map(({ name, issuer }) => `${name} ${issuer}`);
}

Deno.test("A site speaks TLS by its `tls`, or on port 443 by its host name", () => {
  const speaks = (text: string) => tlsOf(siteOf(text)) !== undefined;
  assertEquals(speaks(""), false);
  assertEquals(speaks('port = 80\nhostname = "example.com"'), false);
  assertEquals(speaks('port = 443\nhostname = "example.com"'), true);
  assertEquals(speaks('port = 443\nhostnames = ["example.com"]'), true);
  assertEquals(speaks('port = 443\nhostname = "example.com"\ntls = "off"'), false);
  assertEquals(speaks('tls = "internal"'), true);
  assertEquals(speaks('hostname = "a.example"\ntls = "auto"'), true);
  assertEquals(speaks('hostname = "a.example"\n[sites.tls]\nmin_version = "TLSv1.3"'), true);
});

Deno.test("A word in place of the table says who issues the certificates", () => {
  const tls = tlsOf(siteOf('hostname = "a.example.com"\ntls = "internal"'));
  assertEquals([tls?.issuer, tls?.min_version, tls?.alpn], ["internal", "TLSv1.2", ["h2", "http/1.1"]]);
  const ACME = 'port = 443\nhostname = "example.com"\nhostnames = ["localhost", "[::1]", "app.internal"]\n';
  assertEquals(issued(ACME), ["example.com acme", "localhost internal", "::1 internal", "app.internal internal"]);
  assertEquals(issued(`${ACME}tls = "internal"`).every((name) => name.endsWith(" internal")), true);
  assertEquals(issued('hostname = "app.internal"\ntls = "acme"'), ["app.internal acme"]);
  assertEquals(issued('[sites.tls]\nnames = ["A.example.com", "b.example.com"]'), [
    "a.example.com acme",
    "b.example.com acme",
  ]);
  assertEquals(issued('hostname = "a.example.com"\n[sites.tls]\ncert_file = "a"\nkey_file = "b"'), []);
});

Deno.test("isPublicName() tells names for which public authorities issue certificates", () => {
  for (const name of ["example.com", "*.example.com", "a.b.co.uk", "xn--bcher-kva.example.org"]) {
    assert(isPublicName(name), name);
  }
  for (
    const name of ["localhost", "a.localhost", "host", "10.0.0.1", "[::1]", "::1", "a.local", "x.home.arpa", "a.lan"]
  ) assert(!isPublicName(name), name);
});

Deno.test("A port is either TLS or cleartext", () => {
  assertErrors(
    `[[sites]]
hostname = "a.example.com"
static_dir = "/"
port = 443
[[sites]]
hostname = "b.example.com"
static_dir = "/"
port = 443
tls = «"off"»
`,
    ["port 443 serves this site in cleartext and another one by TLS (line 4), expected TLS for all sites of a port, or for none"],
  );
  assertErrors(
    `[[sites]]
hostname = "a.example.com"
static_dir = "/"
[[sites]]
hostname = "b.example.com"
static_dir = "/"
tls = «"internal"»
`,
    ["port 8080 serves this site by TLS and another one in cleartext (line 1), expected TLS for all sites of a port, or for none"],
  );
});

Deno.test("What a site lacks for TLS is said where it is written", () => {
  assertErrors(`${SITE}[sites.tls]\ncert_file = «"a.pem"»`, [
    "tls has cert_file and no key_file, expected both; they may be one file that has the certificate and the key",
  ]);
  assertErrors(`${SITE}[sites.tls]\nissuer = «"acme"»\ncert_file = "a.pem"\nkey_file = "a.key"`, [
    "tls has issuer, and certificates in files, expected one of them",
  ]);
  assertErrors(`${SITE}tls = «"acme"»`, [
    'the site has TLS and no host name, so it is not known what certificate to get, expected hostname, tls = "internal", or cert_file and key_file in [sites.tls]',
  ]);
  assertErrors(`${SITE}port = 443\nhostname = «"*.example.com"»`, [
    '"*.example.com" is a wildcard, for which authorities issue certificates by DNS-01 only, expected acme.dns_command, on_demand = true in [sites.tls], or cert_file and key_file',
  ]);
  assertErrors(`${SITE}hostname = "*.example.com"\n[sites.tls]\non_demand = «true»`, [
    "on_demand is true, and nothing says which names are allowed: anybody could make BWS request certificates, expected [acme.on_demand] with ask",
  ]);
  assertErrors(`[server]\nlistener = "runtime"\n${SITE}tls = «"internal"»`, [
    'port 8080 speaks TLS, and the server of the runtime does not, expected server.listener = "own", or tls = "off"',
  ]);
  assertErrors(`${SITE}tls = «"sometimes"»`, [
    'tls is "sometimes", expected one of "auto", "acme", "internal", "off", or a table [sites.tls]',
  ]);
  assertErrors(
    `${SITE}hostname = "localhost"\n[sites.tls]\n«cert» = "a.pem"\nmin_version = «"TLSv1.1"»\nalpn = [«"spdy"»]\n[sites.tls.client_auth]\nmode = «"optional"»\nca_file = "ca.pem"`,
    [
      'unknown key "cert" in [sites.tls], expected cert_file in [sites.tls]',
      'min_version is "TLSv1.1", expected one of "TLSv1.2", "TLSv1.3" (did you mean "TLSv1.2"?)',
      'alpn[0] is "spdy", expected one of "h2", "http/1.1"',
      'mode is "optional", expected one of "require", "request"',
    ],
  );
});

Deno.test("A wildcard is accepted where a command sets TXT records, and where names are asked for", () => {
  assertEquals(issued('port = 443\nhostname = "*.example.com"', '[acme]\ndns_command = ["dns"]'), [
    "*.example.com acme",
  ]);
  const asked = '[acme.on_demand]\nask = "http://127.0.0.1:9000/allowed"';
  assertEquals(issued('port = 443\nhostname = "*.example.com"\n[sites.tls]\non_demand = true', asked), [
    "*.example.com acme",
  ]);
});

Deno.test("A site without a host name on port 443 is served in cleartext, and said to be", () => {
  assertWarnings(`${SITE}port = «443»`, [
    'the site on port 443 has no host name, so it is served in cleartext, expected hostname, tls = "internal", or tls = "off" for cleartext',
  ]);
  assertWarnings(`${SITE}port = 443\ntls = "off"`, []);
});

Deno.test("[acme] names its authorities by word or URL, and a folder", () => {
  const { config, problems } = parseConfig(
    `${SITE}[acme]\nstorage = "certs"\n[[acme.directories]]\nurl = "letsencrypt"\n[[acme.directories]]\nurl = "https://acme.example/directory"\neab = { key_id = "a", hmac_key = "abc_-" }`,
    { checkFiles: false, baseDir: "/etc/bws" },
  );
  assertEquals(problems, []);
  assertEquals(config?.acme.storage, "/etc/bws/certs");
  assertEquals(config?.acme.directories.map(({ url }) => url), ["letsencrypt", "https://acme.example/directory"]);
  assertErrors(`${SITE}[acme]\nemail = «"nobody"»\n[[acme.directories]]\nurl = «"http://acme.example"»`, [
    'email is "nobody", expected an e-mail address',
    'url is "http://acme.example", expected an https:// URL, or one of "letsencrypt", "letsencrypt-staging", "zerossl"',
  ]);
});

Deno.test("[sites.ssl] of the original is taken as [sites.tls]", () => {
  const files = siteOf('[sites.ssl]\nenabled = true\ncert_file = "/c.pem"\nkey_file = "/k.pem"');
  const tls = tlsOf(files);
  assertEquals([tls?.cert_file, tls?.key_file, tls?.issuer], ["/c.pem", "/k.pem", undefined]);
  const { config } = parseConfig(
    `${SITE}hostname = "example.com"\nport = 443\n[sites.ssl]\nenabled = true\nauto_cert = true\ndomains = ["example.com", "www.example.com"]\n[sites.ssl.acme]\nenabled = true\nemail = "a@example.com"\nstaging = true`,
    { checkFiles: false },
  );
  assertEquals([config?.acme.email, config?.acme.staging], ["a@example.com", true]);
  assertEquals(config && issuedNames(config.sites[0]), [
    { name: "example.com", issuer: "acme" },
    { name: "www.example.com", issuer: "acme" },
  ]);
  assertEquals(tlsOf(siteOf('port = 443\nhostname = "example.com"\n[sites.ssl]\nenabled = false')), undefined);
  assertWarnings(`${SITE}tls = "internal"\n[sites.«ssl»]\nenabled = true`, [
    "ssl has no effect beside tls, expected one of them",
  ]);
});

Deno.test("A site that redirects to https needs neither files nor a proxy", () => {
  assertWarnings('[[sites]]\nhostname = "example.com"\nport = 80\nredirect_to_https = true', []);
});

Deno.test("hsts is true or a table, and preload has its conditions", () => {
  assertEquals(siteOf("hsts = true").hsts, true);
  assertEquals(siteOf('[sites.hsts]\nmax_age = "30d"').hsts, {
    ...{ max_age: 30 * 86_400_000, include_subdomains: false, preload: false },
  });
  assertErrors(`${SITE}[sites.hsts]\npreload = «true»`, [
    "preload is true, and browsers do not accept it like this, expected include_subdomains = true and a max_age of 365d or more",
  ]);
});

Deno.test("Keys of TLS with upstreams belong together", () => {
  const upstream = (keys: string) =>
    `${
      PROXY.replace("http://127", "https://127").replace(
        "[[sites.proxy.routes]]",
        `tls = { ${keys} }\n[[sites.proxy.routes]]`,
      )
    }`;
  assertErrors(upstream('cert_file = «"/a.pem"»'), ["tls has cert_file and no key_file, expected both, or neither"]);
  assertErrors(upstream('fingerprint = «"abc"»'), [
    'fingerprint is "abc", expected 64 hexadecimal digits, with or without colons, as `openssl x509 -noout -fingerprint -sha256` prints them',
  ]);
  const fingerprint = "AB:".repeat(31) + "AB";
  assertErrors(upstream(`fingerprint = «"${fingerprint}"», insecure_skip_verify = true`), [
    "tls has a fingerprint, and insecure_skip_verify accepts any certificate, expected one of them",
  ]);
  assertWarnings(upstream(`fingerprint = "${fingerprint}", ca_file = «"/ca.pem"»`), [
    "ca_file has no effect beside fingerprint, which accepts one certificate whoever issued it, expected one of them",
  ]);
});

Deno.test("[store] names a Redis, whose password is not shown, in place of acme.storage", () => {
  const store = '[store]\nurl = "redis://bws:p%40ss@cache.internal/2"\npassword = "other"\n';
  const { config, problems } = parseConfig(`${SITE}${store}`, { checkFiles: false });
  assert(config !== undefined, JSON.stringify(problems));
  assertEquals([config.store?.prefix, config.store?.timeout], ["bws:", 5000]);
  const shown = JSON.stringify(shownConfig(config));
  assertEquals([shown.includes("p%40ss"), shown.includes("other")], [false, false]);
  assertErrors(`${SITE}[acme]\nstorage = «"here"»\n[store]\nurl = "redis://cache.internal"\n`, [
    "acme.storage names a folder for certificates, and [store] a Redis, expected one of them",
  ]);
  assertErrors(`${SITE}[store]\nurl = «"http://cache.internal"»\n`, [
    'url is "http://cache.internal", expected a URL such as "redis://cache.internal:6379/0", or rediss:// for TLS',
  ]);
  assertWarnings(`${SITE}[store]\nurl = "redis://cache.internal"\nca_file = «"ca.pem"»\n`, [
    "store.ca_file has no effect: store.url is not one of TLS, expected rediss:// in store.url",
  ]);
});
