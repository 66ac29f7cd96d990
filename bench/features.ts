/**
 * What each feature costs: a small GET through the proxy with one feature on, against the same without, in processor time of BWS a
 * request. One process has a site for each feature; the rounds go through all of them in turns. Noise only adds: the least of the rounds is compared. Needs `wrk` and nginx. Run with
 * `deno run -A bench/features.ts [--rounds 3] [--only jwt,cors]`.
 *
 * @module
 */
// deno-lint-ignore-file no-console -- a program that prints a table

// @ts-types="../types/std/parse-args.d.ts"
import { parseArgs } from "@std/cli/parse-args";
import { SignJWT } from "jose";
import { hashPassword } from "../lib/features/basic_auth/password_hash.ts";
import { freePort } from "../tests/support/port.ts";
import { bwsArguments } from "./peers/bws.ts";
import { LOAD_CORE, PROXY_CORE, startPinned, stopAll } from "./pinned_process.ts";
import { processorUs } from "./process_tree.ts";

interface Case {
  readonly name: string;
  /** Lines of the site. */
  readonly site: string;
  /** Fields of the requests. */
  readonly headers?: readonly string[];
  readonly path?: string;
}

const CONNECTIONS = 16;
const SECRET = "a secret of 32 characters and more";

async function cases(service: string): Promise<Case[]> {
  const token = await new SignJWT({ sub: "ann", exp: Math.floor(Date.now() / 1000) + 3600 })
    .setProtectedHeader({ alg: "HS256" }).sign(new TextEncoder().encode(SECRET));
  const hash = await hashPassword("secret", "argon2id");
  const basic = [`Authorization: Basic ${btoa("ann:secret")}`];
  const cookie = ["Cookie: session=ann"];
  return [
    { name: "none", site: "" },
    { name: "redirects (10, none fits)", site: redirects() },
    { name: "rewrite (one fits)", site: '[[sites.rewrite]]\nfrom = "/old/*"\nto = "/{*}"', path: "/old/x" },
    { name: "access (10 networks)", site: `[sites.access]\nallow = ["127.0.0.1", ${networks(9)}]` },
    { name: "maintenance (allowed)", site: '[sites.maintenance]\nallow = ["127.0.0.1"]' },
    { name: "rate_limit (rate)", site: '[sites.rate_limit]\nrate = "100000/s"\nburst = 1000000' },
    { name: "rate_limit (max_in_flight)", site: "[sites.rate_limit]\nmax_in_flight = 1000" },
    { name: "basic_auth (remembered)", site: `[sites.basic_auth]\nusers = { ann = "${hash}" }`, headers: basic },
    {
      name: "jwt (remembered)",
      site: `[sites.jwt]\nsecret = "${SECRET}"`,
      headers: [`Authorization: Bearer ${token}`],
    },
    { name: "forward_auth (asked)", site: forwardAuth(service), headers: cookie },
    { name: "forward_auth (cache)", site: `${forwardAuth(service)}cache = "1h"`, headers: cookie },
    { name: "respond", site: '[[sites.respond]]\npath = "/"\nbody = "hello"' },
    { name: "cors", site: '[sites.cors]\norigins = ["https://a.test"]', headers: ["Origin: https://a.test"] },
    {
      name: "compression (gzip, 2 KB)",
      site: "[sites.compression]",
      headers: ["Accept-Encoding: gzip"],
      path: "/text",
    },
    { name: "none, 2 KB", site: "", path: "/text" },
    { name: "security_headers", site: "security_headers = true" },
    { name: "headers (3)", site: '[sites.headers]\nX-A = "1"\nX-B = "2"\nX-C = "3"' },
    { name: "response_headers (placeholder)", site: '[sites.response_headers.set]\nX-Id = "{request.id}"' },
  ];
}

const redirects = () =>
  Array.from({ length: 10 }, (_, i) => `[[sites.redirects]]\nfrom = "/old-${i}"\nto = "/new-${i}"`).join("\n");
const networks = (count: number) => Array.from({ length: count }, (_, i) => `"10.${i}.0.0/16"`).join(", ");
const forwardAuth = (service: string) => `[sites.forward_auth]\nurl = "${service}/auth"\ncopy_headers = ["X-User"]\n`;

function nginxConfig(folder: string, port: number): string {
  return `daemon off; worker_processes 1; pid ${folder}/nginx.pid; error_log ${folder}/error.log;
events { worker_connections 1024; }
http { access_log off; keepalive_requests 1000000000; client_body_temp_path ${folder}; proxy_temp_path ${folder}; fastcgi_temp_path ${folder};
  uwsgi_temp_path ${folder}; scgi_temp_path ${folder}; default_type text/plain;
  server { listen 127.0.0.1:${port};
    location / { return 200 "hello"; } location /text { return 200 "${"some text, ".repeat(180)}"; }
    location /auth { add_header X-User ann; return 200; } } }`;
}

/** Requests of one run of wrk, and how many of them were not answered with 2xx or 3xx. */
async function load(port: number, { headers = [], path = "/" }: Case): Promise<[number, number]> {
  const fields = headers.flatMap((header) => ["-H", header]);
  const { stdout } = await new Deno.Command("taskset", {
    args: [
      ...["-c", LOAD_CORE, "wrk", "-t1", `-c${CONNECTIONS}`, "-d1s", ...fields],
      `http://127.0.0.1:${port}${path}`,
    ],
  }).output();
  const text = new TextDecoder().decode(stdout);
  return [Number(/(\d+) requests in/.exec(text)?.[1]), Number(/Non-2xx or 3xx responses: (\d+)/.exec(text)?.[1] ?? 0)];
}

const median = (values: number[]) => values.toSorted((a, b) => a - b)[values.length >> 1];

if (import.meta.main) {
  const { rounds, only } = parseArgs(Deno.args, { string: ["rounds", "only"] }) as { rounds?: string; only?: string };
  const folder = await Deno.makeTempDir({ prefix: "bws-features-" });
  const upstream = freePort();
  try {
    await Deno.chmod(folder, 0o777);
    await Deno.writeTextFile(`${folder}/nginx.conf`, nginxConfig(folder, upstream));
    startPinned(LOAD_CORE, "nginx", ["-p", folder, "-c", `${folder}/nginx.conf`]);
    const all = await cases(`http://127.0.0.1:${upstream}`);
    const wanted = (only === undefined
      ? all
      : all.filter(({ name }) =>
        name.startsWith("none") || only.split(",").some((one) => name.startsWith(one))
      )).map((one) => ({ ...one, port: freePort(), us: [] as number[], failed: 0 }));
    const sites = wanted.map(({ port, site }) =>
      `[[sites]]\nname = "site-${port}"\nlisten = "127.0.0.1"\nport = ${port}\n${site.startsWith("[") ? "" : site}
[[sites.proxy.upstreams]]\nname = "u"\nurl = "http://127.0.0.1:${upstream}"
[[sites.proxy.routes]]\npath = "/"\nupstream = "u"\n${site.startsWith("[") ? site : ""}`
    );
    await Deno.writeTextFile(`${folder}/bws.toml`, `[logging]\naccess = false\n${sites.join("\n")}\n`);
    const bws = startPinned(PROXY_CORE, Deno.execPath(), bwsArguments(`${folder}/bws.toml`), {
      errorFile: `${folder}/errors`,
    });
    for (const one of wanted) {
      await answers(one.port);
    }
    for (let round = 0; round <= Number(rounds ?? 3); round++) {
      for (const one of wanted) {
        const before = await processorUs(bws.pid);
        const [requests, failed] = await load(one.port, one);
        const us = (await processorUs(bws.pid) - before) / requests;
        // The first round is for the compiler.
        if (round > 0) {
          one.us.push(us);
        }
        one.failed += failed;
      }
    }
    const least = (name: string) =>
      Math.min(...wanted.find((one) => one.name === name)?.us ?? []);
    const bases = { small: least("none"), text: least("none, 2 KB") };
    console.log("| feature | median µs a request | least | least, more than without |\n| --- | --- | --- | --- |");
    for (const { name, us, path, failed } of wanted) {
      const more = name.startsWith("none")
        ? ""
        : (least(name) - (path === "/text" ? bases.text : bases.small)).toFixed(1);
      const refused = failed > 0 ? ` ${failed} refused` : "";
      console.log(`| ${name} | ${median(us).toFixed(1)} | ${least(name).toFixed(1)} | ${more} |${refused}`);
    }
  } finally {
    await stopAll();
    await Deno.remove(folder, { recursive: true });
  }
}

async function answers(port: number): Promise<void> {
  for (let tries = 0; tries < 300; tries++) {
    try {
      (await Deno.connect({ hostname: "127.0.0.1", port })).close();
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  throw new Error(`Nothing listens on port ${port}`);
}
