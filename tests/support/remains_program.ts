/**
 * Ends a worker that has sockets of a driver of Linux, `terminated` or `closed`, and fails when anything of it remains. A
 * program of its own, because it counts the open files and the memory mappings of the process.
 *
 * @module
 */

// @ts-types="../../types/std/assert.d.ts"
import { assertEquals, assertRejects } from "@std/assert";
import { closeRemains, type SocketRemains } from "../../lib/sockets/linux/remains.ts";
import { until } from "./condition.ts";
import { OwnAddress } from "./own_address.ts";

// The runtime opens two handles for the first listener of a signal, its own half a second after the start.
const ignore = () => {};
Deno.addSignalListener("SIGUSR1", ignore);

const [driver, end] = Deno.args;
const handles = () => [...Deno.readDirSync("/proc/self/fd")].length;
// The first one opens what is opened once.
await endedWorker();
const before = handles();
await endedWorker();
await until("no handle is left", () => handles() <= before);
Deno.removeSignalListener("SIGUSR1", ignore);

async function endedWorker(): Promise<void> {
  const hostname = new OwnAddress().address;
  const worker = new Worker(new URL(`remaining_worker.ts?driver=${driver}`, import.meta.url), {
    type: "module",
    name: hostname,
  });
  const { port, remains } = await new Promise<{ port: number; remains: SocketRemains }>((resolve) => {
    worker.onmessage = ({ data }) => resolve(data);
  });
  const conns = await Promise.all(Array.from({ length: 20 }, () => Deno.connect({ hostname, port })));
  for (const conn of conns) {
    await conn.write(new Uint8Array([1, 2, 3]));
    assertEquals(await conn.read(new Uint8Array(10)), 3);
  }
  // Whose echo does not fit, so that the worker has something to send, and to receive.
  const stuck = await Deno.connect({ hostname, port });
  const writing = (async () => {
    for (;;) await stuck.write(new Uint8Array(1 << 16));
  })().catch(() => {});
  await new Promise((resolve) => setTimeout(resolve, 100));
  if (end === "terminated") worker.terminate();
  else worker.postMessage("close");
  // The wait for the thread keeps no process alive.
  const alive = setInterval(() => {}, 1000);
  await closeRemains(remains);
  clearInterval(alive);
  for (const conn of conns) {
    assertEquals(await conn.read(new Uint8Array(10)), null);
    conn.close();
  }
  await writing;
  stuck.close();
  assertEquals((await Deno.readTextFile("/proc/self/maps")).includes("io_uring"), false);
  await assertRejects(() => Deno.connect({ hostname, port }), Deno.errors.ConnectionRefused);
}
