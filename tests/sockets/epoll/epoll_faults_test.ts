/**
 * System calls that fail: who is told what, and that nothing is left open.
 *
 * @module
 */

// @ts-types="../../../types/std/assert.d.ts"
import { assert, assertEquals } from "@std/assert";
import { shortageOf } from "../../../lib/failure/shortage.ts";
import type { EpollDriver } from "../../../lib/sockets/epoll/epoll_driver.ts";
import { failOnce, faultTest, randomFaultContract, systemCallContract } from "../../contract/system_call_contract.ts";
import { someTurns, until } from "../../support/condition.ts";
import { epollWorks } from "../../support/epoll_support.ts";
import type { FaultySystemCalls } from "../../support/faulty_system_calls.ts";
import { numberedBytes } from "../../support/numbered_bytes.ts";

const [EINTR, EAGAIN, ENOMEM, ENOSPC, EPIPE] = [4, 11, 12, 28, 32];
const [ECONNRESET, ENOBUFS, ETIMEDOUT] = [104, 105, 110];

const found = epollWorks ? await import("../../support/epoll_driver.ts") : undefined;
const driver = found?.epollDriver as EpollDriver;
const calls = found?.faultyCalls as FaultySystemCalls;

const test = faultTest("epoll", driver, calls);

if (epollWorks) systemCallContract("epoll", driver, calls, ["watch"]);

for (
  const [call, errno, code] of [["receive", ECONNRESET, "ECONNRESET"], ["receive", ETIMEDOUT, "ETIMEDOUT"]] as const
) {
  test(`a ${call} that fails with ${code} is the failure of its socket alone`, async (open) => {
    const [broken, other] = [await open.pair(), await open.pair()];
    failOnce(calls, call, errno);
    broken.client.write("a");
    await until("it fails", () => broken.server.failure !== undefined || broken.client.failure !== undefined);
    const { failure, socket } = broken.server;
    assertEquals([(failure as Error & { code?: string }).code, socket.closed], [code, true]);
    other.client.write("b");
    await until("the other one goes on", () => other.server.text === "b");
  });
}

for (
  const [errno, code, shortage] of [[EPIPE, "EPIPE"], [ENOBUFS, "ENOBUFS", "ENOBUFS"], [
    ENOMEM,
    "ENOMEM",
    "ENOMEM",
  ]] as const
) {
  test(`a send that fails with ${code} is a failure after the call, and what has arrived is received before`, async (open) => {
    const { client, server } = await open.pair();
    client.write("early");
    failOnce(calls, "send", errno);
    assertEquals(server.write("late"), false);
    assertEquals([server.events, server.socket.closed, server.write("later")], [[], false, false]);
    await until("it fails", () => server.failure !== undefined);
    assertEquals([server.text, (server.failure as Error & { code?: string }).code], ["early", code]);
    assertEquals(shortageOf(server.failure)?.code, shortage);
    await until("the peer learns of it", () => client.failure !== undefined);
  });
}

test("a send that fails while the queue is sent is a failure, and so is one of a socket that is paused", async (open) => {
  for (const paused of [false, true]) {
    const { server } = await open.pair({ received: (user) => user.pause() });
    for (let written = 0; server.write(numberedBytes(0, 1 << 20), "given"); written++) assert(written < 64);
    if (paused) server.pause();
    calls.fault = (name) => name === "send" ? -ENOBUFS : undefined;
    server.call((socket) => socket.uncork());
    await until("it fails", () => server.failure !== undefined);
    calls.clear();
    assertEquals([shortageOf(server.failure)?.code, server.socket.queuedBytes], ["ENOBUFS", 0]);
  }
});

test("an accepted connection that cannot be watched is closed, and the next one is served", async (open) => {
  const failures: Error[] = [];
  const server = open.user();
  const listening = open.listen({ accepted: (socket) => server.own(socket), failed: (error) => failures.push(error) });
  const peer = await Deno.connect({ hostname: listening.address, port: listening.port });
  failOnce(calls, "watch", ENOSPC);
  // Accepted after the fault was put in, or before: either way one of the two is served.
  const next = await Deno.connect({ hostname: listening.address, port: listening.port });
  await until("one is accepted", () => server.open);
  await someTurns();
  peer.close();
  next.close();
  assert(failures.length <= 1);
});

const deadly = [ECONNRESET, EPIPE, ENOBUFS];

randomFaultContract(test, driver, {
  piece: 20_000,
  inject(random) {
    calls.fault = (name) => {
      const draw = random();
      if (name === "wait") return draw < 0.1 ? -EINTR : undefined;
      if (name !== "send" && name !== "receive") return undefined;
      if (draw < 0.2) return -EAGAIN;
      if (draw < 0.3) return -EINTR;
      return draw < 0.302 ? -deadly[Math.floor(random() * 3)] : undefined;
    };
    calls.mostBytes = 1 + Math.floor(random() * 3000);
  },
  clear: () => calls.clear(),
});
