// @ts-types="../../../types/std/assert.d.ts"
import { assertEquals, assertRejects } from "@std/assert";
import { closeRemains, type EpollRemains } from "../../../lib/sockets/epoll/epoll_remains.ts";
import { until } from "../../support/condition.ts";
import { epollWorks } from "../../support/epoll_support.ts";

for (const end of ["is terminated", "closes itself"]) {
  Deno.test({ name: `closeRemains() closes the sockets of a worker that ${end}`, ignore: !epollWorks }, async () => {
    const handles = () => [...Deno.readDirSync("/proc/self/fd")].length;
    // The first one opens what is opened once.
    await endedWorker(end);
    const before = handles();
    await endedWorker(end);
    await until("no handle is left", () => handles() <= before);
  });
}

async function endedWorker(end: string): Promise<void> {
  const worker = new Worker(new URL("../../support/epoll_worker.ts", import.meta.url), { type: "module" });
  const { port, remains } = await new Promise<{ port: number; remains: EpollRemains }>((resolve) => {
    worker.onmessage = ({ data }) => resolve(data);
  });
  const conns = await Promise.all(Array.from({ length: 20 }, () => Deno.connect({ hostname: "127.0.0.1", port })));
  for (const conn of conns) {
    await conn.write(new Uint8Array([1, 2, 3]));
    assertEquals(await conn.read(new Uint8Array(10)), 3);
  }
  if (end === "is terminated") worker.terminate();
  else worker.postMessage("close");
  // The wait for the thread keeps no process alive.
  const alive = setInterval(() => {}, 1000);
  await closeRemains(remains);
  clearInterval(alive);
  for (const conn of conns) {
    assertEquals(await conn.read(new Uint8Array(10)), null);
    conn.close();
  }
  await assertRejects(() => Deno.connect({ hostname: "127.0.0.1", port }), Deno.errors.ConnectionRefused);
}
