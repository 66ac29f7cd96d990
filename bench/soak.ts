/**
 * A long soak: upstreams and clients are killed at random in the middle of requests, uploads, responses and WebSockets, and come
 * back. Every body and message is checked. At the end no handle, no count and no memory may be left behind. Run with
 * `deno run -A bench/soak.ts [MINUTES] [SOCKETS] [WORKERS]`; exits with 1 where something is left or wrong.
 *
 * @module
 */
// deno-lint-ignore-file no-console -- a program that prints what it found

import { bwsArguments } from "./peers/bws.ts";
import { residentBytes, treeOf } from "./process_tree.ts";
import { median } from "./report.ts";

const UPSTREAMS = 3;
const CLIENTS = 3;
const KILL_MS = 3000;
const LOOK_MS = 60_000;
/** What a first phase fills once: code, pools, the allocator. */
const FIRST_MS = 120_000;
const REST_MS = 10_000;
const GROWN_BYTES = 60_000_000;

/** A process that prints lines. */
class Program {
  readonly #child: Deno.ChildProcess;
  readonly #lines: ReadableStreamDefaultReader<string>;

  constructor(name: string, argument: string, private readonly heard: (line: string) => void) {
    const program = new URL(`soak/${name}.ts`, import.meta.url).pathname;
    this.#child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", program, argument],
      stdout: "piped",
      stderr: "null",
    }).spawn();
    this.#lines = this.#child.stdout.pipeThrough(new TextDecoderStream()).getReader();
    this.#read();
  }

  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.status;
  }

  async #read(): Promise<void> {
    let text = "";
    for (;;) {
      const { value, done } = await this.#lines.read();
      if (done) return;
      const lines = (text + value).split("\n");
      text = lines.pop() ?? "";
      for (const line of lines) this.heard(line);
    }
  }
}

function listening(port: number): Promise<{ program: Program; port: number }> {
  return new Promise((resolve) => {
    const program: Program = new Program("upstream", String(port), (line) => resolve({ program, port: Number(line) }));
  });
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

async function freePort(): Promise<number> {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  listener.close();
  await pause(0);
  return port;
}

function configOf(
  port: number,
  adminPort: number,
  sockets: string,
  workers: number,
  upstreams: readonly number[],
): string {
  return `[server]
workers = ${workers}
sockets = "${sockets}"
[logging]
access = false
level = "error"
[management]
enabled = true
port = ${adminPort}
[[sites]]
port = ${port}
listen = "127.0.0.1"
${upstreams.map((upstream) => `[[sites.proxy.upstreams]]\nname = "u"\nurl = "http://127.0.0.1:${upstream}"`).join("\n")}
[[sites.proxy.routes]]
path = "/"
upstream = "u"
websocket = true
[sites.proxy.connections]
idle_timeout = "2s"
[sites.proxy.health_check]
path = "/1"
interval = "1s"
`;
}

/** What is open and in use now. */
interface Look {
  handles: number;
  residentBytes: number;
  inFlight: number;
  upstreamInFlight: number;
}

async function look(pid: number, adminPort: number): Promise<Look> {
  let handles = 0;
  for (const member of await treeOf(pid)) {
    for await (const _ of Deno.readDir(`/proc/${member}/fd`)) handles++;
  }
  const metrics = await (await fetch(`http://127.0.0.1:${adminPort}/metrics`)).text();
  const sum = (name: string) =>
    [...metrics.matchAll(new RegExp(`^${name}(?:\\{.*\\})? (\\S+)$`, "gm"))].reduce(
      (all, [, value]) => all + Number(value),
      0,
    );
  return {
    handles,
    residentBytes: await residentBytes(pid),
    inFlight: sum("bws_http_requests_in_flight"),
    upstreamInFlight: sum("bws_upstream_in_flight"),
  };
}

/**
 * By how much resident memory has grown: the medians of the first and the last quarter of the looks. A single look is up to
 * 100 MB lower where V8 has just given memory back to the system.
 */
function grownBytes(residents: readonly number[]): number {
  const quarter = Math.ceil(residents.length / 4);
  return median(residents.slice(-quarter)) - median(residents.slice(0, quarter));
}

async function main([minutes = "30", sockets = "auto", workers = "1"]: readonly string[]): Promise<boolean> {
  const folder = await Deno.makeTempDir();
  const upstreams = await Promise.all(Array.from({ length: UPSTREAMS }, () => listening(0)));
  const [port, adminPort] = [await freePort(), await freePort()];
  const config = `${folder}/bws.toml`;
  await Deno.writeTextFile(
    config,
    configOf(port, adminPort, sockets, Number(workers), upstreams.map(({ port }) => port)),
  );
  const server = new Deno.Command(Deno.execPath(), { args: bwsArguments(config), stdout: "null", stderr: "inherit" })
    .spawn();
  for (let tries = 0;; tries++) {
    const up = await fetch(`http://127.0.0.1:${port}/1`).then((response) => response.text()).catch(() => undefined);
    if (up !== undefined) break;
    if (tries === 600) throw new Error("Cannot reach the proxy");
    await pause(100);
  }

  const totals: Record<string, number> = {};
  let wrong = 0;
  const heard = (line: string) => {
    if (line.startsWith("WRONG")) {
      wrong++;
      console.log(line);
      return;
    }
    for (const [name, count] of Object.entries(JSON.parse(line))) totals[name] = (totals[name] ?? 0) + Number(count);
  };
  const kills = { upstreams: 0, clients: 0 };
  const residents: number[] = [];
  const phase = async (ms: number) => {
    const clients = Array.from({ length: CLIENTS }, () => new Program("client", String(port), heard));
    const end = performance.now() + ms;
    let nextLook = performance.now() + LOOK_MS;
    while (performance.now() < end) {
      await pause(KILL_MS * 2 * Math.random());
      if (Math.random() < 0.5) {
        const index = Math.floor(Math.random() * UPSTREAMS);
        await upstreams[index].program.kill();
        kills.upstreams++;
        await pause(Math.random() * 1000);
        upstreams[index] = await listening(upstreams[index].port);
      } else {
        const index = Math.floor(Math.random() * CLIENTS);
        await clients[index].kill();
        kills.clients++;
        clients[index] = new Program("client", String(port), heard);
      }
      if (performance.now() < nextLook) continue;
      nextLook += LOOK_MS;
      const now = await look(server.pid, adminPort);
      residents.push(now.residentBytes);
      console.log(JSON.stringify({ ...totals, ...kills, ...now }));
    }
    for (const client of clients) await client.kill();
    await pause(REST_MS);
    return await look(server.pid, adminPort);
  };
  try {
    const before = await phase(FIRST_MS);
    console.log("before", JSON.stringify(before));
    const after = await phase(Number(minutes) * 60_000);
    console.log("after ", JSON.stringify(after), JSON.stringify({ ...totals, ...kills, wrong }));
    return wrong === 0 && after.inFlight === 0 && after.upstreamInFlight === 0 && after.handles <= before.handles &&
      grownBytes([before.residentBytes, ...residents, after.residentBytes]) < GROWN_BYTES;
  } finally {
    for (const { program } of upstreams) await program.kill();
    server.kill("SIGTERM");
    await server.status;
    await Deno.remove(folder, { recursive: true });
  }
}

const passed = await main(Deno.args);
console.log(passed ? "nothing is left behind" : "FAILED");
Deno.exit(passed ? 0 : 1);
