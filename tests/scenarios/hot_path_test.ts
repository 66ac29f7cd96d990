/**
 * Guards of the hot path that noise cannot trip: what a proxied request takes of the system and of the heap is counted, not
 * timed.
 *
 * @module
 */

// @ts-types="../../types/std/assert.d.ts"
import { assert } from "@std/assert";
import { CountedProxy } from "../support/counted_proxy.ts";
import { epollWorks } from "../support/epoll_support.ts";

/**
 * Measured: 4.11 to 4.18. Two reads and two writes, and the waits that 64 connections share. Where another program takes the
 * processor from the clients the waits are shared by fewer, so that the best of a few tries counts.
 */
const MOST_CALLS = 4.2;
const TRIES = 4;
/** Measured: 4,100 to 4,150. */
const MOST_BYTES = 4_600;
/** Measured: 1. Where nothing keeps the last objects of the hot path: 60. */
const MOST_UNDONE = 12;
const REQUESTS = 20_000;

async function straceWorks(): Promise<boolean> {
  try {
    const args = ["-o", "/dev/null", "true"];
    const { success } = await new Deno.Command("strace", { args, stdout: "null", stderr: "null" }).output();
    if (success) return true;
  } catch {
    // It is not installed.
  }
  Deno.stdout.writeSync(
    new TextEncoder().encode("skipped: system calls are not counted, since strace does not work here\n"),
  );
  return false;
}

/** Calls of all threads of a process while `work` runs. */
async function countCalls(pid: number, work: () => Promise<void>): Promise<number> {
  const file = await Deno.makeTempFile();
  const tracer = new Deno.Command("strace", {
    args: ["-c", "-f", "-p", String(pid), "-o", file],
    ...{ stdin: "null", stdout: "null", stderr: "piped" },
  }).spawn();
  const reader = tracer.stderr.pipeThrough(new TextDecoderStream()).getReader();
  // It says so once it has attached to the threads.
  for (let said = ""; !said.includes("attached");) {
    const { value, done } = await reader.read();
    if (done) throw new Error(`strace: ${said}`);
    said += value;
  }
  await work();
  tracer.kill("SIGINT");
  while (!(await reader.read()).done);
  await tracer.status;
  const text = await Deno.readTextFile(file);
  await Deno.remove(file);
  const total = /^\s*100\.00\s+[\d.]+\s+\d+\s+(\d+).*total$/m.exec(text);
  if (total === null) throw new Error(`strace wrote no summary: ${text}`);
  return Number(total[1]);
}

Deno.test({
  name: "a proxied GET takes little more than two reads and two writes of the system, at 64 connections",
  ignore: !epollWorks || !await straceWorks(),
  async fn() {
    await using proxy = await CountedProxy.start();
    await proxy.ask(REQUESTS);
    const found: number[] = [];
    while (found.length < TRIES && !found.some((calls) => calls <= MOST_CALLS)) {
      found.push(await countCalls(proxy.pid, () => proxy.ask(REQUESTS)) / REQUESTS);
    }
    assert(found.some((calls) => calls <= MOST_CALLS), `${found.join(", ")} system calls a request`);
  },
});

Deno.test({
  name: "a proxied GET allocates little of the heap",
  ignore: !epollWorks,
  async fn() {
    await using proxy = await CountedProxy.start();
    // Compiled code allocates less, and the compiler itself allocates.
    await proxy.ask(2 * REQUESTS);
    const found: number[] = [];
    // Where the machine is busy it may be compiled later.
    while (found.length < TRIES && !found.some((bytes) => bytes <= MOST_BYTES)) {
      const before = await proxy.allocatedBytes();
      await proxy.ask(REQUESTS);
      found.push((await proxy.allocatedBytes() - before) / REQUESTS);
    }
    assert(found.some((bytes) => bytes <= MOST_BYTES), `${found.join(", ")} bytes a request`);
  },
});

Deno.test({
  name: "what V8 has compiled for the hot path outlasts a rest, in which nothing is left of any exchange",
  ignore: !epollWorks,
  async fn() {
    await using proxy = await CountedProxy.start();
    await proxy.ask(3 * REQUESTS);
    // The first rest ends code that was compiled early, for shapes that objects of the start had.
    await proxy.rest();
    const found: number[] = [];
    while (found.length < TRIES && !found.some((count) => count <= MOST_UNDONE)) {
      await proxy.ask(REQUESTS);
      const before = await proxy.undone();
      await proxy.rest();
      await proxy.ask(REQUESTS);
      found.push(await proxy.undone() - before);
    }
    assert(found.some((count) => count <= MOST_UNDONE), `${found.join(", ")} pieces of code were undone`);
  },
});
