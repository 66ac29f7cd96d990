/**
 * What holds drivers with a loop of their own to it: what becomes of events, and of everything else that the thread has to
 * do.
 *
 * @module
 */

// @ts-types="../../types/std/assert.d.ts"
import { assert, assertEquals } from "@std/assert";
import process from "node:process";
import type { SocketDriver } from "../../lib/sockets/socket.ts";
import { sharedTime } from "../../lib/state/shared_time.ts";
import { BlackHole } from "../support/black_hole.ts";
import { someTurns, until } from "../support/condition.ts";
import type { SocketUser } from "../support/socket_user.ts";
import { OpenSockets } from "./socket_contract.ts";

/** Holds `driver` to the contract. */
export function socketLoopContract(name: string, driver: SocketDriver): void {
  const test = (what: string, fn: (open: OpenSockets) => Promise<void>) => {
    Deno.test(`${name}: ${what}`, async () => {
      await using open = new OpenSockets(driver);
      await fn(open);
    });
  };

  test("an event of a descriptor that was closed and opened anew in the same batch is dropped", async (open) => {
    using hole = await BlackHole.open();
    for (let round = 0; round < 20; round++) {
      let connected = 0;
      let pending = 0;
      const pairs: { client: SocketUser; server: SocketUser }[] = [];
      // Whoever is handled first closes the others, and opens as many connections, which get their descriptors.
      const received = (user: SocketUser) => {
        for (const { server } of pairs) if (server !== user) server.close();
        if (pending > 0) return;
        for (; pending < 9; pending++) {
          const connect = driver.connect({ address: "127.0.0.1", port: hole.port }, {
            connected: () => connected++,
            refused: () => connected++,
          });
          connects.push(connect);
        }
      };
      const connects: { abandon(): void }[] = [];
      for (let i = 0; i < 10; i++) pairs.push(await open.pair({}, { received }));
      // All in one turn, so that all events are in one batch.
      for (const { client } of pairs) client.write("x");
      await until("one is handled", () => pending === 9);
      await someTurns();
      assertEquals(connected, 0);
      for (const connect of connects) connect.abandon();
      for (const { client, server } of pairs) {
        for (const user of [client, server]) if (!user.socket.closed) user.close();
      }
    }
  });

  test("timers, files, signals, workers and the runtime's sockets go on beside busy connections", async (open) => {
    let echoes = 0;
    const echo = (user: SocketUser, bytes: Uint8Array<ArrayBuffer>, start: number, end: number) => {
      echoes++;
      user.write(bytes.slice(start, end));
    };
    for (let i = 0; i < 50; i++) {
      const { client } = await open.pair({ received: echo }, { received: echo });
      client.write("x".repeat(100));
    }
    const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, () => new Response("served"));
    let signals = 0;
    const onSignal = () => signals++;
    Deno.addSignalListener("SIGUSR2", onSignal);
    const source = "onmessage = ({ data }) => postMessage(data + 1);";
    const worker = new Worker(`data:text/javascript,${source}`, { type: "module" });
    const before = echoes;
    for (let round = 1; round <= 20; round++) {
      await new Promise((resolve) => setTimeout(resolve, 1));
      assertEquals(await (await fetch(`http://127.0.0.1:${server.addr.port}`)).text(), "served");
      assert((await Deno.readTextFile(new URL(import.meta.url))).length > 0);
      Deno.kill(Deno.pid, "SIGUSR2");
      await until("the signal arrives", () => signals === round);
      const answer = new Promise((resolve) => worker.onmessage = ({ data }) => resolve(data));
      worker.postMessage(round);
      assertEquals(await answer, round + 1);
    }
    assert(echoes > before + 20, `${echoes - before} echoes`);
    Deno.removeSignalListener("SIGUSR2", onSignal);
    worker.terminate();
    await server.shutdown();
  });

  test("promises that a batch has settled, and ticks that they cause, come before the next batch", async (open) => {
    const order: string[] = [];
    const second = await open.pair({}, { received: () => order.push("second received") });
    const first = await open.pair({}, {
      received() {
        order.push("first received");
        (async () => {
          for (let i = 0; i < 10; i++) await undefined;
          order.push("promise settled");
          process.nextTick(() => order.push("tick over"));
        })();
        // Arrives at once, after the batch was taken.
        second.client.write("y");
      },
    });
    first.client.write("x");
    await until("both have arrived", () => order.includes("second received"));
    assertEquals(order, ["first received", "promise settled", "tick over", "second received"]);
  });

  test("bytes that were there when a batch was taken are received with its number, and a response to what it sends is not", async (open) => {
    let sentIn = 0;
    const receivedIn: number[] = [];
    const upstream = await open.pair({}, { received: () => receivedIn.push(sharedTime.batch) });
    const client = await open.pair({}, {
      received() {
        sentIn = sharedTime.batch;
        upstream.server.write("request");
      },
    });
    client.client.write("x");
    upstream.client.write("unasked");
    driver.flush?.();
    // For a busy system, which may deliver a moment later.
    for (const endMs = performance.now() + 100; performance.now() < endMs;);
    await until("both have arrived", () => receivedIn.length === 1 && upstream.client.text === "request");
    assert(sentIn > 0);
    assertEquals(receivedIn, [sentIn]);
    upstream.client.write("response");
    await until("it has arrived", () => receivedIn.length === 2);
    assert(receivedIn[1] > 0 && receivedIn[1] !== sentIn, `sent in ${sentIn}, received in ${receivedIn[1]}`);
    assertEquals(sharedTime.batch, 0);
  });

  test("sockets that are written to from timers and promises alone are served", async (open) => {
    const { client, server } = await open.pair();
    for (let i = 1; i <= 10; i++) {
      await new Promise((resolve) => setTimeout(resolve, i % 3));
      client.write("x");
      await until("it arrives", () => server.receivedBytes === i);
    }
  });

  test("a reset during a pause is reported at once, unless bytes wait in front of it", async (open) => {
    for (const text of ["", "bytes"]) {
      const { client, server } = await open.pair();
      server.pause();
      if (text !== "") client.write(text);
      client.reset();
      if (text !== "") {
        await someTurns();
        assertEquals(server.events, []);
        server.resume();
      }
      await until("it fails", () => server.failure !== undefined);
      assertEquals([server.text, server.failure instanceof Deno.errors.ConnectionReset], [text, true]);
    }
  });
}
