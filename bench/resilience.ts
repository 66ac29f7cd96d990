/**
 * What clients see when upstreams fail, behind BWS and behind nginx, HAProxy and Caddy where they are installed: each in front
 * of the same three upstreams, with the same rules as far as it has them, under the same load.
 * `deno run -A bench/resilience.ts --help` tells the flags. Linux, with taskset.
 *
 * @module
 */

// @ts-types="../types/std/parse-args.d.ts"
import { parseArgs } from "@std/cli/parse-args";
import { machineLines } from "./machine.ts";
import { type InstalledPeer, installedPeers } from "./peers/installed_peers.ts";
import { LOAD_CORE, PROXY_CORE, stopAll } from "./pinned_process.ts";
import { type FaultScenario, type OrdealFigures, type OrdealOptions, ORDEALS, runOrdeal } from "./resilience/ordeal.ts";
import { median, table } from "./report.ts";
import { CONNECT_TIMEOUT_MS, READ_TIMEOUT_MS, SUBJECT_KEYS } from "./resilience/subject.ts";

const GETS_PER_SECOND = 300;
const POSTS_PER_SECOND = 50;
const USAGE = `deno run -A bench/resilience.ts [FLAGS]

  --only NAMES    what befalls the upstream, divided by commas; default: all
  --peers NAMES   proxies, divided by commas; default: all that are installed
  --rounds N      how often each is run; default: 3
  --quick         once, and shorter: shows that it works
  --write         write bench/RESILIENCE.md

Faults: ${ORDEALS.join(", ")}
Proxies: ${SUBJECT_KEYS.join(", ")}`;

/** What the figures mean; goes with them. */
const NOTES =
  `Three upstreams, ${GETS_PER_SECOND} GET/s and ${POSTS_PER_SECOND} POST/s at a steady pace, whatever is answered.
Something befalls one of the three, and later it is well again; where nothing does, the figures show what the machine itself adds. Medians of
the rounds, and in brackets the most. *failed* are requests without an answer of 2xx; *POST wrong* are POSTs that
were done twice, or answered well and not done. *p99* is of GETs while it lasts, from when they were due. *out after* is when clients saw no
more of the faulty upstream than trials (a tenth of its share); *back after* is when it gave four fifths of its share of the answers.
All dial for ${CONNECT_TIMEOUT_MS} ms and wait ${READ_TIMEOUT_MS} ms for an answer. Three failures in live traffic take an upstream out, in HAProxy until
the next good probe, in the others for 2 s. \`/health\` is probed every second (500s do not reach it, all other faults do), and one probe is
believed when it is good, two when they are bad (in Caddy one); nginx has no probes. Slow answers take an upstream out in BWS and Caddy only. GETs are tried again after failures, silence and 5xx;
Caddy does not try again after 5xx.
In a rolling restart each upstream ends in order, comes back, and has its share before the next one ends.`;

const HEADS = [
  "fault",
  "proxy",
  "GET",
  "failed",
  "POST",
  "failed",
  "POST wrong",
  "p99 ms",
  "out after ms",
  "back after ms",
];

interface Cell {
  readonly ordeal: FaultScenario;
  readonly peer: string;
  /** What came of each round. */
  readonly rounds: (OrdealFigures | string)[];
}

if (import.meta.main) await main();

async function main(): Promise<void> {
  const flags = parseArgs(Deno.args, { string: ["only", "peers", "rounds"], boolean: ["quick", "write", "help"] });
  if (flags.help === true) return say(USAGE);
  const quick = flags.quick === true;
  const ordeals = ORDEALS.filter((ordeal) => chosen(flags.only, ordeal));
  const peers = await installedPeers(
    SUBJECT_KEYS.filter((key) => chosen(flags.peers, key)),
    (name, why) => say(`${name} is left out: ${why}`),
  );
  const options = {
    cores: PROXY_CORE,
    getsPerSecond: GETS_PER_SECOND,
    postsPerSecond: POSTS_PER_SECOND,
    leadInMs: quick ? 1000 : 1500,
    faultMs: quick ? 3000 : 4000,
    returnMs: quick ? 5000 : 8000,
  };
  // Load and upstreams, which are children of this process, stay away from the proxy's core.
  await new Deno.Command("taskset", { args: ["-a", "-p", "-c", LOAD_CORE, String(Deno.pid)] }).output();
  const interrupt = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(name, () => {
      interrupt.abort();
      // What is under way fails then.
      stopAll();
    });
  }
  const cells: Cell[] = ordeals.flatMap((ordeal) => peers.map(({ name }) => ({ ordeal, peer: name, rounds: [] })));
  try {
    for (let round = 0; round < (quick ? 1 : Number(flags.rounds ?? 3)); round++) {
      for (const cell of cells) {
        const { key } = peers.find(({ name }) => name === cell.peer) as InstalledPeer;
        if (!interrupt.signal.aborted) cell.rounds.push(await attempt(cell, { ...options, subject: key }));
      }
    }
  } finally {
    await stopAll();
  }
  if (interrupt.signal.aborted) Deno.exit(130);
  await finish(cells, await machineLines(peers, "node:http in Deno, a process each"), flags.write === true);
}

async function finish(cells: readonly Cell[], machine: readonly string[], writes: boolean): Promise<void> {
  const report = [
    "# What clients see when upstreams fail",
    "",
    ...machine,
    `- Command: \`deno run -A bench/resilience.ts${Deno.args.map((arg) => ` ${arg}`).join("")}\``,
    "",
    NOTES,
    "",
    table([HEADS, ...cells.map(lineOf)]),
    "",
  ].join("\n");
  say(`\n${report}`);
  if (writes) {
    const file = new URL("RESILIENCE.md", import.meta.url);
    await Deno.writeTextFile(file, report);
    await new Deno.Command(Deno.execPath(), { args: ["fmt", "--quiet", file.pathname] }).output();
  }
  Deno.exit(0);
}

async function attempt({ ordeal, peer }: Cell, options: OrdealOptions): Promise<OrdealFigures | string> {
  try {
    const figures = await runOrdeal(ordeal, options);
    const causes = [...figures.causes].map(([cause, times]) => `${cause}: ${times} times`);
    say([...lineOf({ ordeal, peer, rounds: [figures] }), ...causes, ...figures.misdonePosts.slice(0, 5)].join("  "));
    return figures;
  } catch (error) {
    const cause = error instanceof Error ? error.message : String(error);
    say(`${ordeal}  ${peer}  ${cause}`);
    return cause;
  }
}

/** The line of a cell: medians of its rounds, and all POSTs that were misdone. */
function lineOf({ ordeal, peer, rounds }: Cell): string[] {
  const good = rounds.filter((round) => typeof round !== "string");
  if (good.length === 0) return [ordeal, peer, String(rounds[0] ?? "–"), ...Array(HEADS.length - 3).fill("–")];
  const middle = (figure: (figures: OrdealFigures) => number | undefined) =>
    median(good.map((figures) => figure(figures) ?? Infinity));
  const struck = ordeal !== "nothing" && ordeal !== "rolling restart";
  const time = (ms: number) => !struck ? "–" : ms === Infinity ? "never" : String(Math.round(ms));
  return [
    ordeal,
    peer,
    String(middle(({ gets }) => gets)),
    spread(good.map(({ failedGets }) => failedGets)),
    String(middle(({ posts }) => posts)),
    spread(good.map(({ failedPosts }) => failedPosts)),
    String(good.reduce((sum, { misdonePosts }) => sum + misdonePosts.length, 0)),
    String(Math.round(middle(({ p99Ms }) => p99Ms))),
    time(middle(({ ejectMs }) => ejectMs)),
    time(middle(({ returnMs }) => returnMs)),
  ];
}

/** The median, and the most where that is another. */
function spread(counts: readonly number[]): string {
  const [middle, most] = [median(counts), Math.max(...counts)];
  return middle === most ? String(most) : `${middle} (${most})`;
}

function chosen(flag: unknown, name: string): boolean {
  return typeof flag !== "string" || flag.split(",").some((part) => part.trim() === name);
}

function say(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}
