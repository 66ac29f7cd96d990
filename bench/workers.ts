/**
 * What a second worker brings, and what workers cost: processor time for a request and requests a second with 1 and 2
 * workers in turns, then memory at rest with more and more of them.
 *
 * Load, upstream and proxy share all cores, so requests a second cannot double where there are but two. What can: if a
 * request takes as much processor time with two workers as with one, two free cores do twice as much.
 *
 * `deno run -A bench/workers.ts [--rounds N] [--seconds N]`; Linux, with wrk and taskset.
 *
 * @module
 */

// @ts-types="../types/std/parse-args.d.ts"
import { parseArgs } from "@std/cli/parse-args";
import { wrkLoad } from "./load/wrk_load.ts";
import { bwsArguments, bwsConfig } from "./peers/bws.ts";
import { freePort, installed, listening, startPinned, stop, stopAll } from "./pinned_process.ts";
import { processorUs, residentBytes } from "./process_tree.ts";
import { GREETING, startUpstream } from "./upstream_server.ts";

const COUNTS = [1, 2] as const;
const AT_REST = [1, 2, 4, 8];
const CONNECTIONS = 64;
const FILE_BYTES = 1024;

/** A proxy that runs. */
interface Subject {
  workers: number;
  port: number;
  /** Length of its answers. */
  answerBytes: number;
  child: Deno.ChildProcess;
}

/** What one run of the load showed. */
interface Run {
  microseconds: number;
  perSecond: number;
  /** Cores that the proxy had. */
  cores: number;
}

const flags = parseArgs(Deno.args, { string: ["rounds", "seconds"] });
const ROUNDS = Number(flags.rounds ?? 5);
const SECONDS = Number(flags.seconds ?? 2);
const allCores = `0-${navigator.hardwareConcurrency - 1}`;
const folder = await Deno.makeTempDir({ prefix: "bws-workers-" });
await Deno.chmod(folder, 0o755);
for (const program of ["wrk", "taskset"]) {
  if (await installed(program)) continue;
  say(`This needs ${program}.`);
  Deno.exit(1);
}
try {
  const upstream = await startUpstream(allCores, folder);
  await Deno.mkdir(`${folder}/files`);
  await Deno.writeTextFile(`${folder}/files/index.html`, "x".repeat(FILE_BYTES));
  await compare("proxied, 12 B", (workers) => start(workers, { upstreams: [`127.0.0.1:${upstream.port}`] }));
  await compare("file, 1 KB", (workers) => start(workers, { files: `${folder}/files` }));
  await rest(upstream.port);
} finally {
  await stopAll();
  await Deno.remove(folder, { recursive: true });
}

async function compare(name: string, begin: (workers: number) => Promise<Subject>): Promise<void> {
  const subjects = await Promise.all(COUNTS.map(begin));
  const runs = new Map<number, Run[]>(COUNTS.map((workers) => [workers, []]));
  for (const subject of subjects) await load(subject);
  for (let round = 0; round < ROUNDS; round++) {
    // Whoever goes first changes from round to round: the machine may tire.
    for (const subject of round % 2 === 0 ? subjects : subjects.toReversed()) {
      runs.get(subject.workers)?.push(await load(subject));
    }
  }
  for (const subject of subjects) await stop(subject.child);
  say(`\n${name}; medians of ${ROUNDS} rounds of ${SECONDS} s, ${CONNECTIONS} connections`);
  for (const [workers, all] of runs) {
    const { microseconds, perSecond, cores } = medianRun(all);
    say(
      `  ${workers} worker${workers === 1 ? " " : "s"}  ${microseconds.toFixed(1)} µs of processor a request, ` +
        `${Math.round(perSecond)} requests/s on ${cores.toFixed(2)} cores`,
    );
  }
  // Neighbours in time: what disturbs the machine disturbs both.
  const [one, two] = COUNTS.map((workers) => runs.get(workers) ?? []);
  const worth = median(one.map(({ microseconds }, round) => 2 * microseconds / two[round].microseconds));
  const gained = median(one.map(({ perSecond }, round) => two[round].perSecond / perSecond));
  say(
    `  two workers: ${gained.toFixed(2)} times the requests/s here; ${
      worth.toFixed(2)
    } times on two cores of their own`,
  );
}

async function load({ port, answerBytes, child }: Subject): Promise<Run> {
  const plan = {
    method: "GET",
    paths: ["/"],
    headers: {},
    bodyBytes: 0,
    newConnection: false,
    status: 200,
    answerBytes,
  };
  const before = await processorUs(child.pid);
  const startMs = performance.now();
  const options = { cores: allCores, port, seconds: SECONDS, connections: CONNECTIONS, folder };
  const { requests, perSecond, errors } = await wrkLoad(plan, options);
  if (errors.length > 0) throw new Error(errors.join("; "));
  const us = await processorUs(child.pid) - before;
  return { microseconds: us / requests, perSecond, cores: us / 1000 / (performance.now() - startMs) };
}

async function rest(upstreamPort: number): Promise<void> {
  say("\nmemory at rest");
  for (const workers of AT_REST) {
    const { child } = await start(workers, { upstreams: [`127.0.0.1:${upstreamPort}`] });
    await new Promise((resolve) => setTimeout(resolve, 1000));
    say(`  ${workers} worker${workers === 1 ? " " : "s"}  ${((await residentBytes(child.pid)) / 1e6).toFixed(0)} MB`);
    await stop(child);
  }
}

async function start(workers: number, what: { upstreams?: string[]; files?: string }): Promise<Subject> {
  const port = freePort();
  const file = `${folder}/bws-${port}.toml`;
  await Deno.writeTextFile(file, bwsConfig({ upstreams: [], routes: [], folder, ...what, port, workers }));
  const child = startPinned(allCores, Deno.execPath(), bwsArguments(file), { errorFile: `${folder}/bws.log` });
  await listening(port, child, 30_000);
  return { workers, port, answerBytes: what.files === undefined ? GREETING.length : FILE_BYTES, child };
}

function medianRun(runs: readonly Run[]): Run {
  return {
    microseconds: median(runs.map(({ microseconds }) => microseconds)),
    perSecond: median(runs.map(({ perSecond }) => perSecond)),
    cores: median(runs.map(({ cores }) => cores)),
  };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1];
}

function say(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${text}\n`));
}
