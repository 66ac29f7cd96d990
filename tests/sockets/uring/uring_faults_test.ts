/**
 * Requests and system calls that fail: who is told what, and that nothing is left open.
 *
 * @module
 */

// @ts-types="../../../types/std/assert.d.ts"
import { assert, assertEquals } from "@std/assert";
import { shortageOf } from "../../../lib/failure/shortage.ts";
import type { SocketDriver } from "../../../lib/sockets/socket.ts";
import { failOnce, faultTest, randomFaultContract, systemCallContract } from "../../contract/system_call_contract.ts";
import { someTurns, until } from "../../support/condition.ts";
import type { FaultySystemCalls } from "../../support/faulty_system_calls.ts";
import type { FaultyUring, RequestName } from "../../support/faulty_uring.ts";
import { checkNumberedBytes, numberedBytes } from "../../support/numbered_bytes.ts";
import { uringWorks } from "../../support/uring_support.ts";

const [EINTR, EAGAIN, ENOMEM, EPIPE] = [4, 11, 12, 32];
const [ECONNRESET, ENOBUFS, ETIMEDOUT, ECANCELED] = [104, 105, 110, 125];

const found = uringWorks ? await import("../../support/uring_driver.ts") : undefined;
const driver = found?.uringDriver as SocketDriver;
const calls = found?.faultyCalls as FaultySystemCalls;
const ring = found?.faultyUring as FaultyUring;

const clear = () => {
  calls.clear();
  ring.clear();
};
const test = faultTest("uring", driver, calls, clear);

if (uringWorks) systemCallContract("uring", driver, calls, []);

/** The next request of that name fails, and no other. */
function failRequest(name: RequestName, errno: number): void {
  ring.fault = (made) => {
    if (made !== name) return undefined;
    ring.fault = undefined;
    return -errno;
  };
}

for (const [errno, code] of [[ECONNRESET, "ECONNRESET"], [ETIMEDOUT, "ETIMEDOUT"], [ENOMEM, "ENOMEM"]] as const) {
  test(`a request to receive that fails with ${code} is the failure of its socket alone`, async (open) => {
    const other = await open.pair();
    failRequest("receive", errno);
    const { client, server } = await open.pair();
    const failed = () => client.failure ?? server.failure;
    await until("it fails", () => failed() !== undefined);
    assertEquals((failed() as Error & { code?: string }).code, code);
    assertEquals([client.socket.closed, server.socket.closed].filter((closed) => closed).length, 1);
    other.client.write("b");
    await until("the other one goes on", () => other.server.text === "b");
  });
}

for (const [errno, code] of [[EPIPE, "EPIPE"], [ENOBUFS, "ENOBUFS"], [ENOMEM, "ENOMEM"]] as const) {
  test(`a small message whose send fails with ${code} is a failure, and what has arrived is received before`, async (open) => {
    const { client, server } = await open.pair();
    client.write("early");
    failRequest("send", errno);
    // The kernel has not been asked yet.
    assertEquals([server.write("late"), server.events], [true, []]);
    await until("it fails", () => server.failure !== undefined);
    assertEquals([server.text, (server.failure as Error & { code?: string }).code], ["early", code]);
    assertEquals(shortageOf(server.failure)?.code, errno === EPIPE ? undefined : code);
    assertEquals(server.write("later"), false);
    await until("the peer learns of it", () => client.failure !== undefined);
  });

  test(`a large message whose send fails with ${code} is a failure after the call`, async (open) => {
    const { client, server } = await open.pair();
    client.write("early");
    failOnce(calls, "send", errno);
    assertEquals(server.write(numberedBytes(0, 100_000), "given"), false);
    assertEquals([server.events, server.socket.closed, server.write("later")], [[], false, false]);
    await until("it fails", () => server.failure !== undefined);
    assertEquals([server.text, (server.failure as Error & { code?: string }).code], ["early", code]);
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
    clear();
    assertEquals([shortageOf(server.failure)?.code, server.socket.queuedBytes], ["ENOBUFS", 0]);
  }
});

test("small messages that were accepted arrive, though the socket is closed before the system has taken them", async (open) => {
  let position = 0;
  const { client, server } = await open.pair({
    received(_user, bytes, start, end) {
      checkNumberedBytes(bytes, start, end, position);
      position += end - start;
    },
  });
  client.pause();
  let accepted = 0;
  // Until the system takes no more, so that the last one is under way.
  while (server.write(numberedBytes(accepted, 10_000), "given")) {
    accepted += 10_000;
    await new Promise((resolve) => setTimeout(resolve));
  }
  accepted += 10_000 - server.socket.queuedBytes;
  server.close();
  await someTurns();
  client.resume();
  await until("the end arrives", () => client.events.includes("ended"));
  assertEquals(position, accepted);
});

test("what close() follows is sent by a call, and what the system does not take of it is queued", async (open) => {
  const { client, server } = await open.pair();
  // A request would fail.
  ring.fault = (name) => name === "send" ? -ECANCELED : undefined;
  calls.mostBytes = 4;
  assertEquals(server.call((socket) => socket.write(LAST_WORDS, "lent", true)), true);
  server.close();
  await until("the end arrives", () => client.events.includes("ended"));
  assertEquals(client.text, "last words");
  clear();

  const slow = await open.pair();
  let sends = 0;
  calls.mostBytes = 4;
  calls.fault = (name) => name === "send" && sends++ === 1 ? -EAGAIN : undefined;
  assertEquals(slow.server.call((socket) => socket.write(LAST_WORDS, "lent", true)), false);
  assertEquals(slow.server.socket.queuedBytes, 6);
  await until("the rest is sent", () => slow.server.events.includes("drained"));
  slow.server.close();
  await until("the end arrives", () => slow.client.events.includes("ended"));
  assertEquals(slow.client.text, "last words");
});

test("small messages of more sockets than there are slots are sent", async (open) => {
  const pairs = await Promise.all(Array.from({ length: 150 }, () => open.pair()));
  for (let round = 1; round <= 3; round++) {
    for (const { client } of pairs) client.write("message");
    await until("all arrive", () => pairs.every(({ server }) => server.text === "message".repeat(round)));
  }
});

test("a socket that is closed with every kind of request under way leaves none", async (open) => {
  for (const how of ["close", "reset"] as const) {
    const { client, server } = await open.pair();
    client.pause();
    await until("the system takes no more", () => !server.write(numberedBytes(0, 1 << 20), "given"));
    client.write("x");
    server.pause();
    await someTurns();
    server.call((socket) => socket.checkPeer?.());
    await someTurns();
    server[how]();
    client.resume();
    await until("the peer learns of it", () => client.events.includes("ended") || client.failure !== undefined);
  }
});

test("an accepted connection is served after requests that failed for a while", async (open) => {
  let failures = 0;
  ring.fault = () => failures++ < 20 ? -ECANCELED : undefined;
  const { client, server } = await open.pair();
  client.write("served");
  await until("it arrives", () => server.text === "served");
});

const LAST_WORDS = new TextEncoder().encode("last words");
const deadly = [ECONNRESET, EPIPE, ETIMEDOUT];

for (const piece of [2000, 20_000]) {
  randomFaultContract(test, driver, {
    piece,
    inject(random) {
      const again = [EAGAIN, EINTR, ECANCELED];
      ring.fault = (name) => {
        const draw = random();
        if (draw < 0.3) return -again[Math.floor(random() * 3)];
        if (name === "receive" && draw < 0.35) return -ENOBUFS;
        return name !== "poll" && draw < 0.352 ? -deadly[Math.floor(random() * 3)] : undefined;
      };
      calls.fault = (name) => {
        if (name !== "send" && name !== "receive") return undefined;
        return random() < 0.2 ? -EAGAIN : undefined;
      };
      ring.skipped = () => random() < 0.1;
      const most = 1 + Math.floor(random() * 3000);
      calls.mostBytes = most;
      ring.mostBytes = most;
    },
    clear,
  });
}
