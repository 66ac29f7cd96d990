/**
 * What BWS costs beside nginx, HAProxy, Caddy and proxies in JavaScript, whichever are or can be installed: each on one
 * core in front of the same upstream, which shares another with the load, in turns, round after round. Prints medians.
 * `deno task bench --help` tells the flags. Linux, with wrk and taskset.
 *
 * @module
 */

import { type BenchOptions, benchOptions, USAGE } from "./bench_options.ts";
import { goalTable } from "./goals.ts";
import { LoadGenerator } from "./load/load_generator.ts";
import { machineLines } from "./machine.ts";
import { type InstalledPeer, installedPeers } from "./peers/installed_peers.ts";
import { NGINX } from "./peers/nginx.ts";
import { installed, stopAll } from "./pinned_process.ts";
import { type Outcome, outcomeLine, type Outcomes, report } from "./report.ts";
import { measureRounds, nginxPerSecond, type Place } from "./rounds.ts";
import { expectedSeconds, ratedByNginx } from "./run_duration.ts";
import { filler, startEcho, startUpstream } from "./upstream_server.ts";
import { type Workload, WORKLOADS } from "./workload.ts";

/** Which processes were measured. */
const FRESH =
  `Each measurement had a process of its own, which was put under load shortly before: what JavaScript takes to be
compiled is in it.`;
const KEPT =
  `A process was started for each workload, put under load several times, and then measured in all rounds, in turns with the others;
beside idle connections each measurement had a process of its own. What a process takes to get warm is not in it
(\`--fresh\` has it).`;

/** At which rate latency was measured. */
const HALF =
  `*Latency* is at half of the requests that nginx answered a second under full load, the same for all; a peer that
answers no more than that has none.`;
const FIXED = `*Latency* is at a fixed rate, the same for all, far below what most can do.`;

/** What the figures mean; goes with them. */
const NOTES =
  `Figures are medians of the rounds. *×* is the median of the ratios of each round, both measured one after the
other: a machine whose speed changes falsifies it less than the ratio of medians. *µs a request* is processor time of the proxy with all its
processes, user and system, under full load (wrk, a closed loop); for WebSockets it is for a message in one direction.
*requests/s* is on the proxy's cores; where *cores busy* is well below 100 %, load or upstream were the limit, and only the
processor time compares. Latency comes from an open loop with random gaps (a Poisson process) and is counted from when a request was due,
so that it has the wait for a free connection. The load generator shares a core with the upstream; it wakes at most each 0.1 ms and sends what is due, so it adds about 0.1 ms,
and takes about 10 µs of that core for a small request; the row "no proxy" shows what load and upstream take by themselves: for WebSockets of 64 KB that is most of p99, because
the echo (npm ws) collects garbage. Idle connections have
each had one answer; *KB a connection* is the growth of resident memory, garbage included. What nginx and HAProxy set aside for connections
beforehand is in *MB before*. Access logs are off everywhere. nginx streams uploads and keeps answers out of temporary files, as the others do.
"–" is what a peer does not have, or what too few requests were made for (p99: 100, p99.9: 1,000).`;

if (import.meta.main) await main();

async function main(): Promise<void> {
  if (Deno.args.includes("--help")) return say(USAGE);
  const options = optionsOrExit();
  for (const program of ["wrk", "taskset"]) {
    if (Deno.build.os === "linux" && await installed(program)) continue;
    say("This needs Linux, wrk and taskset");
    Deno.exit(1);
  }
  const folder = await Deno.makeTempDir({ prefix: "bws-bench-" });
  const interrupt = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(name, () => {
      interrupt.abort();
      // What is being measured fails then, and the run ends.
      stopAll();
    });
  }
  try {
    await run(options, folder, interrupt.signal);
  } catch (error) {
    if (!interrupt.signal.aborted) throw error;
  } finally {
    await stopAll();
    await Deno.remove(folder, { recursive: true });
  }
  Deno.exit(interrupt.signal.aborted ? 130 : 0);
}

async function run(options: BenchOptions, folder: string, signal: AbortSignal): Promise<void> {
  const chosen = WORKLOADS.filter(({ name }) => options.only.includes(name));
  const peers = await installedPeers(options.peers, (name, why) => say(`${name} is left out: ${why}`));
  const peersFor = (workload: Workload) => peers.filter((peer) => able(peer, workload));
  const upstream = await startUpstream(options.loadCores, folder);
  const echo = chosen.some(({ needs }) => needs === "sockets") ? await startEcho(options.loadCores) : undefined;
  await Deno.mkdir(`${folder}/files`);
  await Deno.writeFile(`${folder}/files/small.txt`, filler(1024));
  await Deno.writeFile(`${folder}/files/large.txt`, filler(1_048_576));
  const generator = new LoadGenerator(options.loadCores, folder);
  const place: Place = { options, folder, generator, upstream, ...(echo === undefined ? {} : { echo }) };
  const [nginx] = options.halfLoad
    ? await installedPeers([NGINX.key], (_, why) => say(`The fixed rates stay: ${why}`))
    : [];
  const seconds = chosen.map((workload) => expectedSeconds(workload, peersFor(workload).length, options));
  say(`This takes about ${Math.ceil(seconds.reduce((sum, each) => sum + each, 0) / 60)} minutes`);
  const outcomes = new Map<Workload, Map<string, Outcome[]>>();
  for (const fixed of chosen) {
    const workload = nginx === undefined ? fixed : await atHalfLoad(fixed, nginx, place);
    signal.throwIfAborted();
    const found = await measureRounds(workload, peersFor(workload), place, (round, peer, outcome) => {
      signal.throwIfAborted();
      say(`${workload.name}: round ${round} of ${options.rounds}: ${peer.name}: ${outcomeLine(outcome)}`);
    });
    outcomes.set(workload, found);
  }
  await finish(options, outcomes, await machineLines(peers, upstream.name));
}

/** The workload with half of nginx's requests a second as its rate. */
async function atHalfLoad(workload: Workload, nginx: InstalledPeer, place: Place): Promise<Workload> {
  if (!ratedByNginx(workload)) return workload;
  try {
    const rate = Math.round(await nginxPerSecond(nginx, workload, place) / 2);
    say(`${workload.name}: latency at ${rate}/s`);
    return { ...workload, rate };
  } catch (error) {
    say(`${workload.name}: the fixed rate stays: nginx: ${(error as Error).message}`);
    return workload;
  }
}

function able({ abilities }: InstalledPeer, { needs, small }: Workload): boolean {
  return abilities.includes(needs) || (small === true && abilities.includes("small"));
}

async function finish(options: BenchOptions, outcomes: Outcomes, machine: string[]): Promise<void> {
  const how = `${options.rounds} rounds of ${options.seconds} s, ${options.warmUpSeconds} s of warm-up, ` +
    `workers: ${options.workers}, proxy on core ${options.proxyCores}, load and upstream on core ${options.loadCores}`;
  const command = `- Command: \`deno task bench ${Deno.args.join(" ")}\`: ${how}`;
  const notes = [options.fresh ? FRESH : KEPT, options.halfLoad ? HALF : FIXED, NOTES].join("\n");
  const text = [`${[...machine, command].join("\n")}`, notes, goalTable(outcomes), report(outcomes)].filter((part) =>
    part !== ""
  ).join("\n\n");
  say(`\n${text}`);
  if (!options.write) return;
  const file = new URL("RESULTS.md", import.meta.url);
  await Deno.writeTextFile(file, `# Results of \`deno task bench\`\n\n${text}\n`);
  await new Deno.Command(Deno.execPath(), { args: ["fmt", "--quiet", file.pathname] }).output();
}

function optionsOrExit(): BenchOptions {
  try {
    return benchOptions(Deno.args);
  } catch (error) {
    say(`${(error as Error).message}\n\n${USAGE}`);
    Deno.exit(2);
  }
}

function say(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(text + "\n"));
}
