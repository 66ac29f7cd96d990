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
import { installedPeers, type Peer, withPeer } from "./peers.ts";
import { freePort, installed, listening, LOAD_CORE, processorTicks, runPinned, startPinned } from "./pinned_process.ts";

interface Round {
  microseconds: number;
  requestsPerSecond: number;
  p99Ms: number;
}

const flags = parseArgs(Deno.args, { string: ["rounds", "seconds", "connections"] });
const ROUNDS = Number(flags.rounds ?? 3);
const SECONDS = Number(flags.seconds ?? 3);
const CONNECTIONS = Number(flags.connections ?? 64);

if (Deno.build.os !== "linux" || !await installed("wrk") || !await installed("taskset")) {
  say("This needs Linux, wrk and taskset.");
  Deno.exit(1);
}
const folder = await Deno.makeTempDir({ prefix: "bws-bench-" });
const upstreamPort = freePort();
const upstream = await startUpstream(upstreamPort);
const results = new Map<string, Round[]>();
try {
  const peers = await installedPeers((name) => say(`${name} is not installed: left out`));
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

function measure(peer: Peer): Promise<Round> {
  return withPeer(peer, { upstream: upstreamPort, folder }, async (port, pid) => {
    await load(port, 1);
    const before = await processorTicks(pid);
    const { requests, perSecond, p99Ms } = await load(port, SECONDS);
    const ticks = await processorTicks(pid) - before;
    return { microseconds: ticks * 10_000 / requests, requestsPerSecond: perSecond, p99Ms };
  });
}

async function load(port: number, seconds: number): Promise<{ requests: number; perSecond: number; p99Ms: number }> {
  const url = `http://127.0.0.1:${port}/`;
  const args = ["-t1", `-c${CONNECTIONS}`, `-d${seconds}`, "--latency", url];
  const text = await runPinned(LOAD_CORE, "wrk", args);
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
    const process = startPinned(LOAD_CORE, Deno.execPath(), ["eval", code]);
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
  const process = startPinned(LOAD_CORE, "nginx", ["-c", file]);
  await listening(port);
  return process;
}

function say(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(text + "\n"));
}
