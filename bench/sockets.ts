/**
 * What the socket drivers cost: each echoes 128 bytes over some connections, 64 if not said, in a process of its own. Reported is the
 * processor time of that process for one echo, user and system, the median of rounds in turns. `await` is a loop over
 * `Deno.Conn`, for comparison. Run with `deno run -A bench/sockets.ts [SECONDS] [ROUNDS] [CONNECTIONS] [DRIVER…]`.
 *
 * @module
 */
// deno-lint-ignore-file no-console -- a program that prints a table

import { openEpoll } from "../lib/sockets/epoll/open_epoll.ts";
import { openUring } from "../lib/sockets/uring/open_uring.ts";
import { runtimeDriver } from "../lib/sockets/runtime_driver.ts";
import type { Socket, SocketDriver } from "../lib/sockets/socket.ts";
import { LOAD_CORE, PROXY_CORE, startPinned, stopAll } from "./pinned_process.ts";
import { processorUs } from "./process_tree.ts";

const BYTES = 128;
/** Until the compiler has done its work. */
const WARM_UP_MS = 1500;

/** What is measured, by name: serves on a free port, and gives it. */
const SERVERS: Readonly<Record<string, () => number | Promise<number>>> = {
  runtime: () => serve(runtimeDriver),
  epoll: async () => {
    const driver = await openEpoll();
    if (typeof driver === "string") throw new Error(`Cannot open epoll: ${driver}`);
    return serve(driver);
  },
  uring: async () => {
    const driver = await openUring();
    if (typeof driver === "string") throw new Error(`Cannot open uring: ${driver}`);
    return serve(driver);
  },
  await: serveAwaiting,
};

/** Costs of one echo in a round, in microseconds of processor time; and how many there were in a second. */
interface Round {
  costUs: number;
  echoes: number;
}

function serve(driver: SocketDriver): number {
  return driver.listen({ address: "127.0.0.1", port: 0, shared: false }, {
    accepted: (socket) => void (socket.handler = echo(socket)),
    failed: (error) => console.error(error),
  }).port;
}

function echo(socket: Socket): Socket["handler"] {
  return {
    received: (bytes, start, end) => void socket.write(bytes.subarray(start, end), "lent"),
    drained() {},
    ended: () => socket.close(),
    failed() {},
  };
}

function serveAwaiting(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  (async () => {
    for await (const conn of listener) echoAwaiting(conn);
  })();
  return listener.addr.port;
}

async function echoAwaiting(conn: Deno.TcpConn): Promise<void> {
  conn.setNoDelay(true);
  const buffer = new Uint8Array(2048);
  for (;;) {
    const count = await conn.read(buffer);
    if (count === null) break;
    await conn.write(buffer.subarray(0, count));
  }
  conn.close();
}

/** Sends messages, each when the last one has come back, until its input ends; each line asks how many echoes there were. */
async function load(port: number, connections: number): Promise<void> {
  const message = new Uint8Array(BYTES).fill(0x61);
  let echoes = 0;
  for (let i = 0; i < connections; i++) {
    runtimeDriver.connect({ address: "127.0.0.1", port }, {
      connected(socket) {
        let missing = BYTES;
        socket.handler = {
          received(_bytes, start, end) {
            missing -= end - start;
            if (missing > 0) return;
            missing = BYTES;
            echoes++;
            socket.write(message, "shared");
          },
          drained() {},
          ended: () => socket.close(),
          failed: (error) => console.error(error),
        };
        socket.write(message, "shared");
      },
      refused: (error) => console.error(error),
    });
  }
  for await (const _line of Deno.stdin.readable) console.log(echoes);
  Deno.exit();
}

async function measure(driver: string, seconds: number, connections: number): Promise<Round> {
  const self = new URL(import.meta.url).pathname;
  const run = ["run", "-A", "--no-check", self];
  const server = startPinned(PROXY_CORE, Deno.execPath(), [...run, "--serve", driver], { pipes: "piped" });
  const port = Number(await new LineReader(server).line());
  const client = startPinned(LOAD_CORE, Deno.execPath(), [...run, "--load", String(port), String(connections)], {
    pipes: "piped",
  });
  const input = client.stdin.getWriter();
  const lines = new LineReader(client);
  const look = async () => {
    await input.write(new TextEncoder().encode("\n"));
    return { echoes: Number(await lines.line()), us: await processorUs(server.pid), ms: performance.now() };
  };
  await new Promise((resolve) => setTimeout(resolve, WARM_UP_MS));
  const before = await look();
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  const after = await look();
  for (const child of [client, server]) child.kill("SIGKILL");
  await Promise.all([client.status, server.status]);
  const echoes = after.echoes - before.echoes;
  return {
    costUs: (after.us - before.us) / echoes,
    echoes: echoes / (after.ms - before.ms) * 1000,
  };
}

/** Reads what a process says. */
class LineReader {
  readonly #reader: ReadableStreamDefaultReader<string>;

  constructor(child: Deno.ChildProcess) {
    this.#reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  }

  /** One line; each is said at once. */
  async line(): Promise<string> {
    const { value } = await this.#reader.read();
    if (value === undefined) throw new Error("It ended at once");
    return value.trim();
  }
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1];
}

async function main(args: readonly string[]): Promise<void> {
  const [mode, what, count] = args;
  if (mode === "--serve") return console.log(await SERVERS[what]());
  if (mode === "--load") return await load(Number(what), Number(count));
  const [seconds = "3", rounds = "5", connections = "64", ...names] = args;
  const drivers = names.length > 0 ? names : Object.keys(SERVERS);
  const found = new Map<string, Round[]>(drivers.map((driver) => [driver, []]));
  for (let round = 0; round < Number(rounds); round++) {
    for (const driver of drivers) found.get(driver)?.push(await measure(driver, Number(seconds), Number(connections)));
  }
  console.log(`${"driver".padEnd(10)}${"µs an echo".padStart(12)}${"echoes a second".padStart(18)}`);
  for (const [driver, all] of found) {
    const cost = median(all.map(({ costUs }) => costUs)).toFixed(2);
    const echoes = median(all.map((one) => one.echoes)).toFixed(0);
    console.log(`${driver.padEnd(10)}${cost.padStart(12)}${echoes.padStart(18)}`);
  }
  await stopAll();
}

if (import.meta.main) await main(Deno.args);
