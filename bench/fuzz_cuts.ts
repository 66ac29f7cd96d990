/**
 * Requests under cuts: clients send requests to a proxy in random pieces, upstreams respond likewise, and one message in 25 is
 * cut by a reset, a close or a half close, by either side, often in the middle. Every message that arrives whole must be
 * right, byte by byte. The proxy must not crash, and at the end its handles must be where they were. Run with
 * `deno run -A bench/fuzz_cuts.ts [REQUESTS] [DRIVER] [WORKERS]`.
 *
 * @module
 */
// deno-lint-ignore-file no-console -- a program that prints what it found

import { openEpoll } from "../lib/sockets/epoll/open_epoll.ts";
import { runtimeDriver } from "../lib/sockets/runtime_driver.ts";
import type { Socket, SocketDriver } from "../lib/sockets/socket.ts";
import { below, bodyLength, composeMessage, isRight, joined, type Message, oneOf } from "./cuts/message.ts";
import { Peer } from "./cuts/peer.ts";
import { bwsArguments } from "./peers/bws.ts";
import { freePort, listening } from "./pinned_process.ts";
import { residentBytes } from "./process_tree.ts";

const CLIENTS = 100;
const UPSTREAMS = 3;
/** Longer without a response, a client gives up. */
const STUCK_MS = 60_000;
const REPORT_MS = 20_000;
/** How long the proxy may take to close what is left. */
const CLOSING_MS = 15_000;

const counts = { requests: 0, connections: 0, whole: 0, early: 0, cutByPeers: 0, wrong: 0, stuck: 0 };
const statuses = new Map<string, number>();

/** A connection that the proxy has opened. */
class Upstream extends Peer {
  static readonly open = new Set<Upstream>();

  override begin(socket: Socket): void {
    super.begin(socket);
    Upstream.open.add(this);
  }

  protected arrived(message: Message): void {
    if (!isRight(message)) counts.wrong++;
    this.send(composeMessage("HTTP/1.1 200 OK\r\n", bodyLength()));
  }

  protected over(): void {
    Upstream.open.delete(this);
  }

  override close(): void {
    super.close();
  }
}

/** A client, on one connection after the other until there were so many requests. */
class Client extends Peer {
  readonly done: Promise<void>;
  readonly #connect: (client: Client) => void;
  readonly #most: number;
  readonly #resolve: () => void;
  #awaited = 0;
  /** Whether all pieces of the requests were written. */
  #written = false;
  #sinceMs = 0;

  constructor(connect: (client: Client) => void, most: number) {
    super();
    this.#connect = connect;
    this.#most = most;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.done = promise;
    this.#resolve = resolve;
    connect(this);
  }

  override begin(socket: Socket): void {
    super.begin(socket);
    counts.connections++;
    this.#awaited = 0;
    this.#next();
  }

  /** Gives up a request that is not answered. */
  look(nowMs: number): void {
    if (this.#awaited === 0 || nowMs - this.#sinceMs < STUCK_MS) return;
    counts.stuck++;
    this.close();
  }

  protected arrived(message: Message): void {
    // Interim responses announce another.
    if (message.head.startsWith("HTTP/1.1 1")) return;
    this.#awaited--;
    const status = message.head.slice(9, 12);
    if (!statuses.has(status)) console.log(`first response of its status: ${JSON.stringify(message.head)}`);
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
    if (status === "200") counts[isRight(message) ? "whole" : "wrong"]++;
    if (/^connection: *close/im.test(message.head)) return this.close();
    if (this.#awaited > 0) return;
    // A response that came before the last piece, as when the upstream has left: what is written next would stand within it.
    if (!this.#written) counts.early++;
    this.#written && this.cut === undefined ? this.#next() : this.close();
  }

  protected over(): void {
    if (this.#awaited > 0) counts.cutByPeers += this.#awaited;
    this.#awaited = 0;
    if (counts.requests >= this.#most) this.#resolve();
    else setTimeout(this.#connect, 0, this);
  }

  #next(): void {
    if (counts.requests >= this.#most) return this.close();
    this.#sinceMs = performance.now();
    this.#awaited = oneOf(4) ? 2 + below(7) : 1;
    counts.requests += this.#awaited;
    const requests = joined(Array.from({ length: this.#awaited }, () => {
      const lines = oneOf(2) ? "POST" : "PUT";
      return composeMessage(`${lines} /fuzz HTTP/1.1\r\nHost: fuzz\r\n`, oneOf(2) ? 0 : bodyLength());
    }));
    this.#written = false;
    this.send(requests, () => this.#written = true);
  }
}

async function openDriver(): Promise<SocketDriver> {
  const driver = await openEpoll();
  return typeof driver === "string" ? runtimeDriver : driver;
}

function config(port: number, management: number, driver: string, workers: string, upstreams: number[]): string {
  return `[server]
sockets = "${driver}"
workers = ${workers}
[server.limits]
idle_timeout = "5s"
[logging]
access = false
level = "error"
[management]
enabled = true
port = ${management}
[[sites]]
port = ${port}
listen = "127.0.0.1"
[sites.proxy.passive_health]
enabled = false
${upstreams.map((port) => `[[sites.proxy.upstreams]]\nname = "u"\nurl = "http://127.0.0.1:${port}"`).join("\n")}
[[sites.proxy.routes]]
path = "/"
upstream = "u"
`;
}

function handles(pid: number): number {
  return [...Deno.readDirSync(`/proc/${pid}/fd`)].length;
}

/** Metrics of what is under way that are not 0. */
async function underWay(management: number): Promise<string[]> {
  const text = await (await fetch(`http://127.0.0.1:${management}/metrics`)).text();
  return text.split("\n").filter((line) => /^bws_\w*(in_flight|queued|open)\w*[{ ]/.test(line) && !/ 0$/.test(line));
}

async function report(pid: number): Promise<void> {
  const megabytes = Math.round(await residentBytes(pid) / 1e6);
  console.log(
    JSON.stringify(counts),
    JSON.stringify(Object.fromEntries(statuses)),
    `${megabytes} MB, ${handles(pid)} handles`,
  );
}

async function main([requests = "1000000", name = "epoll", workers = "1"]: readonly string[]): Promise<void> {
  const driver = await openDriver();
  const upstreams = Array.from(
    { length: UPSTREAMS },
    () =>
      driver.listen({ address: "127.0.0.1", port: 0, shared: false }, {
        accepted: (socket) => new Upstream().begin(socket),
        failed: (error) => console.error(error.message),
      }),
  );
  const [port, management] = [freePort(), freePort()];
  const file = await Deno.makeTempFile({ suffix: ".toml" });
  await Deno.writeTextFile(file, config(port, management, name, workers, upstreams.map(({ port }) => port)));
  const child = new Deno.Command(Deno.execPath(), { args: bwsArguments(file), stdout: "null" }).spawn();
  const ended = child.status.then(({ code, signal }) => {
    console.error(`The proxy has ended: ${signal ?? code}`);
    Deno.exit(1);
  });
  addEventListener("unload", () => child.kill("SIGKILL"));
  await listening(port, child);
  await listening(management, child);
  await underWay(management);
  await new Promise((resolve) => setTimeout(resolve, 1000));
  const before = handles(child.pid);
  const startMs = performance.now();
  const connect = (client: Client) => {
    driver.connect({ address: "127.0.0.1", port }, {
      connected: (socket) => client.begin(socket),
      refused: () => void setTimeout(connect, 10, client),
    });
  };
  const clients = Array.from({ length: CLIENTS }, () => new Client(connect, Number(requests)));
  const looking = setInterval(() => clients.forEach((client) => client.look(performance.now())), 1000);
  const reporting = setInterval(() => report(child.pid), REPORT_MS);
  await Promise.race([ended, Promise.all(clients.map(({ done }) => done))]);
  clearInterval(looking);
  clearInterval(reporting);
  for (const upstream of Upstream.open) upstream.close();
  const untilMs = performance.now() + CLOSING_MS;
  while (performance.now() < untilMs && (handles(child.pid) > before || (await underWay(management)).length > 0)) {
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  await report(child.pid);
  const [after, left] = [handles(child.pid), await underWay(management)];
  console.log(
    `${name}: ${Math.round((performance.now() - startMs) / 1000)} s; ${before} handles before, ${after} after`,
  );
  if (left.length > 0) console.log(`still under way:\n${left.join("\n")}`);
  Deno.exit(after > before || left.length > 0 || counts.wrong > 0 || counts.stuck > 0 ? 1 : 0);
}

if (import.meta.main) await main(Deno.args);
