/**
 * System calls that fail: who is told what, and that nothing is left open.
 *
 * @module
 */

// @ts-types="../../../types/std/assert.d.ts"
import { assert, assertEquals, assertThrows } from "@std/assert";
import { shortageOf } from "../../../lib/failure/shortage.ts";
import type { EpollDriver } from "../../../lib/sockets/epoll/epoll_driver.ts";
import type { AcceptHandler } from "../../../lib/sockets/socket.ts";
import { OpenSockets } from "../../contract/socket_contract.ts";
import { seededRandom } from "../../contract/seeded_random.ts";
import { someTurns, until } from "../../support/condition.ts";
import { epollWorks } from "../../support/epoll_support.ts";
import type { CallName, FaultySystemCalls } from "../../support/faulty_system_calls.ts";
import { checkNumberedBytes, numberedBytes } from "../../support/numbered_bytes.ts";
import type { SocketUser } from "../../support/socket_user.ts";

const [EPERM, EINTR, EAGAIN, ENOMEM, EMFILE, ENOSPC, EPIPE] = [1, 4, 11, 12, 24, 28, 32];
const [ECONNABORTED, ECONNRESET, ENOBUFS, ETIMEDOUT] = [103, 104, 105, 110];

const found = epollWorks ? await import("../../support/epoll_driver.ts") : undefined;
const driver = found?.epollDriver as EpollDriver;
const calls = found?.faultyCalls as FaultySystemCalls;

const NOTHING: AcceptHandler = { accepted() {}, failed() {} };

/** A test with sockets; faults are taken out at its end, and nothing may be left open. */
function test(name: string, fn: (open: OpenSockets) => Promise<void>): void {
  Deno.test({ name: `epoll: ${name}`, ignore: !epollWorks }, async () => {
    const before = calls.sockets;
    {
      await using open = new OpenSockets(driver);
      try {
        await fn(open);
      } finally {
        calls.clear();
      }
    }
    await until("no socket is left", () => calls.sockets <= before);
  });
}

/** The next call of that name fails, and no other. */
function failOnce(name: CallName, errno: number): void {
  calls.fault = (called) => {
    if (called !== name) return undefined;
    calls.fault = undefined;
    return -errno;
  };
}

for (
  const [call, errno, code] of [["receive", ECONNRESET, "ECONNRESET"], ["receive", ETIMEDOUT, "ETIMEDOUT"]] as const
) {
  test(`a ${call} that fails with ${code} is the failure of its socket alone`, async (open) => {
    const [broken, other] = [await open.pair(), await open.pair()];
    failOnce(call, errno);
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
    failOnce("send", errno);
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

test("a port that cannot be opened leaves no handle, whichever call fails", async () => {
  for (const name of ["socket", "setOption", "bind", "listen", "localAddress", "watch"] as const) {
    const before = calls.sockets;
    failOnce(name, ENOMEM);
    const error = assertThrows(() => driver.listen({ address: "::", port: 0, shared: true }, NOTHING));
    assertEquals([shortageOf(error)?.code, calls.sockets], ["ENOMEM", before], name);
  }
  await someTurns();
});

test("a connection that cannot be opened is refused with the reason, whichever call fails", async (open) => {
  // The system opens a connection that the driver then cannot watch.
  const { port } = open.listen({ accepted: (socket) => open.user().own(socket), failed() {} });
  for (
    const [name, errno, code] of [
      ["socket", EMFILE, "EMFILE"],
      ["connect", ENOBUFS, "ENOBUFS"],
      ["connect", EAGAIN, "EAGAIN"],
      ["watch", ENOMEM, "ENOMEM"],
    ] as const
  ) {
    failOnce(name, errno);
    let refusal: Error | undefined;
    driver.connect({ address: open.own.address, port }, { connected() {}, refused: (error) => refusal = error });
    assertEquals(refusal, undefined);
    await until("it is refused", () => refusal !== undefined);
    assertEquals(shortageOf(refusal)?.code, code, name);
  }
});

for (const [errno, code] of [[EMFILE, "EMFILE"], [ENOBUFS, "ENOBUFS"], [ENOMEM, "ENOMEM"]] as const) {
  test(`after ${code} at accept the port stays open, and accepts by itself or when it is told to`, async (open) => {
    for (const told of [false, true]) {
      const failures: (string | undefined)[] = [];
      const server = open.user();
      const listening = open.listen({
        accepted: (socket) => server.own(socket),
        failed: (error) => failures.push(shortageOf(error)?.code),
      });
      failOnce("accept", errno);
      const client = open.user();
      driver.connect({ address: listening.address, port: listening.port }, {
        connected: (socket) => client.own(socket),
        refused() {},
      });
      await until("it fails", () => failures.length === 1);
      if (told) listening.retry();
      await until("it is accepted", () => server.open);
      assertEquals(failures, [code]);
    }
  });
}

test("errors of one connection at accept are passed over", async (open) => {
  for (const errno of [ECONNABORTED, EPERM, EINTR]) {
    failOnce("accept", errno);
    await open.pair();
  }
});

test("an accepted connection that cannot be watched is closed, and the next one is served", async (open) => {
  const failures: Error[] = [];
  const server = open.user();
  const listening = open.listen({ accepted: (socket) => server.own(socket), failed: (error) => failures.push(error) });
  const peer = await Deno.connect({ hostname: listening.address, port: listening.port });
  failOnce("watch", ENOSPC);
  // Accepted after the fault was put in, or before: either way one of the two is served.
  const next = await Deno.connect({ hostname: listening.address, port: listening.port });
  await until("one is accepted", () => server.open);
  await someTurns();
  peer.close();
  next.close();
  assert(failures.length <= 1);
});

test("random faults lose no byte of connections that live, and leave no socket", async (open) => {
  const random = seededRandom(5);
  const deadly = [ECONNRESET, EPIPE, ENOBUFS];
  let ended = 0;
  for (let round = 0; round < 30; round++) {
    const users: SocketUser[] = [];
    const pairs = await Promise.all(Array.from({ length: 10 }, () => ownPair(open, users)));
    calls.fault = (name) => {
      const draw = random();
      if (name === "wait") return draw < 0.1 ? -EINTR : undefined;
      if (name !== "send" && name !== "receive") return undefined;
      if (draw < 0.2) return -EAGAIN;
      if (draw < 0.3) return -EINTR;
      return draw < 0.302 ? -deadly[Math.floor(random() * 3)] : undefined;
    };
    calls.mostBytes = 1 + Math.floor(random() * 3000);
    for (const { client, server } of pairs) {
      for (const user of [client, server]) {
        user.write(numberedBytes(0, 20_000), "given");
        user.end();
      }
    }
    await until("all have ended", () => pairs.every(({ client, server }) => over(client) && over(server)), 20_000);
    calls.clear();
    for (const { client, server } of pairs) {
      for (const user of [client, server]) {
        if (user.events.includes("ended")) ended++;
        if (!user.socket.closed) user.close();
      }
    }
  }
  assert(ended > 50, `only ${ended} of 600 ended in order`);
});

/** A connection whose port is closed at once, because the test opens many. */
async function ownPair(open: OpenSockets, users: SocketUser[]): Promise<{ client: SocketUser; server: SocketUser }> {
  const [client, server] = [open.user(checking(users)), open.user(checking(users))];
  const { address } = open.own;
  const listening = driver.listen({ address, port: 0, shared: false }, {
    accepted: (socket) => server.own(socket),
    failed() {},
  });
  driver.connect({ address, port: listening.port }, { connected: (socket) => client.own(socket), refused() {} });
  await until("the connection is open", () => client.open && server.open);
  listening.close();
  return { client, server };
}

/** Checks that bytes arrive in order. */
function checking(users: SocketUser[]) {
  let position = 0;
  return {
    received(user: SocketUser, bytes: Uint8Array, start: number, end: number) {
      users.push(user);
      checkNumberedBytes(bytes, start, end, position);
      position += end - start;
    },
    ended: () => assertEquals(position, 20_000),
  };
}

function over(user: SocketUser): boolean {
  if (user.failure !== undefined && !("code" in user.failure)) throw user.failure;
  return user.failure !== undefined || user.events.includes("ended");
}
