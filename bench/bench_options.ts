/**
 * The flags of `deno task bench`.
 *
 * @module
 */

// @ts-types="../types/std/parse-args.d.ts"
import { parseArgs } from "@std/cli/parse-args";
import { PEERS } from "./peers/installed_peers.ts";
import { LOAD_CORE, PROXY_CORE } from "./pinned_process.ts";
import { WORKLOADS } from "./workload.ts";

/** What is to be run, and how. */
export interface BenchOptions {
  /** Names of workloads. */
  only: readonly string[];
  /** Keys of peers. */
  peers: readonly string[];
  rounds: number;
  /** Length of a measurement. */
  seconds: number;
  /** Length of what latency is measured for; undefined for `seconds`, or longer where requests are few. */
  latencySeconds?: number;
  /** Full load before it. Node needs two seconds of it until its figures hold still, BWS up to five. */
  warmUpSeconds: number;
  /** Whether each measurement has a process of its own, so that what it takes to get warm shows. */
  fresh: boolean;
  /** Cores that each peer may use; BWS gets as many workers. */
  workers: number;
  /** Cores of the proxy and of all else, as taskset takes them. */
  proxyCores: string;
  proxyCoreCount: number;
  loadCores: string;
  /** Whether the fixed rate is half of what nginx does under full load. */
  halfLoad: boolean;
  /** Whether bench/RESULTS.md is written. */
  write: boolean;
}

/** What `--help` says. */
export const USAGE = `deno task bench [FLAGS]

  --only NAMES         workloads, divided by commas; default: all
  --peers NAMES        proxies, divided by commas; default: all that are or can be installed
  --rounds N           how often each is measured; default: 3
  --seconds N          how long each time, under full load and for latency; latency longer, up to 2 s, where that is
                       fewer than 10,000 requests; default: 3
  --latency-seconds N  how long for latency each time; on a machine that halts all programs now and then for some
                       milliseconds, a second has more or fewer of these halts by chance, and p99 with them
  --warm-up N          full load before a process is measured, in seconds, in parts as long as those of the rounds;
                       default: 5, with --fresh 2
  --fresh              a new process for each measurement; without it, a process serves all rounds of a workload
  --quick              each once, for a second: shows that it works
  --workers N          workers of BWS, and cores that the others may use; default: 1
  --proxy-cores LIST   as taskset takes them; default: 0, or the first N where the machine has more
  --load-cores LIST    of load and upstream; default: the last
  --half-load          latency at half of what nginx does under full load; without it, at the fixed rate of the workload
  --write              write bench/RESULTS.md

Workloads: ${WORKLOADS.map(({ name }) => name).join(", ")}
Proxies: ${PEERS.map(({ key }) => key).join(", ")}`;

/**
 * Reads the flags.
 *
 * @throws {RangeError} When one is unknown or its value is not one of those that it takes.
 */
export function benchOptions(args: readonly string[]): BenchOptions {
  const flags = parseArgs(args, {
    string: [
      "only",
      "peers",
      "rounds",
      "seconds",
      "latency-seconds",
      "warm-up",
      "workers",
      "proxy-cores",
      "load-cores",
    ],
    boolean: ["quick", "write", "help", "half-load", "fresh"],
    unknown: (arg) => {
      throw new RangeError(`Unknown argument ${arg}`);
    },
  });
  const quick = flags.quick === true;
  const fresh = flags.fresh === true;
  const workers = whole("workers", flags.workers, 1);
  const processors = navigator.hardwareConcurrency;
  const first = workers > 1 && processors > workers ? `0-${workers - 1}` : PROXY_CORE;
  const proxyCores = typeof flags["proxy-cores"] === "string" ? flags["proxy-cores"] : first;
  return {
    only: names("only", flags.only, WORKLOADS.map(({ name }) => name)),
    peers: names("peers", flags.peers, PEERS.map(({ key }) => key)),
    rounds: whole("rounds", flags.rounds, quick ? 1 : 3),
    seconds: whole("seconds", flags.seconds, quick ? 1 : 3),
    ...(flags["latency-seconds"] === undefined
      ? {}
      : { latencySeconds: whole("latency-seconds", flags["latency-seconds"], 1) }),
    warmUpSeconds: whole("warm-up", flags["warm-up"], quick ? 1 : fresh ? 2 : 5),
    fresh,
    workers,
    proxyCores,
    proxyCoreCount: coreCount(proxyCores),
    loadCores: typeof flags["load-cores"] === "string"
      ? flags["load-cores"]
      : processors > 2
      ? String(processors - 1)
      : LOAD_CORE,
    halfLoad: flags["half-load"] === true,
    write: flags.write === true,
  };
}

function names(flag: string, value: unknown, known: readonly string[]): readonly string[] {
  if (typeof value !== "string") return known;
  const wanted = value.split(",").map((name) => name.trim()).filter((name) => name !== "");
  const strange = wanted.filter((name) => !known.includes(name));
  if (strange.length > 0) {
    throw new RangeError(`--${flag} is ${strange.join(", ")}, expected some of ${known.join(", ")}`);
  }
  return known.filter((name) => wanted.includes(name));
}

/** How many cores a list such as `0-2,5` names. */
function coreCount(list: string): number {
  if (!/^\d+(-\d+)?(,\d+(-\d+)?)*$/.test(list)) {
    throw new RangeError(`--proxy-cores is "${list}", expected a list such as 0-2,5`);
  }
  return list.split(",").reduce((count, part) => {
    const [first, last = first] = part.split("-").map(Number);
    return count + last - first + 1;
  }, 0);
}

function whole(flag: string, value: unknown, fallback: number): number {
  if (typeof value !== "string") return fallback;
  const number = Number(value);
  if (!Number.isInteger(number) || number < 1) {
    throw new RangeError(`--${flag} is "${value}", expected a whole number, 1 or more`);
  }
  return number;
}
