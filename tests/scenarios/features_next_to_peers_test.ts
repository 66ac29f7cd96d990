/**
 * Features of sites next to those of nginx and Caddy, each started once: the same requests get the same status, header fields and
 * bodies. Where BWS differs on purpose, the case has what the other server gives, and why BWS does not.
 *
 * @module
 */

// @ts-types="../../types/std/assert.d.ts"
import { assert, assertEquals, assertMatch } from "@std/assert";
import type { ConfigInput } from "../../lib/generation/config/config_types.ts";
import { resolveConfig } from "../../lib/generation/config/resolve_config.ts";
import { openLog } from "../../lib/process/open_log.ts";
import { startServer } from "../../lib/process/server.ts";
import { Certificates } from "../support/certificates.ts";
import { until } from "../support/condition.ts";
import { header, headerAll, type ReceivedMessage, statusOf, text } from "../support/message_reader.ts";
import { startServerProgram } from "../support/peer_programs.ts";
import { freePort } from "../support/port.ts";
import { exchange } from "../support/raw_client.ts";
import { inTemporaryFolder } from "../support/temporary_folder.ts";

type PeerName = "nginx" | "Caddy";

/** Why a peer's response has another value: of a field, or of `status` or `body`. */
type Differences = Readonly<Record<string, { readonly has: string | undefined; readonly because: string }>>;

interface Case {
  readonly name: string;
  readonly host: string;
  readonly method?: string;
  readonly path: string;
  /** Header lines of the request, each with CRLF. */
  readonly lines?: string;
  readonly status: number;
  /** Fields that are compared, with the value that BWS sends; undefined for none. */
  readonly fields?: Readonly<Record<string, string | undefined>>;
  /** The body, where it is compared. */
  readonly body?: string;
  readonly differences?: Readonly<Partial<Record<PeerName, Differences>>>;
}

const PAGE = "<!doctype html><title>page</title>\n";
const LARGE = "A line of text that is compressed well.\n".repeat(500);
const FILES = {
  "www/page.html": PAGE,
  "www/large.txt": LARGE,
  "www/small.txt": "small",
  "www/404.html": "<!doctype html><title>not here</title>\n",
};
const HTPASSWD = "ann:$2y$04$XWr4MOofv7WoZAdUcsZeeO1AlfPzldR56BZ1v4K/osH2gqi9yexJS";
const [, HASH] = HTPASSWD.split(":");
const ORIGIN = "https://app.example.com";
const PREFLIGHT = "Access-Control-Request-Method: PUT\r\nAccess-Control-Request-Headers: content-type\r\n";
const HSTS = "max-age=31536000; includeSubDomains";
const CREDENTIALS = (user: string, password: string) => `Authorization: Basic ${btoa(`${user}:${password}`)}\r\n`;

const CASES: readonly Case[] = [
  { name: "redirect of a path", host: "redirects", path: "/old", status: 301, fields: { location: "/new" } },
  {
    ...{ name: "redirect with named parts", host: "redirects", path: "/blog/2024/hello", status: 301 },
    fields: { location: "/archive/hello?year=2024" },
  },
  {
    ...{ name: "redirect that keeps the query", host: "redirects", path: "/moved?a=b&c=%20", status: 308 },
    fields: { location: "/target?a=b&c=%20" },
  },
  {
    ...{ name: "redirect to another host", host: "www.redirects", path: "/x/y?z", status: 308 },
    fields: { location: "http://redirects.test/x/y?z" },
  },
  {
    ...{ name: "rewrite", host: "rewrite", path: "/pages/page", status: 200, body: PAGE },
    fields: { "content-length": String(PAGE.length) },
  },
  {
    ...{ name: "fixed response", host: "respond", path: "/robots.txt", status: 200, body: "User-agent: *" },
    fields: { "content-type": "text/plain; charset=utf-8", "content-length": "13" },
  },
  {
    ...{ name: "fixed response to HEAD", host: "respond", method: "HEAD", path: "/robots.txt", status: 200, body: "" },
    fields: { "content-length": "13" },
  },
  {
    ...{ name: "password is asked for", host: "basic", path: "/page.html", status: 401 },
    fields: { "www-authenticate": 'Basic realm="Restricted", charset="UTF-8"' },
    differences: {
      nginx: {
        "www-authenticate": {
          has: 'Basic realm="Restricted"',
          because: "RFC 7617, section 2.1: charset lets browsers send any name",
        },
      },
      Caddy: {
        "www-authenticate": {
          has: 'Basic realm="Restricted"',
          because: "RFC 7617, section 2.1: charset lets browsers send any name",
        },
      },
    },
  },
  { name: "wrong password", host: "basic", path: "/page.html", lines: CREDENTIALS("ann", "wrong"), status: 401 },
  { name: "unknown user", host: "basic", path: "/page.html", lines: CREDENTIALS("bob", "secret"), status: 401 },
  {
    name: "right password",
    host: "basic",
    path: "/page.html",
    lines: CREDENTIALS("ann", "secret"),
    status: 200,
    body: PAGE,
  },
  { name: "address that is denied", host: "denied", path: "/page.html", status: 403 },
  { name: "address that is allowed", host: "allowed", path: "/page.html", status: 200, body: PAGE },
  {
    ...{ name: "preflight", host: "cors", method: "OPTIONS", path: "/page.html", status: 204, body: "" },
    lines: `Origin: ${ORIGIN}\r\n${PREFLIGHT}`,
    fields: {
      "access-control-allow-origin": ORIGIN,
      "access-control-allow-methods": "GET, PUT",
      "access-control-allow-headers": "Content-Type",
      "access-control-allow-credentials": "true",
      "access-control-max-age": "600",
    },
  },
  {
    ...{
      name: "page of an allowed origin",
      host: "cors",
      path: "/page.html",
      lines: `Origin: ${ORIGIN}\r\n`,
      status: 200,
    },
    fields: { "access-control-allow-origin": ORIGIN, "access-control-allow-credentials": "true", vary: "Origin" },
    body: PAGE,
  },
  {
    ...{ name: "page of another origin", host: "cors", path: "/page.html", lines: "Origin: https://evil.test\r\n" },
    ...{ status: 200, fields: { "access-control-allow-origin": undefined, vary: "Origin" }, body: PAGE },
  },
  {
    ...{ name: "security fields", host: "security", path: "/page.html", status: 200 },
    fields: {
      "x-content-type-options": "nosniff",
      "x-frame-options": "SAMEORIGIN",
      "referrer-policy": "strict-origin-when-cross-origin",
    },
  },
  {
    ...{ name: "security fields of an error", host: "security", path: "/none", status: 404 },
    fields: { "x-content-type-options": "nosniff" },
  },
  {
    ...{ name: "response field of an error", host: "security", path: "/none", status: 404 },
    fields: { "x-team": "shop" },
  },
  {
    ...{ name: "no compression for a client that takes none", host: "compression", path: "/large.txt", status: 200 },
    ...{ body: LARGE, fields: { "content-encoding": undefined, vary: "Accept-Encoding" } },
    differences: {
      Caddy: {
        vary: {
          has: undefined,
          because: "a cache would give this response to clients that take gzip, and the other way round",
        },
      },
    },
  },
  {
    ...{ name: "no compression of a small file", host: "compression", path: "/small.txt", status: 200, body: "small" },
    ...{ lines: "Accept-Encoding: gzip\r\n", fields: { "content-encoding": undefined } },
  },
  {
    ...{ name: "gzip;q=0 is no gzip", host: "compression", path: "/large.txt", status: 200, body: LARGE },
    ...{ lines: "Accept-Encoding: gzip;q=0\r\n", fields: { "content-encoding": undefined } },
  },
  {
    ...{ name: "maintenance", host: "maintenance", path: "/page.html", status: 503 },
    fields: { "retry-after": "300" },
  },
  {
    ...{ name: "error page", host: "errors", path: "/none", status: 404, body: FILES["www/404.html"] },
  },
  {
    name: "no HSTS in cleartext",
    host: "hsts",
    path: "/page.html",
    status: 200,
    fields: { "strict-transport-security": undefined },
  },
];

/** Sites of BWS by the first part of their host. */
const SITES: Readonly<Record<string, Partial<ConfigInput["sites"][number]>>> = {
  redirects: {
    redirects: [
      { from: "/old", to: "/new", status: 301 },
      { from: "/blog/:year/:slug", to: "/archive/{slug}?year={year}", status: 301 },
      { from: "/moved", to: "/target" },
    ],
  },
  "www.redirects": { redirects: [{ from: "/*", to: "http://redirects.test/{*}" }] },
  rewrite: { rewrite: [{ from: "/pages/:name", to: "/{name}.html" }] },
  respond: {
    respond: [{ path: "/robots.txt", status: 200, body: "User-agent: *", content_type: "text/plain; charset=utf-8" }],
  },
  basic: { basic_auth: { users: { ann: HASH } } },
  denied: { access: { deny: ["127.0.0.0/8"] } },
  allowed: { access: { allow: ["127.0.0.1"], deny: ["10.0.0.0/8"] } },
  cors: { cors: { origins: [ORIGIN], methods: ["GET", "PUT"], headers: ["Content-Type"], credentials: true } },
  security: { security_headers: true, response_headers: { set: { "X-Team": "shop" } } },
  compression: { compression: { enabled: true, algorithms: ["gzip"] } },
  limit: { rate_limit: { rate: "1/m", burst: 5 } },
  maintenance: { maintenance: true },
  errors: { error_pages: { "404": "www/404.html" } },
  hsts: { hsts: { max_age: "365d", include_subdomains: true } },
  log: { access_log: { output: "bws.log", format: "combined" } },
};

function nginxConfig(folder: string, port: number, tlsPort: number): string {
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((kind) =>
    `${kind}_temp_path ${folder}/t;`
  );
  const server = (host: string, rules: string, listen = `127.0.0.1:${port}`) =>
    `server { listen ${listen}; server_name ${host}.test; root ${folder}/www; absolute_redirect off; ${rules} }`;
  const security = ["X-Content-Type-Options nosniff", "X-Frame-Options SAMEORIGIN", "X-Team shop"]
    .concat("Referrer-Policy strict-origin-when-cross-origin").map((line) => `add_header ${line} always;`).join(" ");
  return `daemon off; master_process off; pid ${folder}/nginx.pid; error_log /dev/null;
events { worker_connections 64; }
http { access_log off; ${temporary.join(" ")} types { text/html html; text/plain txt; }
limit_req_zone $binary_remote_addr zone=one:1m rate=1r/m; limit_req_status 429;
map $http_origin $cors { "${ORIGIN}" $http_origin; }
map $http_origin $credentials { "${ORIGIN}" true; }
${
    server(
      "redirects",
      `location = /old { return 301 /new; }
  location ~ ^/blog/([^/]+)/([^/]+)$ { return 301 /archive/$2?year=$1; }
  location = /moved { return 308 /target$is_args$args; }`,
    )
  }
${server("www.redirects", "return 308 http://redirects.test$request_uri;")}
${server("rewrite", "rewrite ^/pages/([^/]+)$ /$1.html last;")}
${
    server(
      "respond",
      `location = /robots.txt { types {} default_type "text/plain; charset=utf-8"; return 200 "User-agent: *"; }`,
    )
  }
${server("basic", `auth_basic Restricted; auth_basic_user_file ${folder}/htpasswd;`)}
${server("denied", "deny 127.0.0.0/8;")}
${server("allowed", "allow 127.0.0.1; deny all;")}
${
    server(
      "cors",
      `add_header Access-Control-Allow-Origin $cors always; add_header Vary Origin always;
  add_header Access-Control-Allow-Credentials $credentials always;
  location / { if ($request_method = OPTIONS) { add_header Access-Control-Allow-Origin $cors; add_header Vary Origin;
    add_header Access-Control-Allow-Credentials $credentials; add_header Access-Control-Allow-Methods "GET, PUT";
    add_header Access-Control-Allow-Headers Content-Type; add_header Access-Control-Max-Age 600; return 204; } }`,
    )
  }
${server("security", security)}
${server("compression", "gzip on; gzip_vary on; gzip_min_length 1000; gzip_types text/plain;")}
${server("limit", "location / { limit_req zone=one burst=4 nodelay; }")}
${server("maintenance", "add_header Retry-After 300 always; return 503;")}
${server("errors", "error_page 404 /404.html;")}
${server("hsts", "")}
${server("log", `access_log ${folder}/nginx.log combined;`)}
${
    server(
      "tls",
      `ssl_certificate ${folder}/server.pem; ssl_certificate_key ${folder}/server.key;
  add_header Strict-Transport-Security "${HSTS}" always;`,
      `127.0.0.1:${tlsPort} ssl`,
    )
  }
}`;
}

function caddyfile(folder: string, port: number, tlsPort: number): string {
  const site = (host: string, rules: string) => `http://${host}.test:${port} {\nroot * ${folder}/www\n${rules}\n}\n`;
  const files = "file_server";
  return `{\nadmin off\nauto_https off\n}\n` + [
    site(
      "redirects",
      `redir /old /new 301
@blog path_regexp blog ^/blog/([^/]+)/([^/]+)$
redir @blog /archive/{re.blog.2}?year={re.blog.1} 301
redir /moved /target?{query} 308`,
    ),
    site("www.redirects", "redir http://redirects.test{uri} 308"),
    site("rewrite", `@page path_regexp page ^/pages/([^/]+)$\nrewrite @page /{re.page.1}.html\n${files}`),
    site(
      "respond",
      `header /robots.txt Content-Type "text/plain; charset=utf-8"\nrespond /robots.txt "User-agent: *" 200`,
    ),
    site("basic", `basicauth bcrypt Restricted {\nann ${HASH}\n}\n${files}`),
    site("denied", `@denied remote_ip 127.0.0.0/8\nrespond @denied 403\n${files}`),
    site("allowed", `@denied not remote_ip 127.0.0.1\nrespond @denied 403\n${files}`),
    site(
      "cors",
      `header Vary Origin
@allowed header Origin ${ORIGIN}
header @allowed {
Access-Control-Allow-Origin {header.Origin}
Access-Control-Allow-Credentials true
}
@preflight {
method OPTIONS
header Origin ${ORIGIN}
}
header @preflight {
Access-Control-Allow-Methods "GET, PUT"
Access-Control-Allow-Headers Content-Type
Access-Control-Max-Age 600
}
respond @preflight 204
${files}`,
    ),
    site(
      "security",
      `header {
X-Content-Type-Options nosniff
X-Frame-Options SAMEORIGIN
Referrer-Policy strict-origin-when-cross-origin
X-Team shop
}
${files}`,
    ),
    site("compression", `encode gzip\n${files}`),
    site("maintenance", "header Retry-After 300\nrespond 503"),
    site("errors", `${files}\nhandle_errors {\nrewrite * /404.html\n${files}\n}`),
    site("hsts", files),
    `https://localhost:${tlsPort} {\ntls ${folder}/server.pem ${folder}/server.key\nroot * ${folder}/www\n` +
    `header Strict-Transport-Security "${HSTS}"\n${files}\n}\n`,
  ].join("");
}

/** A server that is compared. */
interface Subject {
  readonly name: "BWS" | PeerName;
  readonly port: number;
  readonly tlsPort: number;
}

async function ask({ port }: Subject, { host, method = "GET", path, lines = "" }: Omit<Case, "name" | "status">) {
  return await exchange(port, `${method} ${path} HTTP/1.1\r\nHost: ${host}.test\r\n${lines}\r\n`, method);
}

/** What is compared of a response. */
function shown(got: ReceivedMessage, { fields = {}, body }: Case): Record<string, string | undefined> {
  const found: Record<string, string | undefined> = { status: String(statusOf(got)) };
  for (const name of Object.keys(fields)) found[name] = headerAll(got, name).join(", ") || undefined;
  if (body !== undefined) found.body = text(got.body);
  return found;
}

/** What a subject should give. */
function expected(one: Case, { name }: Subject): Record<string, string | undefined> {
  const { status, fields = {}, body, differences = {} } = one;
  const all: Record<string, string | undefined> = {
    status: String(status),
    ...fields,
    ...(body === undefined ? {} : { body }),
  };
  if (name === "BWS") return all;
  for (const [key, { has, because }] of Object.entries(differences[name] ?? {})) {
    assert(because.length > 10, "a difference has a reason");
    all[key] = has;
  }
  return all;
}

async function unpacked(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return await new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).text();
}

Deno.test("Features of sites give what nginx and Caddy give", async (test) => {
  await using made = await Certificates.make("DNS:localhost");
  await inTemporaryFolder({ ...FILES, htpasswd: `${HTPASSWD}\n` }, async (folder) => {
    for (const name of ["server.pem", "server.key"]) await Deno.copyFile(`${made.folder}/${name}`, `${folder}/${name}`);
    await Deno.chmod(folder, 0o755);
    const [nginx, caddy] = (["nginx", "Caddy"] as const).map((name): Subject => {
      return { name, port: freePort(), tlsPort: freePort() };
    });
    await Deno.writeTextFile(`${folder}/nginx.conf`, nginxConfig(folder, nginx.port, nginx.tlsPort));
    await Deno.writeTextFile(`${folder}/Caddyfile`, caddyfile(folder, caddy.port, caddy.tlsPort));
    const caddyArgs = ["run", "--config", `${folder}/Caddyfile`, "--adapter", "caddyfile"];
    const [nginxProgram, caddyProgram] = await Promise.all([
      startServerProgram("nginx", ["-p", folder, "-c", `${folder}/nginx.conf`], nginx.port),
      startServerProgram("caddy", caddyArgs, caddy.port, caddy.tlsPort),
    ]);
    await using _nginx = nginxProgram;
    await using _caddy = caddyProgram;
    const ports = [freePort(), freePort()];
    const site = { listen: "127.0.0.1", static_dir: "www", internal_api: false };
    const { config } = resolveConfig({
      logging: { access: false, output: "main.log" },
      sites: [
        ...Object.entries(SITES).map(([name, keys]) => {
          return { name, hostname: `${name}.test`, port: ports[0], ...site, ...keys };
        }),
        {
          ...{ name: "tls", hostname: "localhost", port: ports[1], ...site, hsts: SITES.hsts.hsts },
          tls: { cert_file: "server.pem", key_file: "server.key" },
        },
      ],
    }, { baseDir: folder });
    const log = openLog(config.logging);
    const server = await startServer(config, { log });
    const own: Subject = { name: "BWS", port: ports[0], tlsPort: ports[1] };
    const subjects = [
      own,
      ...(nginxProgram === undefined ? [] : [nginx]),
      ...(caddyProgram === undefined ? [] : [caddy]),
    ];
    const others = (...names: readonly PeerName[]) =>
      subjects.filter(({ name }) => name === "BWS" || names.includes(name));
    const step = async (name: string, run: () => Promise<void>, ignore = false) => {
      await test.step({ name, fn: run, ignore, sanitizeOps: false, sanitizeResources: false });
    };
    try {
      await step("nginx is here", async () => {}, nginxProgram === undefined);
      await step("Caddy is here", async () => {}, caddyProgram === undefined);
      for (const one of CASES) {
        await step(one.name, async () => {
          for (const subject of subjects) {
            assertEquals(shown(await ask(subject, one), one), expected(one, subject), subject.name);
          }
        });
      }
      await step("gzip has the same content, Vary and a weak tag, and is not sent again", () => compareGzip(subjects));
      await step("HSTS over https", () => compareHsts(subjects, made));
      await step("a limit lets the burst through and no more", () => compareLimit(others("nginx")), !await hasAb());
      await step("combined lines begin as those of nginx", () => compareLines(others("nginx"), folder));
    } finally {
      await server.stop();
      await log.end();
    }
  });
});

async function compareGzip(subjects: readonly Subject[]): Promise<void> {
  for (const subject of subjects) {
    const request = { host: "compression", path: "/large.txt", lines: "Accept-Encoding: gzip\r\n" };
    const got = await ask(subject, request);
    assertEquals([statusOf(got), header(got, "content-encoding"), header(got, "vary")], [
      200,
      "gzip",
      "Accept-Encoding",
    ], subject.name);
    assertEquals(await unpacked(got.body as Uint8Array<ArrayBuffer>), LARGE, subject.name);
    const tag = header(got, "etag") ?? "";
    // Caddy keeps the strong tag of the file, though the bytes are others (RFC 9110, section 8.8.1).
    if (subject.name !== "Caddy") assertMatch(tag, /^W\/"/, subject.name);
    const again = await ask(subject, { ...request, lines: `${request.lines}If-None-Match: ${tag}\r\n` });
    assertEquals([statusOf(again), again.body.length], [304, 0], subject.name);
  }
}

async function compareHsts(subjects: readonly Subject[], { caFile }: Certificates): Promise<void> {
  const client = Deno.createHttpClient({ caCerts: [await Deno.readTextFile(caFile)] });
  try {
    for (const { name, tlsPort } of subjects) {
      const response = await fetch(`https://localhost:${tlsPort}/page.html`, { client });
      assertEquals(await response.text(), PAGE, name);
      assertEquals(response.headers.get("strict-transport-security"), HSTS, name);
    }
  } finally {
    client.close();
  }
}

async function hasAb(): Promise<boolean> {
  try {
    return (await new Deno.Command("ab", { args: ["-V"], stdout: "null", stderr: "null" }).output()).success;
  } catch {
    return false;
  }
}

/** ApacheBench counts the responses that are not 2xx. With one token a minute no other comes back meanwhile. */
async function compareLimit(subjects: readonly Subject[]): Promise<void> {
  for (const { name, port } of subjects) {
    const args = ["-q", "-n", "20", "-c", "4", "-H", "Host: limit.test", `http://127.0.0.1:${port}/small.txt`];
    const report = new TextDecoder().decode((await new Deno.Command("ab", { args, stderr: "null" }).output()).stdout);
    assertMatch(report, /Complete requests:\s+20\n/, name);
    assertMatch(report, /Non-2xx responses:\s+15\n/, name);
    const refused = await exchange(port, "GET /small.txt HTTP/1.1\r\nHost: limit.test\r\n\r\n");
    assertEquals(statusOf(refused), 429, name);
    // nginx sends no Retry-After (RFC 6585, section 4: MAY); BWS does.
    assertEquals(header(refused, "retry-after") !== undefined, name === "BWS", name);
  }
}

async function compareLines(subjects: readonly Subject[], folder: string): Promise<void> {
  const lines = new Map<string, string>();
  for (const subject of subjects) {
    await ask(subject, {
      ...{ host: "log", path: "/large.txt?a=%22b%22", method: "HEAD" },
      lines: 'User-Agent: A "quoted" \\ agent\r\nReferer: http://site.test/?x="y"\r\n',
    });
    await ask(subject, { host: "log", path: "/none" });
    const file = `${folder}/${subject.name === "BWS" ? "bws" : "nginx"}.log`;
    let text = "";
    await until(`${file} has two lines`, async () => (text = await Deno.readTextFile(file)).split("\n").length > 2);
    const [head, missing] = text.split("\n").map((line) => {
      const [common] = /^[^"]*"[^"]*" \d+ \d+ "[^"]*" "[^"]*"/.exec(line) ?? [""];
      // nginx writes escapes in capitals.
      return common.replace(/\[[^\]]+\]/, "[time]").replace(/\\x[0-9A-F]{2}/g, (escape) => escape.toLowerCase());
    });
    // The body of an error is another one.
    lines.set(subject.name, [head, missing.replace(/ 404 \d+ /, " 404 N ")].join("\n"));
  }
  const [first] = lines.values();
  assertMatch(first, /^127\.0\.0\.1 - - \[time\] "HEAD \/large\.txt\?a=%22b%22 HTTP\/1\.1" 200 0 /);
  for (const [name, text] of lines) assertEquals(text, first, name);
}
