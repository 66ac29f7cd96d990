/**
 * Sockets under cuts: connections echo messages of random size, and each of them is ended, closed or reset at random, by
 * either side, often in the middle of a message. What arrives is checked byte by byte. With workers, each runs the same,
 * and one of them is terminated every now and then. At the end, handles must be where they were; memory is printed. Run
 * with `deno run -A bench/socket_soak.ts [ECHOES] [DRIVER] [WORKERS]`.
 *
 * @module
 */
// deno-lint-ignore-file no-console -- a program that prints what it found

import { closeRemains, type SocketRemains } from "../lib/sockets/linux/remains.ts";
import { openEpoll } from "../lib/sockets/epoll/open_epoll.ts";
import { openUring } from "../lib/sockets/uring/open_uring.ts";
import { runtimeDriver } from "../lib/sockets/runtime_driver.ts";
import type { Socket, SocketDriver, SocketHandler } from "../lib/sockets/socket.ts";

const CONNECTIONS = 200;
const LARGEST = 100_000;
/** One of so many callbacks cuts its connection. */
const CUT_EVERY = 50;
const TERMINATE_MS = 2000;

/** Counts of one thread. */
interface Counts {
  echoes: number;
  connections: number;
  failures: number;
}

/** Every message is a part of it, from a random place on. */
const PATTERN = Uint8Array.from({ length: LARGEST + 256 }, (_, i) => (i * 31 + (i >> 8)) & 0xff);

async function openDriver(name: string): Promise<SocketDriver> {
  if (name === "runtime") return runtimeDriver;
  const driver = await (name === "uring" ? openUring() : openEpoll());
  if (typeof driver === "string") throw new Error(`Cannot open ${name}: ${driver}`);
  return driver;
}

/** Cuts a connection in one of three ways, one time in {@linkcode CUT_EVERY}. Returns whether it did. */
function cut(socket: Socket): boolean {
  if (Math.random() * CUT_EVERY >= 1) return false;
  const how = Math.random();
  if (how < 0.4) socket.close();
  else if (how < 0.8) socket.reset();
  else socket.end();
  return true;
}

/** The side that sends back. */
class EchoHandler implements SocketHandler {
  #cut = false;

  constructor(private readonly socket: Socket) {}

  received(bytes: Uint8Array<ArrayBuffer>, start: number, end: number): void {
    // What is written after the end is dropped, and not followed by `drained`.
    if (this.#cut) return;
    if (!this.socket.write(bytes.subarray(start, end), "lent")) this.socket.pause();
    bytes.fill(0, start, end);
    this.#cut = cut(this.socket);
  }

  drained(): void {
    this.socket.resume();
  }

  ended(): void {
    this.socket.close();
  }

  failed(): void {}
}

/** The side that sends messages and checks what comes back. */
class MessageHandler implements SocketHandler {
  #place = 0;
  #length = 0;
  #missing = 0;

  constructor(private readonly socket: Socket, private readonly counts: Counts, private readonly over: () => void) {
    this.#next();
  }

  received(bytes: Uint8Array<ArrayBuffer>, start: number, end: number): void {
    for (let i = start; i < end; i++) {
      const expected = PATTERN[this.#place + this.#length - this.#missing];
      if (this.#missing-- === 0 || bytes[i] !== expected) {
        console.error(`Found ${bytes[i]} in place of ${expected}, ${this.#missing} missing of ${this.#length}`);
        Deno.exit(1);
      }
    }
    if (this.#missing === 0) {
      this.counts.echoes++;
      this.#next();
    } else if (cut(this.socket) && this.socket.closed) this.over();
  }

  drained(): void {}

  ended(): void {
    this.socket.close();
    this.over();
  }

  failed(): void {
    this.counts.failures++;
    this.over();
  }

  #next(): void {
    this.#length = this.#missing = 1 + Math.floor(Math.random() ** 10 * LARGEST);
    this.#place = Math.floor(Math.random() * 256);
    const ownership = (["lent", "shared", "given"] as const)[Math.floor(Math.random() * 3)];
    this.socket.write(PATTERN.slice(this.#place, this.#place + this.#length), ownership);
    if (cut(this.socket) && this.socket.closed) this.over();
  }
}

/** Runs until there were so many echoes, or for ever. */
function run(driver: SocketDriver, echoes: number, counts: Counts): Promise<void> {
  return new Promise((resolve) => {
    const listening = driver.listen({ address: "127.0.0.1", port: 0, shared: false }, {
      accepted: (socket) => void (socket.handler = new EchoHandler(socket)),
      failed: (error) => console.error(error.message),
    });
    let open = 0;
    const connect = () => {
      open++;
      counts.connections++;
      driver.connect({ address: "127.0.0.1", port: listening.port }, {
        connected: (socket) => void (socket.handler = new MessageHandler(socket, counts, over)),
        refused: over,
      });
    };
    const over = () => {
      open--;
      if (counts.echoes < echoes) {
        setTimeout(connect);
      } else if (open === 0) {
        listening.close();
        resolve();
      }
    };
    for (let i = 0; i < CONNECTIONS; i++) connect();
  });
}

function handles(): number {
  return [...Deno.readDirSync("/proc/self/fd")].length;
}

/** Workers, each of which runs for ever; one of them is replaced every now and then. */
async function runWorkers(driver: string, echoes: number, count: number): Promise<Counts> {
  const total: Counts = { echoes: 0, connections: 0, failures: 0 };
  const start = () => {
    const worker = new Worker(new URL(`?worker=${driver}`, import.meta.url), { type: "module" });
    const counts = { echoes: 0, connections: 0, failures: 0 };
    const state: { worker: Worker; remains?: SocketRemains; counts: Counts } = { worker, counts };
    worker.onmessage = ({ data }) => Object.assign(state, data);
    return state;
  };
  const workers = Array.from({ length: count }, start);
  const end = async (state: ReturnType<typeof start>) => {
    // A worker that ends before it has told what remains leaves it open.
    while (driver !== "runtime" && state.remains === undefined) await new Promise((resolve) => setTimeout(resolve, 10));
    state.worker.terminate();
    if (state.remains !== undefined) await closeRemains(state.remains);
    for (const key of ["echoes", "connections", "failures"] as const) total[key] += state.counts[key];
  };
  let replaced = 0;
  for (; total.echoes + workers.reduce((sum, { counts }) => sum + counts.echoes, 0) < echoes; replaced++) {
    await new Promise((resolve) => setTimeout(resolve, TERMINATE_MS));
    const index = Math.floor(Math.random() * count);
    await end(workers[index]);
    workers[index] = start();
  }
  await Promise.all(workers.map(end));
  console.log(`${replaced} workers were terminated and replaced`);
  return total;
}

async function main([echoes = "1000000", name = "epoll", workers = "0"]: readonly string[]): Promise<void> {
  // The runtime opens two sockets for the first listener of a signal.
  Deno.addSignalListener("SIGUSR1", () => {});
  const driver = await openDriver(name);
  // The first worker of a process opens what stays open.
  if (workers !== "0") await runWorkers(name, 1, 1);
  await new Promise((resolve) => setTimeout(resolve, 100));
  const before = handles();
  const startMs = performance.now();
  let counts: Counts = { echoes: 0, connections: 0, failures: 0 };
  const timer = setInterval(() => console.log(counts, `${Math.round(Deno.memoryUsage().rss / 1e6)} MB`), 10_000);
  if (workers === "0") await run(driver, Number(echoes), counts);
  else counts = await runWorkers(name, Number(echoes), Number(workers));
  clearInterval(timer);
  await new Promise((resolve) => setTimeout(resolve, 1000));
  const seconds = (performance.now() - startMs) / 1000;
  console.log(counts, `${seconds.toFixed(0)} s, ${Math.round(Deno.memoryUsage().rss / 1e6)} MB`);
  console.log(`${before} handles before, ${handles()} after`);
  Deno.exit(handles() > before ? 1 : 0);
}

const name = new URL(import.meta.url).searchParams.get("worker");
if (name !== null) {
  const driver = await openDriver(name);
  const counts: Counts = { echoes: 0, connections: 0, failures: 0 };
  const { remains } = driver;
  const tell = () => (self as unknown as Worker).postMessage({ counts, remains });
  tell();
  setInterval(tell, 100);
  run(driver, Infinity, counts);
} else if (import.meta.main) {
  await main(Deno.args);
}
