/**
 * What BWS costs beside nginx, HAProxy, Caddy and proxies in JavaScript, whichever are or can be installed: each on one
 * core in front of the same upstream, which shares another with the load, in turns, round after round. Prints medians.
 * `deno task bench --help` tells the flags. Linux, with wrk and taskset.
 *
 * @module
 */

import { type BenchOptions, benchOptions, USAGE } from "./bench_options.ts";
import { machineLines } from "./machine.ts";
import { measure } from "./measurement.ts";
import { type InstalledPeer, installedPeers, withPeer } from "./peers/installed_peers.ts";
import { NGINX } from "./peers/nginx.ts";
import { freePort, installed, stopAll } from "./pinned_process.ts";
import { type Outcome, outcomeLine, type Outcomes, report } from "./report.ts";
import { filler, startEcho, startUpstream, upstreamAddress, type UpstreamServer } from "./upstream_server.ts";
import { routePath, type Workload, WORKLOADS } from "./workload.ts";

/** As many requests a second as the load generator can send on the core that it shares with the upstream. */
const MOST_RATE = 5000;

/** What the figures mean; goes with them. */
const NOTES =
  `Medians of the rounds. *µs a request* is processor time of the proxy with all its processes, user and system,
in ticks of 10 ms, under full load (wrk, a closed loop); for WebSockets it is for a message in one direction. *requests/s* is
on the proxy's cores; where *cores busy* is well below 100 %, load or upstream were the limit, and only the processor time
compares. *Latency* is at a fixed rate, the same for all, far below what most can do: an open loop with random gaps, counted from
when a request was due; the row "no proxy" shows what load and upstream take of it (about 0.1 ms is the generator's
timer). Idle connections have each had one answer; *KB a connection* is the growth of resident memory, garbage included.
What nginx and HAProxy set aside for connections beforehand is in *MB before*. Access logs are off everywhere. nginx streams uploads
and keeps answers out of temporary files, as the others do. "–" is what a peer
does not have, or what too few requests were made for (p99: 100, p99.9: 1,000).`;

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
  const upstream = await startUpstream(options.loadCores, folder);
  const echo = chosen.some(({ needs }) => needs === "sockets") ? await startEcho(options.loadCores) : undefined;
  await Deno.mkdir(`${folder}/files`);
  await Deno.writeFile(`${folder}/files/small.txt`, filler(1024));
  await Deno.writeFile(`${folder}/files/large.txt`, filler(1_048_576));
  const place = { options, folder, upstream, echo };
  const workloads = options.halfLoad ? await atHalfLoad(chosen, place, signal) : chosen;
  const outcomes = new Map<Workload, Map<string, Outcome[]>>();
  for (let round = 1; round <= options.rounds; round++) {
    for (const workload of workloads) {
      const byPeer = outcomes.get(workload) ?? new Map<string, Outcome[]>();
      outcomes.set(workload, byPeer);
      for (const peer of peers.filter((peer) => able(peer, workload))) {
        const outcome = await attempt(peer, workload, place);
        signal.throwIfAborted();
        byPeer.set(peer.name, [...byPeer.get(peer.name) ?? [], outcome]);
        say(`round ${round} of ${options.rounds}: ${workload.name}: ${peer.name}: ${outcomeLine(outcome)}`);
      }
    }
  }
  await finish(options, outcomes, await machineLines(peers, upstream.name));
}

/** The workloads, each with half of nginx's requests a second as its rate. */
async function atHalfLoad(workloads: readonly Workload[], place: Place, signal: AbortSignal): Promise<Workload[]> {
  const [nginx] = await installedPeers([NGINX.key], (_, why) => say(`The fixed rates stay: ${why}`));
  if (nginx === undefined) return [...workloads];
  const found: Workload[] = [];
  for (const workload of workloads) {
    signal.throwIfAborted();
    const fixed = workload.paced === true || workload.idle !== undefined;
    const outcome = fixed ? undefined : await attempt(nginx, workload, place);
    const perSecond = outcome !== undefined && "figures" in outcome ? outcome.figures.perSecond : undefined;
    const rate = perSecond === undefined ? workload.rate : Math.min(perSecond / 2, MOST_RATE);
    say(`${workload.name}: latency at ${Math.round(rate)}/s`);
    found.push({ ...workload, rate: Math.round(rate) });
  }
  return found;
}

interface Place {
  options: BenchOptions;
  folder: string;
  upstream: UpstreamServer;
  echo?: UpstreamServer;
}

/** One cell. A peer that fails does not end the run. */
async function attempt(peer: InstalledPeer, workload: Workload, place: Place): Promise<Outcome> {
  const folder = await Deno.makeTempDir({ dir: place.folder, prefix: `${peer.key}-` });
  const setting = {
    port: freePort(),
    folder,
    upstreams: upstreamsOf(workload, place),
    routes: Array.from({ length: workload.routes ?? 0 }, (_, n) => routePath(n)),
    ...(workload.needs === "files" ? { files: `${place.folder}/files` } : {}),
    workers: place.options.workers,
  };
  try {
    const figures = await withPeer(
      peer,
      { cores: place.options.proxyCores, setting },
      (port, pid) => measure(workload, { ...place.options, port, folder, ...(pid === undefined ? {} : { pid }) }),
    );
    return { figures };
  } catch (error) {
    return { failure: error instanceof Error ? error.message : String(error) };
  }
}

/** One upstream is one address; many are as many addresses of the same one. */
function able({ abilities }: InstalledPeer, { needs, small }: Workload): boolean {
  return abilities.includes(needs) || (small === true && abilities.includes("small"));
}

function upstreamsOf({ needs, upstreams = 1 }: Workload, { upstream, echo }: Place): string[] {
  const { port } = needs === "sockets" && echo !== undefined ? echo : upstream;
  return Array.from({ length: upstreams }, (_, n) => `${upstreamAddress(n)}:${port}`);
}

async function finish(options: BenchOptions, outcomes: Outcomes, machine: string[]): Promise<void> {
  const how = `${options.rounds} rounds of ${options.seconds} s, ${options.warmUpSeconds} s of warm-up, ` +
    `workers: ${options.workers}, proxy on core ${options.proxyCores}, load and upstream on core ${options.loadCores}`;
  const command = `- Command: \`deno task bench ${Deno.args.join(" ")}\`: ${how}`;
  const text = [`${[...machine, command].join("\n")}`, NOTES, report(outcomes)].join("\n\n");
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
