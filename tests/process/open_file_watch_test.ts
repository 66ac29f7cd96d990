/**
 * Idle connections that are closed before the file handles run out.
 *
 * @module
 */

// @ts-types="../../types/std/assert.d.ts"
import { assertEquals, assertGreater, assertLess } from "@std/assert";
import { OpenFileWatch } from "../../lib/process/open_file_watch.ts";
import { closeLongestIdle, type IdleConnection, type Port } from "../../lib/listener/port.ts";
import { BwsProcess } from "../cli/bws_process.ts";
import { until } from "../support/condition.ts";
import { statusOf } from "../support/message_reader.ts";
import { openFilesOfProgram } from "../support/open_files_program.ts";
import { freePort } from "../support/port.ts";
import { get, RawClient } from "../support/raw_client.ts";

const LINUX = Deno.build.os === "linux";

Deno.test("OpenFileWatch closes its share of what is open above 85 % once 90 % are, and tells it once", async () => {
  let open = 850;
  const asked: number[] = [];
  const told: unknown[] = [];
  const watch = new OpenFileWatch({
    close: (most) => {
      asked.push(most);
      return most;
    },
    onClosed: (facts) => told.push(facts),
    threads: 2,
    limit: 1000,
    count: () => open,
    intervalMs: 1,
  });
  await new Promise((resolve) => setTimeout(resolve, 20));
  assertEquals(asked, []);
  open = 951;
  await until("it has looked twice", () => asked.length > 1);
  watch.stop();
  assertEquals([asked[0], told], [51, [{ open: 951, limit: 1000, closed: 51 }]]);
});

Deno.test("OpenFileWatch ends where the number of open files is not known", async () => {
  let looks = 0;
  const watch = new OpenFileWatch({
    ...{ close: () => 0, onClosed: () => {}, threads: 1, limit: 10, intervalMs: 1 },
    count: () => void looks++,
  });
  await until("it has looked", () => looks > 0);
  await new Promise((resolve) => setTimeout(resolve, 20));
  assertEquals(looks, 1);
  watch.stop();
});

Deno.test({
  name: "openFileCount() counts what this process has open",
  ignore: !LINUX,
  async fn() {
    const [before, after] = await openFilesOfProgram();
    assertEquals(before.count, before.byHand);
    assertEquals(after.count, before.byHand + 50);
  },
});

Deno.test("closeLongestIdle() closes the longest idle connections over all ports", () => {
  const closed: number[] = [];
  const portOf = (...idle: number[]): Port => {
    const connections = idle.map((idleMs): IdleConnection => ({ idleMs, close: () => closed.push(idleMs) }));
    return { idleConnections: () => connections } as unknown as Port;
  };
  const unknown = {} as unknown as Port;
  assertEquals(closeLongestIdle([portOf(5, 900, 30), unknown, portOf(700, 1)], 3), 3);
  assertEquals(closed, [900, 700, 30]);
  assertEquals(closeLongestIdle([portOf(1)], 3), 1);
});

for (const workers of [1, 2]) {
  Deno.test({
    name: `the longest idle clients of all ports make room before the handles run out, with ${workers} workers`,
    ignore: !LINUX,
    async fn() {
      const [first, second] = [freePort(), freePort()];
      const file = await Deno.makeTempFile({ suffix: ".toml" });
      const site = (port: number) =>
        `[[sites]]\nlisten = "127.0.0.1"\nport = ${port}\nstatic_dir = ${JSON.stringify(WWW)}\n`;
      await Deno.writeTextFile(
        file,
        `[server]\nlistener = "own"\nworkers = ${workers}\n[logging]\naccess = false\noutput = "stderr"\n` +
          site(first) + site(second),
      );
      await using bws = new BwsProcess(["run", file], { openFiles: OPEN_FILES });
      await bws.until(/http:\/\/127\.0\.0\.1:\d+[^]*http:\/\/127\.0\.0\.1:\d+/);
      const clients: RawClient[] = [];
      try {
        for (let i = 0; i < 2 * OPEN_FILES; i++) {
          // No faster than idle connections are closed, which begins at 90 %.
          await until("there is room", async () => await openFilesOf(bws.pid) < 0.95 * OPEN_FILES);
          const client = await RawClient.connect(i % 2 === 0 ? first : second);
          clients.push(client);
          await client.send(get("/index.html"));
          assertEquals(statusOf(await client.answer()), 200);
        }
        await bws.until(/"idle connections closed: near the limit of open files"/);
        assertEquals(bws.text.stderr.includes("port cannot accept connections"), false);
        // The first clients made room for the last ones.
        const ends = await Promise.all(clients.map((client) => isClosed(client)));
        assertGreater(ends.slice(0, OPEN_FILES / 2).filter((ended) => ended).length, OPEN_FILES / 4);
        // Of several workers each closes its share, so that one with few clients closes younger ones than another would.
        if (workers === 1) assertEquals(ends.slice(-10).filter((ended) => ended).length, 0);
        assertLess(meanIndex(ends, true), meanIndex(ends, false));
        assertLess(ends.filter((ended) => !ended).length, OPEN_FILES);
      } finally {
        for (const client of clients) client.close();
        await Deno.remove(file);
      }
    },
  });
}

/** Whether the server has closed a connection: then a request has no response. */
async function isClosed(client: RawClient): Promise<boolean> {
  await client.send(get("/index.html"));
  return await client.reader.answer().catch(() => undefined) === undefined;
}

/** Mean place of those that have ended, or have not. */
function meanIndex(ends: readonly boolean[], ended: boolean): number {
  const places = [...ends.keys()].filter((i) => ends[i] === ended);
  return places.reduce((sum, i) => sum + i, 0) / places.length;
}

async function openFilesOf(pid: number): Promise<number> {
  return (await Array.fromAsync(Deno.readDir(`/proc/${pid}/fd`))).length;
}

const OPEN_FILES = 400;
const WWW = new URL("../www", import.meta.url).pathname;
