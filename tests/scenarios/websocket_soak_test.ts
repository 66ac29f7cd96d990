// @ts-types="../../types/std/assert.d.ts"
import { assert, assertEquals, assertGreater, assertLess } from "@std/assert";
import { until, within } from "../support/condition.ts";
import { CountingClient, type Talk } from "../support/counting_client.ts";
import { LineProgram } from "../support/line_program.ts";
import { ProxyProcess } from "../support/proxy_process.ts";
import type { ProxyStatus } from "../support/proxy_program.ts";

const CLIENTS = 1000;
const UPSTREAMS = 3;
/** Clients that vanish in each round. */
const VANISHING = 40;
const ROUNDS = 4;
const BURST = 4;
const BURST_MS = 1600;
// The runtime opens a pair for itself when it first needs one.
const OWN_SOCKETS = 2;

/** Upstreams on ports that stay, while their processes come and go. */
class Upstreams {
  readonly ports: number[] = [];
  /** Processes that were killed. */
  readonly killed = new Set<number>();
  /** Processes that are no more. */
  readonly gone = new Set<number>();
  /** What the processes that left got from each socket. */
  readonly counts = new Map<string, number>();
  readonly #programs: LineProgram[] = [];

  static async start(): Promise<Upstreams> {
    const upstreams = new Upstreams();
    for (let i = 0; i < UPSTREAMS; i++) await upstreams.restart(i);
    return upstreams;
  }

  async restart(index: number): Promise<void> {
    const program = LineProgram.startOwn("counting_upstream.ts", [String(this.ports[index] ?? 0)]);
    this.#programs[index] = program;
    this.ports[index] = Number(await within(10_000, "an upstream listens", program.line()));
  }

  async kill(index: number): Promise<void> {
    this.killed.add(this.#programs[index].pid);
    this.gone.add(this.#programs[index].pid);
    await this.#programs[index].kill();
  }

  async leave(index: number): Promise<void> {
    this.gone.add(this.#programs[index].pid);
    await this.#programs[index].tell("leave");
    const counts = JSON.parse(await within(40_000, "all have left an upstream", this.#programs[index].line()));
    for (const [name, got] of Object.entries(counts)) this.counts.set(name, Number(got));
    await this.#programs[index].kill();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const program of this.#programs) await program.kill();
  }
}

/** A thousand clients that talk. */
class Crowd {
  readonly clients: CountingClient[];
  readonly vanished = new Set<Talk>();
  readonly #timer: ReturnType<typeof setInterval>;
  #next = 0;

  constructor(port: number, name: string) {
    this.clients = Array.from({ length: CLIENTS }, (_, i) => new CountingClient(`ws://127.0.0.1:${port}/${name}/${i}`));
    this.#timer = setInterval(() => {
      for (const client of this.clients) client.say(BURST);
    }, BURST_MS);
  }

  get talks(): Talk[] {
    return this.clients.flatMap(({ talks }) => talks);
  }

  /** Waits until each client has an upstream, not one of those, that has sent it something, and that it has sent to. */
  async talking(gone: ReadonlySet<number>): Promise<void> {
    const talks = ({ live }: CountingClient) =>
      live !== undefined && !gone.has(live.pid) && live.got > 0 && live.sent > 0;
    await until("every client talks", () => this.clients.every(talks), 60_000);
  }

  /** Some clients vanish, others each time. */
  vanish(): void {
    for (let i = 0; i < VANISHING; i++) {
      const client = this.clients[this.#next++ * 7 % CLIENTS];
      if (client.live === undefined) continue;
      this.vanished.add(client.live);
      client.vanish();
    }
  }

  async leave(): Promise<void> {
    for (const client of this.clients) client.leave();
    await until("all have left", () => this.clients.every(({ talks }) => talks.at(-1)?.code !== 0), 60_000);
    clearInterval(this.#timer);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}

function quiet({ underWay, inFlight, upstreamConnections, webSockets }: ProxyStatus): boolean {
  return underWay === 0 && inFlight === 0 && upstreamConnections === 0 && webSockets === 0;
}

Deno.test("1,000 sockets lose nothing while upstreams are killed, leave and come back, and leave nothing behind", async () => {
  await using upstreams = await Upstreams.start();
  await using proxy = await ProxyProcess.start({
    upstreams: upstreams.ports.map((port) => `http://127.0.0.1:${port}`),
    proxy: {
      routes: [{ path: "/", upstream: "app", websocket: true }],
      load_balancing: { method: "least_connections" },
      // A client that a busy machine holds up for longer than a ping waits is not what is tested here.
      websocket: { ping_interval: 600 },
    },
  });
  const fresh = await proxy.status();
  // A first crowd fills what is filled once: code, buffers of the allocator.
  using first = new Crowd(proxy.port, "first");
  await first.talking(upstreams.gone);
  await first.leave();
  assertEquals(faultsOf(first, upstreams), []);
  const before = await proxy.settled(
    (status) => quiet(status) && status.sockets <= fresh.sockets + OWN_SOCKETS,
    10_000,
  );

  using crowd = new Crowd(proxy.port, "second");
  await crowd.talking(upstreams.gone);
  const full = await proxy.status();
  assertEquals([full.webSockets, full.inFlight], [CLIENTS, CLIENTS], JSON.stringify(full));
  for (let round = 0; round < ROUNDS; round++) {
    const index = round % UPSTREAMS;
    if (round % 2 === 0) await upstreams.kill(index);
    else await upstreams.leave(index);
    crowd.vanish();
    await crowd.talking(upstreams.gone);
    await upstreams.restart(index);
  }
  await crowd.leave();
  assertEquals(faultsOf(crowd, upstreams), []);

  const after = await proxy.settled((status) => quiet(status) && status.sockets <= before.sockets, 10_000);
  const talks = crowd.talks;
  const ends = (code: number) => talks.filter((talk) => talk.code === code).length;
  say(
    `${talks.length} connections, ${sum(talks, "sent")} messages up, ${sum(talks, "got")} down; ended with ` +
      `1000: ${ends(1000)}, 1006: ${ends(1006)}, 1012: ${ends(1012)}, 1014: ${ends(1014)}; heap ` +
      `${mb(before.heapBytes)} → ${mb(after.heapBytes)} MB, resident ${mb(before.residentBytes)} → ` +
      `${mb(after.residentBytes)} MB (peak ${mb(before.peakBytes)} → ${mb(after.peakBytes)})`,
  );
  const told = JSON.stringify({ fresh, before, full, after });
  assert(quiet(after), told);
  assert(after.sockets <= fresh.sockets + OWN_SOCKETS, told);
  // A busy machine compiles later, so that up to 1.1 MB of code come in between; a leak has an object of each connection.
  assertLess(after.heapBytes - before.heapBytes, 2_000_000, told);
  // A busy machine holds more messages at a time; a leak of messages would take gigabytes.
  assertLess(after.peakBytes - before.peakBytes, 1_000_000_000, told);
  // That something was put to the test.
  for (const code of [1012, 1014]) assertGreater(ends(code), CLIENTS / 4);
});

/** What went wrong for a crowd, each kind of fault with its first example. */
function faultsOf(crowd: Crowd, { killed, counts }: Upstreams): string[] {
  const faults = crowd.clients.flatMap((client) => client.faults);
  for (const talk of crowd.talks) {
    // Refused before it began: its upstream died at that moment.
    if (talk.pid === 0 || crowd.vanished.has(talk)) continue;
    const told = JSON.stringify(talk);
    if (killed.has(talk.pid) ? talk.code === 1014 : talk.complete && (talk.code === 1000 || talk.code === 1012)) {
      const counted = counts.get(talk.name);
      if (talk.code === 1012 && (counted ?? 0) !== talk.sent) faults.push(`Its upstream got ${counted}: ${told}`);
    } else {
      faults.push(`An end that it should not have: ${told}`);
    }
  }
  return faults.slice(0, 10);
}

function sum(talks: readonly Talk[], count: "sent" | "got"): number {
  return talks.reduce((all, talk) => all + talk[count], 0);
}

function mb(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}

function say(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}
