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
import type { SocketUser } from "../../support/socket_user.ts";
import { numberedBytes } from "../../support/numbered_bytes.ts";

const [EINTR, EAGAIN, ENOMEM, ENOSPC, EPIPE, ENOSYS] = [4, 11, 12, 28, 32, 38];
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

for (
  const [how, fault, mostBytes] of [
    ["as it is", () => undefined, Infinity],
    ["in parts of 17,000 bytes", () => undefined, 17_000],
    ["where every second call would block", everySecond(-EAGAIN), Infinity],
    ["where every second call is interrupted", everySecond(-EINTR), Infinity],
  ] as const
) {
  test(`what was received and is sent behind a head arrives whole: ${how}`, async (open) => {
    const expected: number[] = [];
    const arrived: number[] = [];
    const out = await open.pair({
      received: (_, bytes, start, end) => void arrived.push(...bytes.subarray(start, end)),
    });
    const relayed = await open.pair({
      received: (_, bytes, start, end) => {
        expected.push(...HEAD, ...bytes.subarray(start, end));
        sendBehindHead(out.server, bytes.subarray(start, end));
      },
    });
    let made = 0;
    calls.fault = (name) => name === "sendBoth" && made++ >= 0 ? fault() : undefined;
    for (let at = 0; at < 1_000_000; at += 20_000) relayed.server.write(numberedBytes(at, 20_000), "given");
    calls.mostBytes = mostBytes;
    await until("all has been received", () => relayed.client.receivedBytes === 1_000_000);
    await until("all has arrived", () => arrived.length === expected.length);
    assert(arrived.every((byte, i) => byte === expected[i]));
    assert(made > 0);
    assertEquals([out.server.violations, out.server.failure], [[], undefined]);
  });
}

test("a send behind a head that fails is a failure after the call", async (open) => {
  const out = await open.pair();
  const relayed = await open.pair({
    received: (_, bytes, start, end) => sendBehindHead(out.server, bytes.subarray(start, end)),
  });
  calls.fault = (name) => name === "sendBoth" ? -EPIPE : undefined;
  relayed.server.write(numberedBytes(0, 30_000), "given");
  await until("it fails", () => out.server.failure !== undefined);
  const { failure, socket, violations } = out.server;
  assertEquals([(failure as Error & { code?: string }).code, socket.closed, violations], ["EPIPE", true, []]);
});

const HEAD = new Uint8Array(300).fill(0xee);

function sendBehindHead(user: SocketUser, bytes: Uint8Array<ArrayBuffer>): void {
  user.call((socket) => {
    socket.cork();
    socket.write(HEAD, "lent");
    socket.write(bytes, "lent");
    socket.uncork();
  });
}

test("the loop waits itself for messages that follow each other, and never again where the kernel cannot", async (open) => {
  const { client, server } = await open.pair();
  let waits = 0;
  const failures: number[] = [];
  calls.fault = (name) => {
    if (name !== "waitFor") return undefined;
    waits++;
    return failures[0];
  };
  const messages = async (from: number, to: number) => {
    for (let sent = from; sent < to; sent++) {
      client.write("a");
      await until("it has arrived", () => server.text.length === sent + 1);
    }
  };
  await messages(0, 200);
  assert(waits > 0);
  failures.push(-ENOSYS);
  waits = 0;
  await messages(200, 400);
  assertEquals(waits, 1);
});

/** Every second call fails. */
function everySecond(result: number): () => number | undefined {
  let made = 0;
  return () => made++ % 2 === 0 ? result : undefined;
}
