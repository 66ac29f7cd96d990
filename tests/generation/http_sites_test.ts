// @ts-types="../../types/std/assert.d.ts"
import { assertEquals } from "@std/assert";
import { parseConfig } from "../../lib/generation/config/parse_config.ts";
import type { Config } from "../../lib/generation/config/config_types.ts";
import { httpSites } from "../../lib/generation/config/http_sites.ts";

const HTTPS = '[[sites]]\nhostname = "a.example.com"\nstatic_dir = "/"\nport = 443\n';

function configOf(text: string): Config {
  const { config, problems } = parseConfig(text, { checkFiles: false });
  assertEquals(problems, []);
  return config as Config;
}

function madeFor(text: string): unknown[] {
  return httpSites(configOf(text)).map((site) => [
    ...[site.name, site.hostnames, site.port, site.listen, site.redirect_to_https],
  ]);
}

Deno.test("A site whose certificate comes by ACME is redirected to from port 80", () => {
  assertEquals(madeFor(HTTPS), [["a.example.com (http)", ["a.example.com"], 80, undefined, true]]);
  assertEquals(madeFor(`${HTTPS}listen = "127.0.0.1"`), [
    ["a.example.com (http)", ["a.example.com"], 80, "127.0.0.1", true],
  ]);
  assertEquals(madeFor(`[acme]\nhttp_port = 8081\n${HTTPS}`)[0], [
    ...["a.example.com (http)", ["a.example.com"], 8081, undefined, true],
  ]);
});

Deno.test("Without a redirect the port is still opened for challenges, unless they are answered by DNS", () => {
  assertEquals(madeFor(`${HTTPS}redirect_to_https = false`), [
    ["a.example.com (http)", ["a.example.com"], 80, undefined, false],
  ]);
  assertEquals(madeFor(`[acme]\ndns_command = ["dns"]\n${HTTPS}redirect_to_https = false`), []);
});

Deno.test("Of other sites with TLS only those with redirect_to_https are redirected to", () => {
  const internal = `${HTTPS}tls = "internal"\n`;
  assertEquals(madeFor(internal), []);
  assertEquals(madeFor(`${internal}redirect_to_https = true`).length, 1);
  assertEquals(madeFor('[[sites]]\nhostname = "a.example.com"\nstatic_dir = "/"\nport = 8080'), []);
});

Deno.test("Hosts that a written site serves on the port are its own", () => {
  const http = '[[sites]]\nname = "plain"\nport = 80\nlisten = "127.0.0.1"\nstatic_dir = "/"\n';
  assertEquals(madeFor(`${http}\n${HTTPS}`), []);
  assertEquals(madeFor(`${http}hostname = "*.example.com"\n${HTTPS}`), []);
  assertEquals(madeFor(`${http}hostname = "b.example.com"\n${HTTPS}`), [
    ["a.example.com (http)", ["a.example.com"], 80, "127.0.0.1", true],
  ]);
});
