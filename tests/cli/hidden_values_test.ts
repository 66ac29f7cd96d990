/**
 * The real program with a config whose values all come by `${NAME}`: none of them in any output, accepted or refused.
 *
 * @module
 */

// @ts-types="../../types/std/assert.d.ts"
import { assert, assertEquals, assertFalse } from "@std/assert";
import { inTemporaryFolder } from "../support/temporary_folder.ts";
import { bws, BwsProcess } from "./bws_process.ts";

const CANARY = "canary-5f1e77";

/** What tells sites, upstreams and listeners apart in log lines and metrics has values of its own. */
const ENV = {
  NAME: "shop",
  HOST: "shop.example",
  VALUE: CANARY,
  KEY: `${CANARY}-${CANARY}`,
  HEADER: `value ${CANARY}`,
  AGE: "123457",
  PATH_KEY: CANARY,
  WEIGHT: "7919",
};

function goodConfig(upstreamPort: number): string {
  return `
[server]
name = "\${VALUE}"
trusted_proxies = ["\${PROXY:-10.98.76.54}"]
[management]
enabled = true
port = 0
api_key = "\${KEY}"
[[sites]]
name = "\${NAME}"
hostname = "\${HOST}"
hostnames = ["\${HOST}", "www.\${HOST}"]
listen = "127.0.0.1"
port = 0
headers = { "X-Plain" = "\${HEADER}" }
cache = { max_age = "\${AGE}" }
[[sites.proxy.upstreams]]
name = "pool"
url = "http://127.0.0.1:${upstreamPort}/\${PATH_KEY}"
weight = "\${WEIGHT}"
[[sites.proxy.upstreams]]
name = "pool"
url = "http://127.0.0.1:${upstreamPort}/\${PATH_KEY}/2"
[[sites.proxy.routes]]
path = "/"
upstream = "pool"
[[sites.proxy.routes]]
path = "/\${VALUE}/"
upstream = "pool"
[sites.proxy.load_balancing]
method = "cookie"
cookie = { name = "\${VALUE}", domain = "\${VALUE}.example" }
[sites.proxy.headers]
remove = ["X-\${VALUE}", "x-\${VALUE}", "X-B"]
`;
}

const BAD_CONFIG = `
[management]
host = "\${VALUE}"
enabled = "\${VALUE}"
colour = "\${VALUE}"
[[sites]]
name = "\${VALUE}"
port = "\${VALUE}"
hostname = "http://\${VALUE}:80/"
static_dir = "\${VALUE}"
[[sites.proxy.upstreams]]
name = "\${VALUE}"
url = "http://user:\${VALUE}@127.0.0.1/"
[[sites.proxy.upstreams]]
name = "\${VALUE}2"
url = "ws://\${VALUE}:99999"
[[sites.proxy.routes]]
path = "\${VALUE}"
upstream = "\${VALUE}s"
timeout = "\${VALUE}"
[sites.proxy.load_balancing]
method = "\${VALUE}"
[[sites]]
name = "\${VALUE}"
static_dir = "/\${VALUE}"
error_pages = { 404 = "\${VALUE}" }
`;

Deno.test("No output of bws holds what came by ${NAME}, neither of a config that runs nor of one that is refused", async () => {
  const seenPaths: string[] = [];
  const upstream = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, ({ url }) => {
    seenPaths.push(new URL(url).pathname);
    return new Response("found", { status: 500 });
  });
  const files = { "config.toml": goodConfig(upstream.addr.port), "bad.toml": BAD_CONFIG };
  try {
    await inTemporaryFolder(files, async (folder) => {
      const file = `${folder}/config.toml`;
      const shown: [what: string, text: string][] = [];
      const options = { cwd: folder, env: ENV };
      for (const args of [["check", "bad.toml"], ["check", "--lenient", "bad.toml"], ["run", "bad.toml"]]) {
        const { code, stdout, stderr } = await bws(args, options);
        assertEquals(code, 1, args.join(" "));
        shown.push([args.join(" "), stdout + stderr]);
      }
      await using process = new BwsProcess(["run"], options);
      const [, site] = await process.until(/listening on (http:\S+)/);
      const [, management] = await process.until(/dashboard, API and metrics at (http:\S+)/);
      const headers = { authorization: `Bearer ${ENV.KEY}` };
      const ask = async (path: string, init: RequestInit = {}) => {
        const response = await fetch(management + path, { ...init, headers: { ...headers, ...init.headers } });
        const text = await response.text();
        shown.push([path, text]);
        return text;
      };
      await (await fetch(`${site}/found`)).body?.cancel();
      assertEquals(seenPaths[0].replace("/2/", "/"), `/${CANARY}/found`);
      for (const path of ["/api/config", "/api/sites"]) {
        const text = await (await fetch(site + path)).text();
        // Host names and routes of the site: its clients know the first, and the file has the others
        shown.push([`internal ${path}`, text]);
      }
      const config = JSON.parse(await ask("/api/config"));
      assertEquals(config.server.name, "${VALUE}");
      assertEquals(config.server.trusted_proxies, ["${PROXY}"]);
      assertEquals(config.management.api_key, "********");
      assertEquals(config.sites[0].hostnames, ["${HOST}", "www.${HOST}"]);
      assertEquals(config.sites[0].headers, { "X-Plain": "${HEADER}" });
      assertEquals(config.sites[0].cache.max_age, "${AGE}");
      assertEquals(config.sites[0].proxy.upstreams[0].weight, "${WEIGHT}");
      assertFalse("substituted" in config);
      for (const value of ["10.98.76.54", "123457", "7919"]) assertFalse(JSON.stringify(config).includes(value), value);
      await Deno.writeTextFile(file, BAD_CONFIG);
      const refused = await ask("/api/config/reload", {
        method: "POST",
        headers: { "content-type": "application/json" },
      });
      assert(JSON.parse(refused).problems.length > 10, refused);
      process.signal("SIGHUP");
      await process.until(/"reason":"SIGHUP"/, "stdout");
      await ask("/api/config/validate", {
        ...{ method: "POST", body: BAD_CONFIG, headers: { "content-type": "application/toml" } },
      });
      const events = await fetch(`${management}/api/events`, { headers });
      const reader = events.body?.pipeThrough(new TextDecoderStream()).getReader();
      let stream = "";
      while (!stream.includes("\n\n")) stream += (await reader?.read())?.value ?? "";
      await reader?.cancel();
      shown.push(["/api/events", stream]);
      for (const path of ["/api/status", "/api/upstreams", "/metrics", "/api/openapi.json"]) await ask(path);
      process.signal("SIGTERM");
      const { stdout, stderr } = await process.ended();
      shown.push(["log", stdout], ["standard error", stderr]);
      for (const [what, text] of shown) {
        const at = text.toLowerCase().indexOf(CANARY);
        // Routes are told apart by their paths, as sites are by their names
        const rest = text.replaceAll(`/${CANARY}/`, "").toLowerCase();
        assert(!rest.includes(CANARY), `${what}: …${text.slice(Math.max(0, at - 200), at + 80)}…`);
      }
      for (const [what, text] of shown) {
        if (!what.startsWith("internal") && what !== "/api/config") continue;
        assertFalse(text.toLowerCase().includes(CANARY), what);
        assertFalse(text.includes(ENV.HOST), what);
      }
    });
  } finally {
    await upstream.shutdown();
  }
});
