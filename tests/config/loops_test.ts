// @ts-types="../../types/std/assert.d.ts"
import { assertEquals } from "@std/assert";
import { parseConfig } from "../../lib/generation/config/parse_config.ts";

function faultsOf(url: string, { site = "", rest = "", opensPorts = true } = {}): string[] {
  const { problems } = parseConfig(
    `${rest}
[[sites]]
name = "front"
port = 4801
${site}
[[sites.proxy.upstreams]]
name = "app"
url = "${url}"
[[sites.proxy.routes]]
path = "/"
upstream = "app"
`,
    { opensPorts },
  );
  return problems.map(({ message }) => message);
}

const FRONT = (url: string, line: number) =>
  `upstream "${url}" is this server itself: site "front" (line ${line}) listens on port 4801`;

Deno.test("checkLoops() refuses an upstream that is a listener of the config, whatever it is called", () => {
  for (
    const host of ["127.0.0.1", "127.9.9.9", "127.1", "localhost", "LOCALHOST", "app.localhost", "localhost.", "[::1]"]
      .concat(
        "ip6-localhost",
        "ip6-loopback",
        "localhost.localdomain",
        "0.0.0.0",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "2130706433",
        ...ownAddresses(),
      )
  ) {
    assertEquals(faultsOf(`http://${host}:4801`), [FRONT(`http://${host}:4801`, 4)], host);
  }
  assertEquals(faultsOf("http://127.0.0.1:4801/base"), [FRONT("http://127.0.0.1:4801/base", 4)]);
  assertEquals(faultsOf(`http://${Deno.hostname()}:4801`).length, 1);
});

Deno.test("checkLoops() takes an address that this config does not listen on", () => {
  for (const url of ["http://127.0.0.1:4802", "http://192.0.2.7:4801", "http://app.internal:4801", "unix:/run/4801"]) {
    assertEquals(faultsOf(url), [], url);
  }
  assertEquals(faultsOf("http://127.0.0.1:4801", { site: 'listen = "192.0.2.7"' }), []);
  assertEquals(faultsOf("http://127.0.0.2:4801", { site: 'listen = "127.0.0.1"' }), []);
  assertEquals(faultsOf("http://[::1]:4801", { site: 'listen = "0.0.0.0"' }), []);
  assertEquals(faultsOf("http://127.0.0.1:4801", { site: 'listen = "::1"' }), []);
});

Deno.test("checkLoops() compares with the address of a listener that has one", () => {
  for (const host of ["192.0.2.7", "[::ffff:192.0.2.7]"]) {
    assertEquals(faultsOf(`http://${host}:4801`, { site: 'listen = "192.0.2.7"' }).length, 1, host);
  }
  for (const host of ["127.0.0.1", "localhost", "0.0.0.0"]) {
    assertEquals(faultsOf(`http://${host}:4801`, { site: 'listen = "127.0.0.1"' }).length, 1, host);
  }
});

Deno.test("checkLoops() knows the default ports, other sites and the management API", () => {
  const second = "[[sites]]\nname = 'www'\nstatic_dir = '.'";
  assertEquals(faultsOf("http://127.0.0.1", { rest: `${second}\nport = 80` }).length, 1);
  assertEquals(faultsOf("http://127.0.0.1:8080", { rest: second }).length, 1);
  const management = "[management]\nenabled = true";
  assertEquals(faultsOf("http://localhost:7654", { rest: management }), [
    'upstream "http://localhost:7654" is this server itself: the management API (line 1) listens on port 7654',
  ]);
  assertEquals(faultsOf("http://localhost:7654", { rest: "[management]\nenabled = false" }), []);
});

Deno.test("checkLoops() is left out where ports are not opened, and for proxies that are off", () => {
  assertEquals(faultsOf("http://127.0.0.1:4801", { opensPorts: false }), []);
  assertEquals(faultsOf("http://127.0.0.1:4801", { site: "static_dir = '.'\n[sites.proxy]\nenabled = false" }), []);
});

function ownAddresses(): string[] {
  return Deno.networkInterfaces().filter(({ family }) => family === "IPv4").map(({ address }) => address);
}

Deno.test("checkLoops() refuses a service of forward_auth that is the guarded site itself, and no other site or route", () => {
  const guarded = (url: string, more = "") =>
    faultsOf("http://127.0.0.1:3000", { site: `forward_auth.url = "${url}"\n${more}` });
  const own = "http://127.0.0.1:4801/auth";
  const fault = `the service "${own}" is the site itself: each question would be asked about again`;
  assertEquals(guarded(own), [fault]);
  assertEquals(guarded(own, 'hostnames = ["a.test"]\n'), [fault]);
  assertEquals(guarded("http://127.0.0.1:4802/auth"), []);
  assertEquals(guarded("unix:/run/auth.sock:/auth"), []);
  const open = '[[sites.proxy.routes]]\npath = "/auth"\nupstream = "app"\nforward_auth.enabled = false\n';
  assertEquals(guarded(own, open), []);
  const other = '[[sites]]\nport = 4801\nhostname = "localhost"\nrespond = [{ path = "/auth", status = 200 }]\n';
  assertEquals(
    faultsOf("http://127.0.0.1:3000", { site: 'forward_auth.url = "http://localhost:4801/auth"', rest: other }),
    [],
  );
});
