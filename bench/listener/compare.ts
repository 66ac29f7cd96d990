/**
 * The own listener beside `Deno.serve`, in front of the same generation with the same config: each on one core, load and
 * upstream on the other, in turns, round after round. Prints medians.
 *
 * `deno run -A bench/listener/compare.ts [--rounds N] [--seconds N] [--only cost,idle,slow,upload,socket]`; Linux, with
 * wrk, nginx and taskset.
 *
 * @module
 */

// @ts-types="../../types/std/parse-args.d.ts"
import { parseArgs } from "@std/cli/parse-args";
import type { ConfigInput } from "../../lib/generation/config/config_types.ts";
import { freePort, installed, listening, LOAD_CORE, runPinned } from "../pinned_process.ts";
import type { PacedLoad } from "./paced_load.ts";
import { heldAfter, SLOW_CLIENTS } from "./slow_load.ts";
import { type ListenerKind, Subject, type SubjectOptions } from "./subject.ts";

const flags = parseArgs(Deno.args, { string: ["rounds", "seconds", "only"] });
const ROUNDS = Number(flags.rounds ?? 3);
const SECONDS = Number(flags.seconds ?? 2);
const ONLY = String(flags.only ?? "cost,idle,slow,upload,socket").split(",");
const KINDS: readonly ListenerKind[] = ["serve", "own"];
const PER_ROUND: ReadonlySet<string> = new Set(["idle", "upload", "socket"]);
const UPLOADS = [{ chunk: 16, total: 2 ** 20 }, { chunk: 16_384, total: 2 ** 26 }] as const;

for (const program of ["wrk", "nginx", "taskset"]) {
  if (await installed(program)) continue;
  say(`This needs ${program}.`);
  Deno.exit(1);
}
const folder = await Deno.makeTempDir({ prefix: "bws-listener-" });
const children: Deno.ChildProcess[] = [];
const values = new Map<string, Record<ListenerKind, number[]>>();
try {
  const [pages, sink, echo] = [freePort(), freePort(), freePort()];
  await startPages(pages);
  startProgram("sink_program.ts", sink);
  startProgram("echo_program.ts", echo);
  await Promise.all([pages, sink, echo].map((port) => listening(port)));
  const config = configOf(pages, sink, echo);
  if (ONLY.includes("cost")) await measureCost({ config });
  for (let round = 1; round <= ROUNDS && ONLY.some((name) => PER_ROUND.has(name)); round++) {
    say(`round ${round} of ${ROUNDS}`);
    // Whoever goes first changes from round to round: the machine may tire.
    for (const kind of round % 2 === 1 ? KINDS : KINDS.toReversed()) {
      if (ONLY.includes("upload")) await measureUploads(kind, { config });
      if (ONLY.includes("socket")) await measureSockets(kind, { config });
      if (ONLY.includes("idle")) await measureIdle(kind, { config, limits: { idle_timeout: 0 } });
    }
  }
  if (ONLY.includes("slow")) { for (const kind of KINDS) await measureSlow(kind, config); }
  report();
} finally {
  for (const child of children) child.kill("SIGKILL");
  await Promise.all(children.map((child) => child.status));
  await Deno.remove(folder, { recursive: true });
}

// Both are up at once and are loaded in turns of a second: what disturbs the machine for longer disturbs both.
async function measureCost(options: SubjectOptions): Promise<void> {
  await using serve = await Subject.start("serve", options);
  await using own = await Subject.start("own", options);
  const subjects = { serve, own };
  const targets = {
    "proxied, 12 B": "/",
    "proxied, 64 KB": "/64k",
    "file, 1 KB": "/files/1k",
    "own health": "/api/health/live",
  };
  for (const path of Object.values(targets)) {
    for (const kind of KINDS) await wrk(subjects[kind].port, path, SECONDS);
  }
  const turns = Array.from({ length: ROUNDS }, (_, round) => round % 2 === 0 ? KINDS : KINDS.toReversed());
  let perSecond = Infinity;
  for (const [name, path] of Object.entries(targets)) {
    for (const kind of turns.flat()) {
      const beforeUs = await subjects[kind].processorUs();
      const load = await wrk(subjects[kind].port, path, 1);
      note(`µs of processor a request: ${name}`, kind, (await subjects[kind].processorUs() - beforeUs) / load.requests);
      note(`requests/s on one core: ${name}`, kind, load.perSecond);
      if (path === "/") perSecond = Math.min(perSecond, load.perSecond);
    }
  }
  // Half of the worst second of either, so that neither is overloaded when the machine is busy.
  const rate = Math.round(perSecond / 2);
  for (const kind of turns.flat()) {
    const args = [subjects[kind].port, "/", rate, SECONDS, 32];
    const load: PacedLoad = JSON.parse(await runOwn("paced_load.ts", args));
    note("p50 ms at half load", kind, load.p50Ms);
    note("p99 ms at half load", kind, load.p99Ms);
  }
  say(`half load is ${rate} requests/s`);
}

async function measureUploads(kind: ListenerKind, options: SubjectOptions): Promise<void> {
  await using subject = await Subject.start(kind, options);
  for (const { chunk, total } of UPLOADS) {
    const beforeUs = await subject.processorUs();
    const tookMs = Number(await runOwn("upload_load.ts", [subject.port, chunk, total]));
    const name = `upload of ${total / 2 ** 20} MiB in chunks of ${chunk} B`;
    note(`ms: ${name}`, kind, tookMs);
    note(`µs of processor a chunk: ${name}`, kind, (await subject.processorUs() - beforeUs) / (total / chunk));
  }
}

async function measureSockets(kind: ListenerKind, options: SubjectOptions): Promise<void> {
  await using subject = await Subject.start(kind, options);
  for (const bytes of [128, 65_536]) {
    await runOwn("socket_load.ts", [subject.port, 64, 1, bytes]);
    const beforeUs = await subject.processorUs();
    const echoes = Number(await runOwn("socket_load.ts", [subject.port, 64, SECONDS, bytes]));
    // An echo passes twice.
    const us = (await subject.processorUs() - beforeUs) / (2 * echoes);
    note(`µs of processor a WebSocket message of ${bytes} B`, kind, us);
  }
}

async function measureIdle(kind: ListenerKind, options: SubjectOptions): Promise<void> {
  await using subject = await Subject.start(kind, options);
  await wrk(subject.port, "/", 1);
  const baseBytes = await subject.residentBytes();
  const conns: Deno.TcpConn[] = [];
  const request = new TextEncoder().encode("GET /none/x HTTP/1.1\r\nHost: site.test\r\n\r\n");
  const buffer = new Uint8Array(4096);
  for (const count of [1000, 10_000]) {
    while (conns.length < count) {
      const conn = await Deno.connect({ hostname: "127.0.0.1", port: subject.port });
      await conn.write(request);
      await conn.read(buffer);
      conns.push(conn);
    }
    const bytes = await subject.residentBytes() - baseBytes;
    note(`KiB of memory an idle connection, of ${count}`, kind, bytes / count / 1024);
    const beforeUs = await subject.processorUs();
    await new Promise((resolve) => setTimeout(resolve, 2000));
    note(`% of a core for ${count} idle connections`, kind, (await subject.processorUs() - beforeUs) / 2e6 * 100);
  }
  for (const conn of conns) conn.close();
}

async function measureSlow(kind: ListenerKind, config: ConfigInput): Promise<void> {
  const limits = { header_timeout: 3000, body_timeout: 3000, idle_timeout: 3000, write_timeout: 3000 };
  for (const client of SLOW_CLIENTS) {
    await using subject = await Subject.start(kind, { config, limits });
    const held = await heldAfter(client, { port: subject.port, count: 100, seconds: 6 });
    note(`of 100 held after 6 s (timeouts of 3 s): ${client.name}`, kind, held);
  }
}

async function wrk(port: number, path: string, seconds: number): Promise<{ requests: number; perSecond: number }> {
  const text = await runPinned(LOAD_CORE, "wrk", ["-t1", "-c64", `-d${seconds}`, `http://127.0.0.1:${port}${path}`]);
  const found = /(\d+) requests in/.exec(text);
  const rate = /Requests\/sec:\s+([\d.]+)/.exec(text);
  if (found === null || rate === null || /Socket errors/.test(text)) throw new Error(`wrk said: ${text}`);
  return { requests: Number(found[1]), perSecond: Number(rate[1]) };
}

function runOwn(file: string, args: (string | number)[]): Promise<string> {
  const program = new URL(file, import.meta.url).pathname;
  const said = runPinned(LOAD_CORE, Deno.execPath(), ["run", "-A", "--no-check", program, ...args.map(String)]);
  return said.then((text) => {
    if (text === "") throw new Error(`${file} failed`);
    return text;
  });
}

function startProgram(file: string, port: number): void {
  const program = new URL(file, import.meta.url).pathname;
  start(Deno.execPath(), ["run", "-A", "--no-check", program, String(port)]);
}

function start(command: string, args: string[]): void {
  const quiet = { stdin: "null", stdout: "null", stderr: "null" } as const;
  children.push(new Deno.Command("taskset", { args: ["-c", LOAD_CORE, command, ...args], ...quiet }).spawn());
}

async function startPages(port: number): Promise<void> {
  await Deno.mkdir(`${folder}/files`);
  await Deno.writeTextFile(`${folder}/64k`, "x".repeat(65_536));
  await Deno.writeTextFile(`${folder}/files/1k`, "x".repeat(1024));
  await Deno.chmod(folder, 0o755);
  const file = `${folder}/nginx.conf`;
  await Deno.writeTextFile(
    file,
    `daemon off; master_process off; error_log /dev/null; pid ${folder}/nginx.pid; events { worker_connections 4096; }
http { access_log off; keepalive_requests 1000000000; keepalive_timeout 600s; default_type text/plain;
server { listen 127.0.0.1:${port}; root ${folder}; location = / { return 200 "hello, world"; } } }`,
  );
  start("nginx", ["-c", file]);
}

function configOf(pages: number, sink: number, echo: number): ConfigInput {
  const upstreams = Object.entries({ pages, sink, echo }).map(([name, port]) => ({
    name,
    url: `http://127.0.0.1:${port}`,
  }));
  return {
    logging: { access: false },
    sites: [{
      listen: "127.0.0.1",
      port: 0,
      static_dir: folder,
      proxy: {
        timeout: { client: "3s" },
        upstreams,
        routes: [
          { path: "/", exact: true, upstream: "pages" },
          { path: "/64k", exact: true, upstream: "pages" },
          { path: "/upload", upstream: "sink" },
          { path: "/socket", upstream: "echo", websocket: true },
        ],
      },
    }],
  };
}

function note(what: string, kind: ListenerKind, value: number): void {
  let rounds = values.get(what);
  if (rounds === undefined) values.set(what, rounds = { serve: [], own: [] });
  rounds[kind].push(value);
}

// The ratio is that of neighbours in time, round by round, and so moves less than the medians.
function report(): void {
  say("\n| what | Deno.serve | own listener | own / Deno.serve |\n|---|---|---|---|");
  const median = (all: number[]) => all.toSorted((a, b) => a - b)[all.length >> 1];
  for (const [what, { serve, own }] of values) {
    const ratio = median(own.map((value, round) => value / serve[round]));
    say(
      `| ${what} | ${shown(median(serve))} | ${shown(median(own))} | ${
        Number.isFinite(ratio) ? ratio.toFixed(2) : "–"
      } |`,
    );
  }
  say(`\nMedians of ${ROUNDS} rounds; 64 connections; access log off.`);
}

function shown(value: number): string {
  return value >= 100 ? String(Math.round(value)) : value.toFixed(value >= 10 ? 1 : 2);
}

function say(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(text + "\n"));
}
