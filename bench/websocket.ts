/**
 * What a relayed WebSocket message costs: BWS, nginx, HAProxy and Caddy, whichever are installed, each on one core in
 * front of the same echo of npm `ws` on the other core, in turns, round after round. The others open a tunnel and look at
 * no frame; BWS reads every message. Prints medians. Processor time is what tells: echo and load share a core, which they fill,
 * and both work less when a proxy hands on many messages at once.
 *
 * `deno run -A bench/websocket.ts [--rounds N] [--seconds N] [--sockets N]`; Linux, with taskset.
 *
 * @module
 */

// @ts-types="../types/std/parse-args.d.ts"
import { parseArgs } from "@std/cli/parse-args";
import { installedPeers, withPeer } from "./peers.ts";
import { freePort, installed, listening, LOAD_CORE, processorTicks, runPinned, startPinned } from "./pinned_process.ts";
import type { SocketLoad } from "./socket_load.ts";

interface Round extends SocketLoad {
  /** Processor time of the proxy for one message in one direction; NaN without a proxy. */
  microseconds: number;
}

const flags = parseArgs(Deno.args, { string: ["rounds", "seconds", "sockets"] });
const ROUNDS = Number(flags.rounds ?? 3);
const SECONDS = Number(flags.seconds ?? 3);
const SOCKETS = Number(flags.sockets ?? 64);
const SIZES = [128, 65_536];
const WARM_UP_SECONDS = 1;

if (Deno.build.os !== "linux" || !await installed("taskset")) {
  say("This needs Linux and taskset.");
  Deno.exit(1);
}
const folder = await Deno.makeTempDir({ prefix: "bws-bench-" });
const upstream = freePort();
const echo = startPinned(LOAD_CORE, Deno.execPath(), ["run", "-A", own("socket_echo.ts"), String(upstream)]);
const results = new Map<string, Round[]>();
try {
  await listening(upstream);
  const peers = await installedPeers((name) => say(`${name} is not installed: left out`));
  for (let round = 1; round <= ROUNDS; round++) {
    for (const bytes of SIZES) {
      note("no proxy", bytes, { ...await load(upstream, bytes, SECONDS), microseconds: NaN });
      for (const peer of peers) {
        const measured = await withPeer(peer, { upstream, folder }, (port, pid) => measure(port, pid, bytes));
        note(peer.name, bytes, measured);
        say(`round ${round}: ${peer.name}, ${bytes} B: ${measured.microseconds.toFixed(1)} µs`);
      }
    }
  }
} finally {
  echo.kill("SIGKILL");
  await echo.status;
  await Deno.remove(folder, { recursive: true });
}
for (const bytes of SIZES) report(bytes);
say(`\nMedians of ${ROUNDS} rounds of ${SECONDS} s, ${SOCKETS} sockets with one message each on its way.`);

async function measure(port: number, pid: number, bytes: number): Promise<Round> {
  await load(port, bytes, WARM_UP_SECONDS);
  const before = await processorTicks(pid);
  const measured = await load(port, bytes, SECONDS);
  const ticks = await processorTicks(pid) - before;
  // An echo passes twice. The handshakes of so few sockets do not show.
  return { ...measured, microseconds: ticks * 10_000 / (2 * measured.echoes) };
}

async function load(port: number, bytes: number, seconds: number): Promise<SocketLoad> {
  const args = ["run", "-A", own("socket_load.ts"), ...[port, "/socket", SOCKETS, seconds, bytes].map(String)];
  return JSON.parse(await runPinned(LOAD_CORE, Deno.execPath(), args));
}

function note(name: string, bytes: number, round: Round): void {
  const key = `${name} ${bytes}`;
  results.set(key, [...results.get(key) ?? [], round]);
}

function report(bytes: number): void {
  say(
    `\n| echo of ${bytes} B | processor µs a message | echoes/s | MB/s each way | p50 ms | p99 ms |\n|---|---|---|---|---|---|`,
  );
  for (const [key, rounds] of results) {
    if (!key.endsWith(` ${bytes}`)) continue;
    const median = (pick: (round: Round) => number) => rounds.map(pick).toSorted((a, b) => a - b)[rounds.length >> 1];
    const cost = median((round) => round.microseconds);
    const rate = median((round) => round.echoes / round.seconds);
    const cells = [
      key.slice(0, key.lastIndexOf(" ")),
      Number.isNaN(cost) ? "–" : cost.toFixed(1),
      Math.round(rate),
      (rate * bytes / 1e6).toFixed(1),
      median((round) => round.p50Ms).toFixed(2),
      median((round) => round.p99Ms).toFixed(2),
    ];
    say(`| ${cells.join(" | ")} |`);
  }
}

function own(file: string): string {
  return new URL(file, import.meta.url).pathname;
}

function say(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(text + "\n"));
}
