/**
 * Where BWS spends its time under the load of a workload: the functions that take most of it, by V8's profiler, and the
 * system calls of a request, by strace.
 *
 * `deno run -A bench/profile.ts [--workload NAME] [--seconds N] [--rows N] [--keep FOLDER]`; Linux, with wrk and taskset.
 *
 * @module
 */

// @ts-types="../types/std/parse-args.d.ts"
import { parseArgs } from "@std/cli/parse-args";
import { type CpuProfile, selfTimes } from "./cpu_profile.ts";
import { wrkLoad } from "./load/wrk_load.ts";
import { bwsArguments, bwsConfig } from "./peers/bws.ts";
import { freePort, installed, listening, LOAD_CORE, PROXY_CORE, startPinned, stop, stopAll } from "./pinned_process.ts";
import { table } from "./report.ts";
import { filler, startUpstream } from "./upstream_server.ts";
import { systemCalls } from "./system_calls.ts";
import { routePath, type Workload, WORKLOADS } from "./workload.ts";

/** Between samples. */
const INTERVAL_US = 200;
const WARM_UP_SECONDS = 1;

interface Profiling {
  workload: Workload;
  seconds: number;
  rows: number;
  folder: string;
  upstream: string;
}

if (import.meta.main) await main();

async function main(): Promise<void> {
  const flags = parseArgs(Deno.args, { string: ["workload", "seconds", "rows", "keep"] });
  const workload = WORKLOADS.find(({ name }) => name === (flags.workload ?? "small-get"));
  if (workload === undefined || workload.needs === "sockets" || workload.plan.status !== 200) {
    say(`--workload is "${flags.workload}", expected one over plain HTTP that ends in 200`);
    Deno.exit(2);
  }
  const folder = await Deno.makeTempDir({ prefix: "bws-profile-" });
  Deno.addSignalListener("SIGINT", async () => {
    await stopAll();
    Deno.exit(130);
  });
  try {
    const { port } = await startUpstream(LOAD_CORE, folder);
    await Deno.writeFile(`${folder}/small.txt`, filler(1024));
    await Deno.writeFile(`${folder}/large.txt`, filler(1_048_576));
    const seconds = Number(flags.seconds ?? 3);
    const profiling = { workload, seconds, rows: Number(flags.rows ?? 25), folder, upstream: `127.0.0.1:${port}` };
    const file = await profile(profiling);
    if (typeof flags.keep === "string") await Deno.copyFile(file, `${flags.keep}/${workload.name}.cpuprofile`);
    if (await installed("strace")) await countCalls(profiling);
    else say("\nSystem calls are not counted: strace is not installed");
  } finally {
    await stopAll();
    await Deno.remove(folder, { recursive: true });
  }
  Deno.exit(0);
}

/** Prints the functions; gives the profile's file. */
async function profile(profiling: Profiling): Promise<string> {
  const { folder, rows, workload, seconds } = profiling;
  const flags = ["--cpu-prof", `--cpu-prof-dir=${folder}/profile`, `--cpu-prof-interval=${INTERVAL_US}`];
  const requests = await withBws(profiling, flags, (port) => load(profiling, port, seconds));
  const entries = await Array.fromAsync(Deno.readDir(`${folder}/profile`));
  const files = entries.filter(({ name }) => name.endsWith(".cpuprofile"));
  if (files.length === 0) throw new Error("Deno wrote no profile");
  const file = `${folder}/profile/${files[0].name}`;
  const found: CpuProfile = JSON.parse(await Deno.readTextFile(file));
  say(`\nSelf time under ${workload.name}, start and warm-up included; ${Math.round(requests / seconds)} requests/s\n`);
  const lines = selfTimes(found).slice(0, rows).map(({ name, place, share }) => [`${percent(share)}`, name, place]);
  say(table([["self %", "function", "where"], ...lines]));
  return file;
}

/** Prints the system calls. strace slows the process; how often it calls changes little. */
async function countCalls(profiling: Profiling): Promise<void> {
  const { folder, seconds } = profiling;
  await withBws(profiling, [], async (port, pid) => {
    let requests = 0;
    const calls = await systemCalls(pid, { cores: LOAD_CORE, folder }, async () => {
      requests = await load(profiling, port, seconds);
    });
    const total = calls.reduce((sum, call) => sum + call.calls, 0);
    say(`\nSystem calls a request: ${(total / requests).toFixed(2)} (${total} for ${requests} requests)\n`);
    const shown = calls.filter((call) => call.calls / requests >= 0.01);
    const lines = shown.map((call) => [call.name, each(call.calls, requests), each(call.errors, requests)]);
    say(table([["call", "a request", "of them failed"], ...lines]));
  }).catch((error: Error) => say(`\nSystem calls are not counted: ${error.message}`));
}

async function withBws<T>(
  { workload, folder, upstream }: Profiling,
  flags: string[],
  work: (port: number, pid: number) => Promise<T>,
): Promise<T> {
  const port = freePort();
  const file = `${folder}/bws.toml`;
  const routes = Array.from({ length: workload.routes ?? 0 }, (_, n) => routePath(n));
  const upstreams = Array.from({ length: workload.upstreams ?? 1 }, () => upstream);
  const files = workload.needs === "files" ? { files: folder } : {};
  await Deno.writeTextFile(file, bwsConfig({ port, folder, upstreams, routes, workers: 1, ...files }));
  const child = startPinned(PROXY_CORE, Deno.execPath(), bwsArguments(file, flags));
  try {
    await listening(port, child);
    await load({ workload, folder }, port, WARM_UP_SECONDS);
    return await work(port, child.pid);
  } finally {
    await stop(child);
  }
}

async function load(
  { workload, folder }: Pick<Profiling, "workload" | "folder">,
  port: number,
  seconds: number,
): Promise<number> {
  const { requests, errors } = await wrkLoad(workload.plan, {
    cores: LOAD_CORE,
    port,
    seconds,
    connections: workload.connections,
    folder,
  });
  for (const error of errors) say(`under load: ${error}`);
  return requests;
}

function percent(share: number): string {
  return (100 * share).toFixed(1);
}

function each(count: number, requests: number): string {
  return (count / requests).toFixed(2);
}

function say(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(text + "\n"));
}
