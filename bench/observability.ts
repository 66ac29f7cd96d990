/**
 * What it costs to be watched: the processor time of BWS for a small GET with the access log, metrics and traces, each on
 * and off. One process for each, all in front of the same upstream, measured in turns, round after round.
 *
 * `deno run -A bench/observability.ts [--rounds N] [--seconds N] [--only TEXT]`, where a name has that text; Linux, with wrk
 * and taskset.
 *
 * @module
 */

// @ts-types="../types/std/parse-args.d.ts"
import { parseArgs } from "@std/cli/parse-args";
import type { RequestPlan } from "./load/request_plan.ts";
import { wrkLoad } from "./load/wrk_load.ts";
import { bwsArguments } from "./peers/bws.ts";
import { freePort, installed, listening, LOAD_CORE, PROXY_CORE, startPinned, stopAll } from "./pinned_process.ts";
import { processorUs } from "./process_tree.ts";
import { median, table } from "./report.ts";
import { startUpstream } from "./upstream_server.ts";

/** A way to be watched. */
interface Watch {
  name: string;
  accessLog?: boolean;
  metrics?: boolean;
  /** Variables of OpenTelemetry, where traces are made. */
  traces?: Record<string, string>;
}

/** Everything is off in the first: what the others are compared with. */
const WATCHES: readonly Watch[] = [
  { name: "nothing" },
  { name: "access log", accessLog: true },
  { name: "metrics", metrics: true },
  { name: "traces, none sampled", traces: { OTEL_TRACES_SAMPLER: "always_off" } },
  { name: "traces, 1 in 100", traces: { OTEL_TRACES_SAMPLER: "traceidratio", OTEL_TRACES_SAMPLER_ARG: "0.01" } },
  // The runtime keeps 2048 spans for 5 s and drops the others.
  { name: "traces, most dropped", traces: {} },
  { name: "traces, all", traces: { OTEL_BSP_SCHEDULE_DELAY: "50", OTEL_BSP_MAX_QUEUE_SIZE: "200000" } },
  {
    name: "log, metrics, traces 1 in 100",
    accessLog: true,
    metrics: true,
    traces: {
      OTEL_TRACES_SAMPLER: "traceidratio",
      OTEL_TRACES_SAMPLER_ARG: "0.01",
    },
  },
];

const SMALL_GET: RequestPlan = {
  ...{ method: "GET", paths: ["/"], headers: {}, bodyBytes: 0, newConnection: false, status: 200, answerBytes: 12 },
};
const CONNECTIONS = 16;
const WARM_UP_SECONDS = 3;

interface Subject {
  watch: Watch;
  port: number;
  pid: number;
  /** Of each round, in microseconds a request. */
  costs: number[];
}

if (import.meta.main) {
  const flags = parseArgs(Deno.args, { string: ["rounds", "seconds", "only", "collect"] });
  if (flags.collect !== undefined) collect(Number(flags.collect));
  else {
    const watches = WATCHES.filter(({ name }, n) => n === 0 || name.includes(String(flags.only ?? "")));
    await main(watches, { rounds: Number(flags.rounds ?? 5), seconds: Number(flags.seconds ?? 2) });
  }
}

async function main(
  watches: readonly Watch[],
  { rounds, seconds }: { rounds: number; seconds: number },
): Promise<void> {
  for (const program of ["wrk", "taskset"]) {
    if (Deno.build.os === "linux" && await installed(program)) continue;
    say("This needs Linux, wrk and taskset");
    Deno.exit(1);
  }
  const folder = await Deno.makeTempDir({ prefix: "bws-observability-" });
  Deno.addSignalListener("SIGINT", async () => {
    await stopAll();
    Deno.exit(130);
  });
  try {
    const upstream = await startUpstream(LOAD_CORE, folder);
    const collector = await startCollector();
    const subjects: Subject[] = [];
    for (const watch of watches) subjects.push(await start(watch, { folder, upstream: upstream.port, collector }));
    for (const subject of subjects) await cost(subject, { folder, seconds: WARM_UP_SECONDS });
    for (let round = 0; round < rounds; round++) {
      // Each is the first now and then, so that none always follows the same.
      for (let n = 0; n < subjects.length; n++) {
        const subject = subjects[(n + round) % subjects.length];
        subject.costs.push(await cost(subject, { folder, seconds }));
      }
    }
    say(
      `Processor time of BWS for a small GET; medians of ${rounds} rounds of ${seconds} s, Deno ${Deno.version.deno}\n`,
    );
    say(table([["watched by", "µs a request", "lowest – highest", "more than nothing"], ...rows(subjects)]));
  } finally {
    await stopAll();
    await Deno.remove(folder, { recursive: true });
  }
  Deno.exit(0);
}

function rows(subjects: readonly Subject[]): string[][] {
  const [nothing] = subjects;
  return subjects.map(({ watch, costs }) => [
    watch.name,
    median(costs).toFixed(1),
    `${Math.min(...costs).toFixed(1)} – ${Math.max(...costs).toFixed(1)}`,
    // By rounds, so that what slows the whole machine for a while is in neither.
    watch === nothing.watch ? "" : signed(median(costs.map((us, round) => us - nothing.costs[round]))),
  ]);
}

async function start(
  watch: Watch,
  { folder, upstream, collector }: { folder: string; upstream: number; collector: number },
): Promise<Subject> {
  const port = freePort();
  const name = watch.name.replaceAll(/\W+/g, "-");
  const file = `${folder}/${name}.toml`;
  await Deno.writeTextFile(file, configOf(watch, { port, upstream, log: `${folder}/${name}.log` }));
  const env = watch.traces === undefined ? {} : {
    ...{ OTEL_DENO: "true", OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${collector}` },
    ...watch.traces,
  };
  const child = startPinned(PROXY_CORE, Deno.execPath(), bwsArguments(file), { env });
  await listening(port, child);
  return { watch, port, pid: child.pid, costs: [] };
}

function configOf(
  { accessLog = false, metrics = false }: Watch,
  { port, upstream, log }: { port: number; upstream: number; log: string },
): string {
  const lines = ["[server]", 'shutdown_timeout = "1s"'];
  lines.push("[logging]", `access = ${accessLog}`, `output = ${JSON.stringify(log)}`);
  if (metrics) lines.push("[management]", "enabled = true", "port = 0");
  lines.push("[[sites]]", 'listen = "127.0.0.1"', `port = ${port}`);
  lines.push("[[sites.proxy.upstreams]]", 'name = "u"', `url = "http://127.0.0.1:${upstream}"`);
  return [...lines, "[[sites.proxy.routes]]", 'path = "/"', 'upstream = "u"', ""].join("\n");
}

/** Microseconds of processor time a request. */
async function cost(
  { port, pid, watch }: Subject,
  { folder, seconds }: { folder: string; seconds: number },
): Promise<number> {
  const beforeUs = await processorUs(pid);
  const options = { cores: LOAD_CORE, port, seconds, connections: CONNECTIONS, folder };
  const { requests, errors } = await wrkLoad(SMALL_GET, options);
  if (errors.length > 0) throw new Error(`${watch.name}: ${errors.join("; ")}`);
  return (await processorUs(pid) - beforeUs) / requests;
}

/** Takes spans and says thank you, in a process of its own. */
async function startCollector(): Promise<number> {
  const port = freePort();
  const args = ["run", "-A", new URL(import.meta.url).pathname, "--collect", String(port)];
  await listening(port, startPinned(LOAD_CORE, Deno.execPath(), args));
  return port;
}

function collect(port: number): void {
  Deno.serve({ hostname: "127.0.0.1", port, onListen() {} }, async (request) => {
    await request.bytes();
    return new Response(null, { headers: { "content-type": "application/x-protobuf" } });
  });
}

function signed(us: number): string {
  return `${us < 0 ? "−" : "+"}${Math.abs(us).toFixed(1)}`;
}

function say(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(text + "\n"));
}
