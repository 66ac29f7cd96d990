/**
 * What HTTPS and HTTP/2 cost: processor time of BWS and of nginx for a request over TLS, by HTTP/1.1 and HTTP/2, for a new
 * connection, towards an upstream of HTTP/2, for idle connections, and with 10,000 streams at a time.
 *
 * `deno run -A bench/https.ts [--only ROW,…] [--rounds N] [--seconds N] [--peers bws,nginx] [--flags FLAG,…]`; Linux, with
 * nginx, h2load and openssl. The flags go to Deno, as `--cpu-prof`.
 *
 * @module
 */

// @ts-types="../types/std/parse-args.d.ts"
import { parseArgs } from "@std/cli/parse-args";
import { bwsArguments } from "./peers/bws.ts";
import { nginxMain, nginxTemporary } from "./peers/nginx.ts";
import { freePort, listening, LOAD_CORE, PROXY_CORE, runPinned, startPinned, stopAll } from "./pinned_process.ts";
import { processorUs, residentBytes } from "./process_tree.ts";
import { table } from "./report.ts";
import { startUpstream } from "./upstream_server.ts";

/** A row of the report. */
interface Row {
  readonly key: string;
  readonly title: string;
  /** Arguments of h2load but for the number of requests; none where connections idle. */
  readonly load: readonly string[];
  readonly path?: string;
  /** Which port of the proxy. @default "tls" */
  readonly to?: "tls" | "clear" | "h2";
  /** Requests of a round that takes about a second. */
  readonly requests: number;
  /** Whether each request has a connection of its own. */
  readonly connects?: boolean;
  /** Most that BWS may cost, times nginx. */
  readonly goal?: number;
}

const ROWS: readonly Row[] = [
  { key: "h1", title: "HTTP/1.1 over TLS, 12 B", load: ["--h1", "-c20"], requests: 20_000, goal: 1.7 },
  { key: "h1-64k", title: "HTTP/1.1 over TLS, 64 KB", load: ["--h1", "-c20"], path: "/body/64k", requests: 5000 },
  { key: "h2", title: "HTTP/2, one stream, 12 B", load: ["-c20", "-m1"], requests: 20_000, goal: 1.7 },
  { key: "h2-10", title: "HTTP/2, ten streams, 12 B", load: ["-c10", "-m10"], requests: 30_000, goal: 1.5 },
  { key: "h2-64k", title: "HTTP/2, 64 KB", load: ["-c20", "-m1"], path: "/body/64k", requests: 5000, goal: 1.7 },
  { key: "connect", title: "new TLS connection, one request", load: ["-c1"], requests: 400, connects: true, goal: 4 },
  { key: "clear", title: "cleartext, upstream of HTTP/1.1", load: ["--h1", "-c20"], to: "clear", requests: 20_000 },
  { key: "upstream-h2", title: "cleartext, upstream of HTTP/2", load: ["--h1", "-c20"], to: "h2", requests: 20_000 },
  { key: "streams", title: "10,000 streams of 100 connections", load: ["-c100", "-m100"], requests: 50_000 },
];

const PEERS = ["bws", "nginx"] as const;
type PeerKey = (typeof PEERS)[number];

interface Ports {
  readonly tls: number;
  readonly clear: number;
  readonly h2: number;
}

interface World {
  readonly folder: string;
  readonly upstream: number;
  readonly upstreamH2: number;
  readonly seconds: number;
}

/** What a row cost a peer. */
interface Cost {
  readonly microseconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly memoryMb: number;
}

/** A busy machine takes long. */
const START_MS = 30_000;

if (import.meta.main) await main();

async function main(): Promise<void> {
  const flags = parseArgs(Deno.args, { string: ["only", "rounds", "seconds", "peers", "flags"] });
  const listed = (name: string) => typeof flags[name] === "string" ? flags[name].split(",") : undefined;
  const only = listed("only");
  const named = listed("peers");
  const rows = ROWS.filter(({ key }) => only === undefined || only.includes(key));
  const peers = PEERS.filter((peer) => named === undefined || named.includes(peer));
  const rounds = Number(flags.rounds ?? 3);
  const folder = await Deno.makeTempDir({ prefix: "bws-https-" });
  try {
    await makeCertificate(folder);
    const { port: upstream } = await startUpstream(LOAD_CORE, folder);
    const upstreamH2 = freePort();
    const text = await Deno.readTextFile(`${folder}/upstream.conf`);
    const h2 = text.replace(/listen [^;]*;/g, "").replace(
      "server { ",
      `server { listen 127.0.0.1:${upstreamH2} http2; `,
    );
    await Deno.writeTextFile(`${folder}/upstream2.conf`, h2.replaceAll("nginx.pid", "nginx2.pid"));
    const child = startPinned(LOAD_CORE, "nginx", ["-c", `${folder}/upstream2.conf`, "-p", folder, "-e", "/dev/null"]);
    await listening(upstreamH2, child);
    const world = { folder, upstream, upstreamH2, seconds: Number(flags.seconds ?? 1) };
    const costs = new Map<string, Cost[]>();
    const extra = listed("flags") ?? [];
    // All run at the same time, and are measured in turns: a machine that is slower for a while is so for all.
    const running: RunningPeer[] = [];
    for (const peer of peers) running.push(await startPeer(peer, world, extra));
    for (let round = 0; round < rounds; round++) {
      for (const row of rows) for (const peer of running) await measure(row, peer, world, costs);
    }
    report(rows, costs);
  } finally {
    await stopAll();
    await Deno.remove(folder, { recursive: true });
  }
  Deno.exit(0);
}

interface RunningPeer {
  readonly key: PeerKey;
  readonly ports: Ports;
  readonly pid: number;
}

async function startPeer(key: PeerKey, world: World, flags: readonly string[]): Promise<RunningPeer> {
  const ports = { tls: freePort(), clear: freePort(), h2: freePort() };
  const [command, args] = await (key === "bws" ? bwsCommand(ports, world, flags) : nginxCommand(ports, world));
  const child = startPinned(PROXY_CORE, command, [...args], { errorFile: `${world.folder}/${key}.log` });
  await listening(ports.tls, child, START_MS);
  return { key, ports, pid: child.pid };
}

async function measure(row: Row, peer: RunningPeer, world: World, costs: Map<string, Cost[]>): Promise<void> {
  if (peer.key === "nginx" && row.to === "h2") return;
  const { folder, seconds } = world;
  const requests = Math.round(row.requests * seconds);
  const key = `${row.key} ${peer.key}`;
  const before = costs.get(key) ?? [];
  // V8 compiles what runs often.
  if (before.length === 0) await load(row, peer.ports, { requests, folder });
  const beforeUs = await processorUs(peer.pid);
  const times = await load(row, peer.ports, { requests, folder });
  const us = await processorUs(peer.pid) - beforeUs;
  const memoryMb = await residentBytes(peer.pid) / 1e6;
  costs.set(key, [...before, { microseconds: us / requests, ...percentiles(times), memoryMb }]);
}

/** Runs a load; gives the time of each request in µs. */
async function load(
  { load: args, path = "/", to = "tls", connects }: Row,
  ports: Ports,
  { requests, folder }: { requests: number; folder: string },
): Promise<number[]> {
  const url = `http${to === "tls" ? "s" : ""}://127.0.0.1:${ports[to]}${path}`;
  const log = `${folder}/h2load.log`;
  await Deno.remove(log).catch(() => {});
  // Connections follow each other, so that each is a handshake and not one of a crowd.
  const more = connects === true ? [`-c${requests}`, `-r${requests}`, "--rate-period=2s"] : args;
  const said = await runPinned(LOAD_CORE, "h2load", ["-t1", `-n${requests}`, ...more, `--log-file=${log}`, url]);
  const done = Number(/(\d+) succeeded/.exec(said)?.[1]);
  if (done !== requests) throw new Error(`h2load: ${done} of ${requests} requests succeeded\n${said}`);
  const all = (await Deno.readTextFile(log)).trim().split("\n").map((line) => Number(line.split("\t")[2]));
  return all;
}

function percentiles(times: readonly number[]): { p50Ms: number; p99Ms: number } {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.floor(share * (sorted.length - 1))] / 1000;
  return { p50Ms: at(0.5), p99Ms: at(0.99) };
}

function report(rows: readonly Row[], costs: ReadonlyMap<string, Cost[]>): void {
  const lines = rows.map((row) => {
    const [own, other] = PEERS.map((peer) => cheapest(costs.get(`${row.key} ${peer}`)));
    const ratio = own === undefined || other === undefined ? "" : (own.microseconds / other.microseconds).toFixed(2);
    const shown = (cost: Cost | undefined) =>
      cost === undefined
        ? ["", "", "", ""]
        : [cost.microseconds.toFixed(1), cost.p50Ms.toFixed(1), cost.p99Ms.toFixed(1), cost.memoryMb.toFixed(0)];
    return [row.title, ratio, row.goal === undefined ? "" : String(row.goal), ...shown(own), ...shown(other)];
  });
  const of = (peer: string) => ["µs", "p50 ms", "p99 ms", "MB"].map((what) => `${peer} ${what}`);
  // deno-lint-ignore no-console -- the report
  console.log(table([["row", "× nginx", "goal", ...of("BWS"), ...of("nginx")], ...lines]));
}

/** The cheapest round: what else a machine does makes the others dearer. */
function cheapest(costs: readonly Cost[] | undefined): Cost | undefined {
  return costs?.toSorted((a, b) => a.microseconds - b.microseconds)[0];
}

async function bwsCommand(ports: Ports, { folder, upstream, upstreamH2 }: World, flags: readonly string[]) {
  const site = (port: number, url: string, more: string) =>
    `[[sites]]
port = ${port}
listen = "127.0.0.1"
${more}
[[sites.proxy.upstreams]]
name = "u"
url = "${url}"
[[sites.proxy.routes]]
path = "/"
upstream = "u"
`;
  const tls = `[sites.tls]\ncert_file = "${folder}/cert.pem"\nkey_file = "${folder}/key.pem"\n[sites.proxy]`;
  const sites = [
    site(ports.tls, `http://127.0.0.1:${upstream}`, tls),
    site(ports.clear, `http://127.0.0.1:${upstream}`, ""),
    site(ports.h2, `h2c://127.0.0.1:${upstreamH2}`, ""),
  ];
  const file = `${folder}/https.toml`;
  await Deno.writeTextFile(file, `[logging]\naccess = false\n${sites.join("")}`);
  return [Deno.execPath(), bwsArguments(file, flags)] as const;
}

async function nginxCommand({ tls, clear }: Ports, { folder, upstream }: World) {
  const file = `${folder}/https.conf`;
  await Deno.writeTextFile(
    file,
    `${nginxMain(folder, 1).replace("nginx.pid", "peer.pid")}
http { access_log off; keepalive_requests 1000000000; keepalive_timeout 600s; ${nginxTemporary(folder)}
http2_max_concurrent_streams 1000; proxy_max_temp_file_size 0; proxy_http_version 1.1; proxy_set_header Connection "";
proxy_set_header Host $host; proxy_set_header X-Forwarded-For $remote_addr; proxy_set_header X-Request-Id $request_id;
ssl_certificate ${folder}/cert.pem; ssl_certificate_key ${folder}/key.pem; ssl_protocols TLSv1.2 TLSv1.3;
upstream u { server 127.0.0.1:${upstream}; keepalive 256; keepalive_requests 1000000000; }
server { listen 127.0.0.1:${tls} ssl http2 backlog=4096; location / { proxy_pass http://u; } }
server { listen 127.0.0.1:${clear} backlog=4096; location / { proxy_pass http://u; } } }
`,
  );
  return ["nginx", ["-c", file, "-p", folder, "-e", "/dev/null"]] as const;
}

async function makeCertificate(folder: string): Promise<void> {
  const names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"];
  const files = ["-keyout", `${folder}/key.pem`, "-out", `${folder}/cert.pem`];
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  await runPinned(LOAD_CORE, "openssl", ["req", "-x509", "-days", "2", ...key, ...names, ...files]);
}
