/**
 * What holds drivers over the system's calls when these fail: who is told what, and that nothing is left open.
 *
 * @module
 */

// @ts-types="../../types/std/assert.d.ts"
import { assert, assertEquals, assertThrows } from "@std/assert";
import { shortageOf } from "../../lib/failure/shortage.ts";
import type { AcceptHandler, SocketDriver } from "../../lib/sockets/socket.ts";
import { someTurns, until } from "../support/condition.ts";
import type { CallName, FaultySystemCalls } from "../support/faulty_system_calls.ts";
import { checkNumberedBytes, numberedBytes } from "../support/numbered_bytes.ts";
import type { SocketUser } from "../support/socket_user.ts";
import { seededRandom } from "./seeded_random.ts";
import { OpenSockets } from "./socket_contract.ts";

const [EPERM, EINTR, EAGAIN, ENOMEM, EMFILE] = [1, 4, 11, 12, 24];
const [ECONNABORTED, ENOBUFS] = [103, 105];
const AF_INET = 2;

const NOTHING: AcceptHandler = { accepted() {}, failed() {} };

/** Defines a test with sockets. Faults are taken out at its end, and nothing may be left open. */
export type FaultTest = (name: string, fn: (open: OpenSockets) => Promise<void>) => void;

/** Tests of a driver; they are skipped where there is none. */
export function faultTest(
  name: string,
  driver: SocketDriver | undefined,
  calls: FaultySystemCalls,
  clear: () => void = () => calls.clear(),
): FaultTest {
  return (what, fn) => {
    Deno.test({ name: `${name}: ${what}`, ignore: driver === undefined }, async () => {
      const before = calls.sockets;
      {
        await using open = new OpenSockets(driver as SocketDriver);
        try {
          await fn(open);
        } finally {
          clear();
        }
      }
      await until("no socket is left", () => calls.sockets <= before);
    });
  };
}

/** The next call of that name fails, and no other. */
export function failOnce(calls: FaultySystemCalls, name: CallName, errno: number): void {
  calls.fault = (called) => {
    if (called !== name) return undefined;
    calls.fault = undefined;
    return -errno;
  };
}

/**
 * Holds `driver` to the contract.
 *
 * @param watch The call by which it watches a descriptor, where it has one.
 */
export function systemCallContract(
  name: string,
  driver: SocketDriver,
  calls: FaultySystemCalls,
  watch: readonly CallName[],
): void {
  const test = faultTest(name, driver, calls);

  test("a port that cannot be opened leaves no handle, whichever call fails", async () => {
    for (const name of ["socket", "setOption", "bind", "listen", "localAddress", ...watch] as const) {
      const before = calls.sockets;
      failOnce(calls, name, ENOMEM);
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
        ...watch.map((name) => [name, ENOMEM, "ENOMEM"] as const),
      ] as const
    ) {
      failOnce(calls, name, errno);
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
        failOnce(calls, "accept", errno);
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

  test("no more connections are accepted than there are to be handles, until others are closed", async (open) => {
    const free = calls.socket(AF_INET);
    calls.close(free);
    const servers: SocketUser[] = [];
    const failures: (string | undefined)[] = [];
    // The listening socket, both ends of three connections, and the clients' ends of the others.
    const target = { address: "127.0.0.1", port: 0, shared: false, mostHandles: free + 1 + 2 * 3 + 5 };
    const listening = driver.listen(target, {
      accepted(socket) {
        const server = open.user();
        server.own(socket);
        servers.push(server);
      },
      failed: (error) => failures.push(shortageOf(error)?.code),
    });
    const connecting = { hostname: "127.0.0.1", port: listening.port };
    const conns = await Promise.all(Array.from({ length: 8 }, () => Deno.connect(connecting)));
    try {
      await until("accepting fails", () => failures.length > 0);
      assertEquals(failures[0], "EMFILE");
      assert(servers.length < conns.length, `${servers.length} were accepted`);
      for (let i = 0; servers.length < conns.length; i++) {
        await until("another is accepted", () => servers.length > i);
        servers[i].close();
        listening.retry();
      }
    } finally {
      listening.close();
      for (const conn of conns) conn.close();
    }
  });

  test("errors of one connection at accept are passed over", async (open) => {
    for (const errno of [ECONNABORTED, EPERM, EINTR]) {
      failOnce(calls, "accept", errno);
      await open.pair();
    }
  });
}

/** What a test of random faults does. */
export interface RandomFaults {
  /** Bytes of each write. */
  readonly piece: number;
  /** Puts random faults in. */
  inject(random: () => number): void;
  /** Takes them out. */
  clear(): void;
}

/** Bytes that each side sends. */
const TOTAL_BYTES = 20_000;

/** Holds `driver` to it that faults at random lose no byte. */
export function randomFaultContract(
  test: FaultTest,
  driver: SocketDriver,
  { piece, inject, clear }: RandomFaults,
): void {
  test(`random faults lose no byte of connections that live, and leave no socket: writes of ${piece} bytes`, async (open) => {
    const random = seededRandom(5);
    let ended = 0;
    for (let round = 0; round < 30; round++) {
      const users: SocketUser[] = [];
      const pairs = await Promise.all(Array.from({ length: 10 }, () => ownPair(driver, open, users)));
      inject(random);
      for (const { client, server } of pairs) {
        for (const user of [client, server]) {
          for (let at = 0; at < TOTAL_BYTES; at += piece) user.write(numberedBytes(at, piece), "given");
          user.end();
        }
      }
      await until("all have ended", () => pairs.every(({ client, server }) => over(client) && over(server)), 20_000);
      clear();
      for (const { client, server } of pairs) {
        for (const user of [client, server]) {
          if (user.events.includes("ended")) ended++;
          if (!user.socket.closed) user.close();
        }
      }
    }
    assert(ended > 50, `only ${ended} of 600 ended in order`);
  });
}

/** A connection whose port is closed at once, because the test opens many. */
async function ownPair(
  driver: SocketDriver,
  open: OpenSockets,
  users: SocketUser[],
): Promise<{ client: SocketUser; server: SocketUser }> {
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
    ended: () => assertEquals(position, TOTAL_BYTES),
  };
}

function over(user: SocketUser): boolean {
  if (user.failure !== undefined && !("code" in user.failure)) throw user.failure;
  return user.failure !== undefined || user.events.includes("ended");
}
