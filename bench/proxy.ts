/**
 * What a proxied request costs: BWS, nginx, HAProxy and Caddy, whichever are installed, each on one core in front of the
 * same upstream on the other core, in turns, round after round. Prints medians of processor time a request, which noise
 * on the machine moves less than throughput.
 *
 * `deno task bench [--rounds N] [--seconds N] [--connections N]`; Linux, with wrk and taskset.
 *
 * @module
 */

// @ts-types="../types/std/parse-args.d.ts"
import { parseArgs } from "@std/cli/parse-args";

interface Peer {
  name: string;
  /** Starts it on `port`, in front of `upstream`; gives the processes whose time counts. */
  start(port: number, upstream: number, folder: string): Promise<Deno.ChildProcess>;
}

interface Round {
  microseconds: number;
  requestsPerSecond: number;
  p99Ms: number;
}

const flags = parseArgs(Deno.args, { string: ["rounds", "seconds", "connections"] });
const ROUNDS = Number(flags.rounds ?? 3);
const SECONDS = Number(flags.seconds ?? 3);
const CONNECTIONS = Number(flags.connections ?? 64);
const PROXY_CORE = "0";
const LOAD_CORE = "1";
const ROOT = new URL("../", import.meta.url).pathname;

const PEERS: Peer[] = [
  {
    name: "BWS",
    start: async (port, upstream, folder) => {
      const file = `${folder}/bws.toml`;
      await Deno.writeTextFile(
        file,
        `[logging]\naccess = false\n[[sites]]\nport = ${port}\nlisten = "127.0.0.1"\n[[sites.proxy.upstreams]]\nname = "u"\n` +
          `url = "http://127.0.0.1:${upstream}"\n[[sites.proxy.routes]]\npath = "/"\nupstream = "u"\n`,
      );
      return pinned(PROXY_CORE, Deno.execPath(), ["run", "-A", `${ROOT}main.ts`, file]);
    },
  },
  {
    name: "nginx",
    start: async (port, upstream, folder) => {
      const file = `${folder}/nginx.conf`;
      await Deno.writeTextFile(
        file,
        `daemon off; worker_processes 1; error_log /dev/null; pid ${folder}/nginx.pid; events { worker_connections 4096; }
http { access_log off; keepalive_requests 1000000000;
upstream u { server 127.0.0.1:${upstream}; keepalive 128; keepalive_requests 1000000000; }
server { listen 127.0.0.1:${port}; location / { proxy_pass http://u; proxy_http_version 1.1; proxy_set_header Connection "";
proxy_set_header Host $host; proxy_set_header X-Forwarded-For $remote_addr; proxy_set_header X-Request-Id $request_id; } } }`,
      );
      return pinned(PROXY_CORE, "nginx", ["-c", file]);
    },
  },
  {
    name: "HAProxy",
    start: async (port, upstream, folder) => {
      const file = `${folder}/haproxy.cfg`;
      await Deno.writeTextFile(
        file,
        `global
  nbthread 1
  maxconn 4096
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  option forwardfor
frontend f
  bind 127.0.0.1:${port}
  default_backend b
backend b
  http-reuse always
  server s 127.0.0.1:${upstream}
`,
      );
      return pinned(PROXY_CORE, "haproxy", ["-f", file, "-db"]);
    },
  },
  {
    name: "Caddy",
    start: async (port, upstream, folder) => {
      const file = `${folder}/Caddyfile`;
      await Deno.writeTextFile(
        file,
        `{\nadmin off\nauto_https off\n}\nhttp://127.0.0.1:${port} {\nreverse_proxy 127.0.0.1:${upstream}\n}\n`,
      );
      return pinned(PROXY_CORE, "caddy", ["run", "--config", file, "--adapter", "caddyfile"], {
        GOMAXPROCS: "1",
        HOME: folder,
      });
    },
  },
];

if (Deno.build.os !== "linux" || !await installed("wrk") || !await installed("taskset")) {
  say("This needs Linux, wrk and taskset.");
  Deno.exit(1);
}
const folder = await Deno.makeTempDir({ prefix: "bws-bench-" });
const upstreamPort = freePort();
const upstream = await startUpstream(upstreamPort);
const results = new Map<string, Round[]>();
try {
  const peers: Peer[] = [];
  for (const peer of PEERS) {
    if (peer.name === "BWS" || await installed(peer.name.toLowerCase())) peers.push(peer);
    else say(`${peer.name} is not installed: left out`);
  }
  for (let round = 1; round <= ROUNDS; round++) {
    for (const peer of peers) {
      const measured = await measure(peer);
      results.set(peer.name, [...results.get(peer.name) ?? [], measured]);
      say(`round ${round}: ${peer.name}: ${measured.microseconds.toFixed(1)} µs`);
    }
  }
} finally {
  upstream.kill("SIGKILL");
  await upstream.status;
  await Deno.remove(folder, { recursive: true });
}
report();

async function measure(peer: Peer): Promise<Round> {
  const port = freePort();
  const process = await peer.start(port, upstreamPort, folder);
  try {
    await listening(port);
    await load(port, 1);
    const before = await processorTicks(process.pid);
    const { requests, perSecond, p99Ms } = await load(port, SECONDS);
    const ticks = await processorTicks(process.pid) - before;
    return { microseconds: ticks * 10_000 / requests, requestsPerSecond: perSecond, p99Ms };
  } finally {
    // nginx's worker goes with its master only when that is asked to stop.
    process.kill("SIGTERM");
    await process.status;
  }
}

async function load(port: number, seconds: number): Promise<{ requests: number; perSecond: number; p99Ms: number }> {
  const url = `http://127.0.0.1:${port}/`;
  const args = ["-c", LOAD_CORE, "wrk", "-t1", `-c${CONNECTIONS}`, `-d${seconds}`, "--latency", url];
  const { stdout } = await new Deno.Command("taskset", { args }).output();
  const text = new TextDecoder().decode(stdout);
  const errors = /Non-2xx.*|Socket errors.*/.exec(text);
  if (errors !== null) throw new Error(`The load met errors: ${errors[0]}`);
  const found = /(\d+) requests in/.exec(text);
  const rate = /Requests\/sec:\s+([\d.]+)/.exec(text);
  const p99 = /99%\s+([\d.]+)(us|ms|s)/.exec(text);
  if (found === null || rate === null || p99 === null) throw new Error(`wrk said: ${text}`);
  const scale = { us: 0.001, ms: 1, s: 1000 }[p99[2]] ?? 1;
  return { requests: Number(found[1]), perSecond: Number(rate[1]), p99Ms: Number(p99[1]) * scale };
}

function report(): void {
  const median = (values: number[]) => values.toSorted((a, b) => a - b)[values.length >> 1];
  const nginx = results.get("nginx");
  const base = nginx === undefined ? undefined : median(nginx.map((round) => round.microseconds));
  say(`\n| proxy | processor µs a request | times nginx | requests/s on one core | p99 ms |\n|---|---|---|---|---|`);
  for (const [name, rounds] of results) {
    const cost = median(rounds.map((round) => round.microseconds));
    const rate = median(rounds.map((round) => round.requestsPerSecond));
    const p99 = median(rounds.map((round) => round.p99Ms));
    const ratio = base === undefined ? "–" : (cost / base).toFixed(2);
    say(`| ${name} | ${cost.toFixed(1)} | ${ratio} | ${Math.round(rate)} | ${p99.toFixed(2)} |`);
  }
  say(`\nMedians of ${ROUNDS} rounds of ${SECONDS} s, ${CONNECTIONS} connections; small GET, access logs off.`);
}

async function startUpstream(port: number): Promise<Deno.ChildProcess> {
  if (!await installed("nginx")) {
    const code =
      `Deno.serve({ port: ${port}, hostname: "127.0.0.1", onListen() {} }, () => new Response("hello, world"));`;
    const process = pinned(LOAD_CORE, Deno.execPath(), ["eval", code]);
    await listening(port);
    return process;
  }
  const file = `${folder}/upstream.conf`;
  await Deno.writeTextFile(
    file,
    `daemon off; master_process off; error_log /dev/null; pid ${folder}/upstream.pid; events { worker_connections 4096; }
http { access_log off; keepalive_requests 1000000000; keepalive_timeout 600s;
server { listen 127.0.0.1:${port}; location / { default_type text/plain; return 200 "hello, world"; } } }`,
  );
  const process = pinned(LOAD_CORE, "nginx", ["-c", file]);
  await listening(port);
  return process;
}

function pinned(core: string, command: string, args: string[], env: Record<string, string> = {}): Deno.ChildProcess {
  return new Deno.Command("taskset", {
    args: ["-c", core, command, ...args],
    stdin: "null",
    stdout: "null",
    stderr: "null",
    env,
  }).spawn();
}

/** User and system time of a process and its children, in ticks of 10 ms. taskset replaces itself, so the pid stays. */
async function processorTicks(pid: number): Promise<number> {
  let ticks = 0;
  for (const member of [pid, ...await children(pid)]) {
    const stat = await Deno.readTextFile(`/proc/${member}/stat`);
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    ticks += Number(fields[11]) + Number(fields[12]);
  }
  return ticks;
}

async function children(pid: number): Promise<number[]> {
  const { stdout } = await new Deno.Command("pgrep", { args: ["-P", String(pid)] }).output();
  return new TextDecoder().decode(stdout).split("\n").filter((line) => line !== "").map(Number);
}

async function listening(port: number): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    try {
      (await Deno.connect({ hostname: "127.0.0.1", port })).close();
      return;
    } catch {
      // Not yet there: looked at again in a moment.
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  throw new Error(`Nothing listens on port ${port} after 10 s`);
}

function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  listener.close();
  return port;
}

async function installed(program: string): Promise<boolean> {
  const { success } = await new Deno.Command("which", { args: [program], stdout: "null", stderr: "null" }).output();
  return success;
}

function say(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(text + "\n"));
}
