/**
 * What holds every driver of sockets to the contract of byte streams. The peers are sockets of the same driver, or of the
 * runtime, which know nothing of it.
 *
 * @module
 */

// @ts-types="../../types/std/assert.d.ts"
import { assert, assertEquals, assertInstanceOf, assertStrictEquals } from "@std/assert";
import type { Ownership } from "../../lib/http/body.ts";
import type { AcceptHandler, ListeningSocket, SocketDriver } from "../../lib/sockets/socket.ts";
import { closeQuietly, type Wire } from "../../lib/sockets/wire.ts";
import { someTurns, stands, until } from "../support/condition.ts";
import { checkNumberedBytes, numberedBytes } from "../support/numbered_bytes.ts";
import { OwnAddress } from "../support/own_address.ts";
import { ResettingPeer } from "../support/resetting_peer.ts";
import { type SocketReactions, SocketUser } from "../support/socket_user.ts";
import { seededRandom } from "./seeded_random.ts";

/** A fault that is put into the system's functions, below the driver. */
export interface SocketFault {
  /** What it does, as in "reads of one byte". */
  readonly name: string;
  /** Puts it in until it is disposed of. All bytes are to arrive all the same. */
  inject(): Disposable;
}

/** What is special about a driver. */
export interface SocketContractOptions {
  /** Faults that change nothing for the users of the driver. */
  readonly faults?: readonly SocketFault[];
  /**
   * Connects a peer that is not the driver's to an address and a port that the driver listens on.
   *
   * @default {by `Deno.connect`}
   */
  readonly connectPeer?: ConnectPeer;
  /**
   * Whether `checkPeer` reports a reset during a pause.
   *
   * @default {true}
   */
  readonly checksPeers?: boolean;
  /**
   * Whether `checkPeer` tells of an end during a pause.
   *
   * @default {false}
   */
  readonly seesEnds?: boolean;
  /**
   * Whether the test runner may look for what tests leave behind. Drivers whose own work lasts turn it off.
   *
   * @default {true}
   */
  readonly sanitized?: boolean;
}

/** Sizes of the pieces that are written. */
const PIECES = [1, 100, 2000, 4096, 70_000, 300_000];
const OWNERSHIPS: readonly Ownership[] = ["lent", "shared", "given"];
const MIB = 1 << 20;

/** Holds `driver` to the contract. */
export function socketContract(name: string, driver: SocketDriver, options: SocketContractOptions = {}): void {
  const { faults = [], connectPeer = connectRuntime, sanitized = true } = options;

  const test = (what: string, fn: (open: OpenSockets) => Promise<void>) => {
    const sanitize = { sanitizeOps: sanitized, sanitizeResources: sanitized, sanitizeExit: true };
    Deno.test(`${name} sockets: ${what}`, sanitize, async () => {
      await using open = new OpenSockets(driver, connectPeer);
      await fn(open);
    });
  };

  for (const bytes of [1, 1000, 100_000, 20 * MIB]) {
    test(`${bytes} bytes arrive in both directions as they were written`, (open) => echo(open, bytes));
  }

  for (const fault of faults) {
    test(`with ${fault.name}, all bytes arrive as they were written`, async (open) => {
      using _fault = fault.inject();
      await echo(open, 20_000);
    });
    test(`with ${fault.name}, the end and the bytes in front of it arrive`, async (open) => {
      using _fault = fault.inject();
      const { client, server } = await open.pair();
      client.write("abc");
      client.write("def", "shared");
      client.end();
      await until("the end arrives", () => server.events.includes("ended"));
      assertEquals([server.text, server.events], ["abcdef", ["received", "ended"]]);
    });
  }

  if (driver.scratch !== undefined) {
    test("a message that is composed in the driver's memory is sent", async (open) => {
      const { client, server } = await open.pair();
      for (const message of ["one", "two", "three"]) {
        new TextEncoder().encodeInto(message, driver.scratch as Uint8Array);
        client.write((driver.scratch as Uint8Array<ArrayBuffer>).subarray(0, message.length));
      }
      await until("all arrive", () => server.text === "onetwothree");
    });
  }

  test("small writes between cork() and uncork() are sent together, and not before", async (open) => {
    const { server, peer } = await open.withPeer();
    server.call((socket) => socket.cork());
    let expected = "";
    for (const ownership of OWNERSHIPS) {
      server.write(`${ownership} bytes, `, ownership);
      expected += `${ownership} bytes, `;
    }
    await someTurns();
    assertEquals([server.socket.queuedBytes, server.drains], [expected.length, 0]);
    const nothingQueued = server.call((socket) => socket.uncork());
    const buffer = new Uint8Array(1000);
    const read = await peer.read(buffer);
    assertEquals(new TextDecoder().decode(buffer.subarray(0, read ?? 0)), expected);
    await until("it is drained", () => nothingQueued || server.drains === 1);
    assertEquals(server.socket.queuedBytes, 0);
  });

  test("large writes between cork() and uncork() keep their order", async (open) => {
    const { server, peer } = await open.withPeer();
    server.call((socket) => socket.cork());
    let written = 0;
    for (const size of [300, 20_000, 5, 100_000, 1, 64 * 1024]) {
      for (const ownership of OWNERSHIPS) {
        server.write(numberedBytes(written, size), ownership);
        written += size;
      }
    }
    const nothingQueued = server.call((socket) => socket.uncork());
    assertEquals(await readNumbered(peer, written), written);
    await until("it is drained", () => nothingQueued || server.drains === 1);
  });

  test("write() returns false while the peer takes nothing, and drained() follows once all is taken", async (open) => {
    const { server, peer } = await open.withPeer();
    const written = await fillQueue(server);
    assertEquals(server.drains, 0);
    assertEquals(await readNumbered(peer, written), written);
    await until("it is drained", () => server.drains > 0);
    await someTurns();
    assertEquals([server.drains, server.socket.queuedBytes], [1, 0]);
  });

  test("pause() stops received(), holds the peer back, and keeps the order", async (open) => {
    let position = 0;
    const { server, peer } = await open.withPeer({
      received(user, bytes, start, end) {
        checkNumberedBytes(bytes, start, end, position);
        position += end - start;
        if (position === end - start) user.pause();
      },
    });
    const total = 64 * MIB;
    let sent = 0;
    const sending = (async () => {
      const piece = numberedBytes(0, 256 * 1024);
      while (sent < total) {
        const rest = numberedBytes(sent, Math.min(piece.length, total - sent));
        for (let at = 0; at < rest.length;) {
          const taken = await peer.write(rest.subarray(at));
          at += taken;
          sent += taken;
        }
      }
    })();
    await until("the first bytes arrive", () => position > 0);
    const first = position;
    await stands("what the peer could send", () => sent);
    assertEquals(position, first);
    assert(sent < total);
    server.resume();
    await Promise.all([sending, until("all arrives", () => position === total)]);
  });

  test("bytes that arrive during a pause are received after resume(), which calls nothing itself", async (open) => {
    const { server, peer } = await open.withPeer();
    await peer.write(letters("a"));
    await until("the first arrive", () => server.text === "a");
    server.pause();
    await peer.write(letters("bc"));
    await someTurns();
    assertEquals(server.text, "a");
    // Twice, and with a pause in between, it is no different.
    server.resume();
    server.pause();
    server.resume();
    server.resume();
    await until("the rest arrives", () => server.text === "abc");
    await peer.write(letters("d"));
    await until("what follows arrives", () => server.text === "abcd");
  });

  test("the end during a pause is not reported before the bytes in front of it", async (open) => {
    const { server, peer } = await open.withPeer();
    server.pause();
    await peer.write(letters("last words"));
    peer.close();
    await someTurns();
    assertEquals(server.events, []);
    server.resume();
    await until("the end arrives", () => server.events.includes("ended"));
    assertEquals([server.text, server.events], ["last words", ["received", "ended"]]);
  });

  if (options.seesEnds === true) {
    test("checkPeer() tells of an end during a pause, in front of which bytes wait", async (open) => {
      const { server, peer } = await open.withPeer();
      server.pause();
      await peer.write(letters("last words"));
      await someTurns();
      assertEquals(server.call((socket) => socket.checkPeer?.()), false);
      peer.close();
      await until("the end is known", () => server.call((socket) => socket.checkPeer?.()) === true);
      assertEquals(server.events, []);
      server.resume();
      await until("the end arrives", () => server.events.includes("ended"));
      assertEquals([server.text, server.events], ["last words", ["received", "ended"]]);
    });
  }

  test("checkPeer() does nothing to a peer that is there, nor to a socket that was closed", async (open) => {
    const { client, server } = await open.pair();
    server.pause();
    client.write("question");
    for (let i = 0; i < 3; i++) {
      assertEquals(server.call((socket) => socket.checkPeer?.()) === true, false);
      await someTurns();
    }
    server.write("response");
    server.resume();
    await until("both arrive", () => server.text === "question" && client.text === "response");
    client.close();
    client.call((socket) => socket.checkPeer?.());
    await someTurns();
    assertEquals(client.failure, undefined);
  });

  test("a socket can be closed during a pause, with and without bytes that wait", async (open) => {
    for (const text of ["", "bytes"]) {
      const { server, peer } = await open.withPeer();
      server.pause();
      if (text !== "") await peer.write(letters(text));
      await someTurns();
      server.resume();
      server.close();
      await readToEnd(peer);
      assertEquals(server.events, []);
    }
  });

  test("end() sends the queued bytes first; the other direction stays open", async (open) => {
    const { client, server } = await open.pair({}, {
      ended(user) {
        user.write(numberedBytes(0, 3 * MIB));
        user.end();
      },
    });
    client.write("question");
    client.end();
    await until("both have ended", () => client.events.includes("ended"));
    assertEquals([server.text, client.receivedBytes], ["question", 3 * MIB]);
    assertEquals([client.socket.closed, server.socket.closed], [false, false]);
  });

  for (const [bytes, how] of [[10, "close"], [10, "end"], [3 * MIB, "end"]] as const) {
    test(`${bytes} bytes that are written as the last ones arrive in front of the ${how}() that follows`, async (open) => {
      const { client, server } = await open.pair();
      client.call((socket) => socket.write(numberedBytes(0, bytes), "lent", true));
      client[how]();
      await until("the end arrives", () => server.events.includes("ended"));
      assertEquals([server.receivedBytes, server.violations], [bytes, []]);
    });
  }

  test("the side that accepted can end first too", async (open) => {
    const { client, server } = await open.pair({
      ended(user) {
        user.write("still here");
        user.end();
      },
    });
    server.write("that is all");
    server.end();
    server.end();
    await until("both have ended", () => server.events.includes("ended"));
    assertEquals([client.text, server.text], ["that is all", "still here"]);
  });

  test("what is written after end(), and after close(), is dropped", async (open) => {
    const { client, server } = await open.pair();
    client.write("in time");
    client.end();
    assertEquals(client.write(" and late"), false);
    await until("the end arrives", () => server.events.includes("ended"));
    server.write("x");
    await until("the other direction is open", () => client.text === "x");
    client.close();
    assertEquals(client.write(" and later"), false);
    assertEquals(client.call((socket) => socket.uncork()), client.socket.queuedBytes === 0);
    client.call((socket) => socket.end());
    client.call((socket) => socket.resume());
    client.close();
    assertEquals(server.text, "in time");
  });

  // A peer of the test's own has no reset.
  if (options.connectPeer === undefined) {
    test("a reset by the peer is a failure, once, and nothing follows", async (open) => {
      const { server, peer } = await open.withResettingPeer();
      await peer.send("hello");
      await until("the peer is heard", () => server.text === "hello");
      await peer.reset();
      await until("the failure is reported", () => server.failure !== undefined);
      assertInstanceOf(server.failure, Deno.errors.ConnectionReset);
      assertEquals([server.events, server.socket.closed], [["received", "failed"], true]);
      assertEquals(server.write("more"), false);
    });

    test("a reset by the peer during a pause is a failure once reading is resumed, or before", async (open) => {
      const { server, peer } = await open.withResettingPeer();
      server.pause();
      await peer.reset();
      await someTurns();
      if (!server.socket.closed) server.resume();
      await until("the failure is reported", () => server.failure !== undefined);
    });

    if (options.checksPeers !== false) {
      test("checkPeer() reports a reset during a pause, in front of which bytes wait", async (open) => {
        const { server, peer } = await open.withResettingPeer();
        server.pause();
        await peer.send("never received");
        await someTurns();
        assertEquals(server.call((socket) => socket.checkPeer?.()), false);
        await someTurns();
        assertEquals(server.events, []);
        await peer.reset();
        await until("the failure is reported", () => {
          if (!server.socket.closed) server.call((socket) => socket.checkPeer?.());
          return server.failure !== undefined;
        });
        assertEquals(server.events, ["failed"]);
      });
    }

    test("without checkPeer(), bytes that arrived before a reset are received after a pause", async (open) => {
      const { server, peer } = await open.withResettingPeer();
      server.pause();
      await peer.send("a response");
      await someTurns();
      await peer.reset();
      await someTurns();
      assertEquals(server.events, []);
      server.resume();
      await until("the failure is reported", () => server.failure !== undefined);
      assertEquals([server.text, server.events], ["a response", ["received", "failed"]]);
    });

    test("close() and reset() within failed() do nothing", async (open) => {
      for (const close of [(user: SocketUser) => user.close(), (user: SocketUser) => user.reset()]) {
        const { server, peer } = await open.withResettingPeer({ failed: close });
        await peer.reset();
        await until("the failure is reported", () => server.failure !== undefined);
      }
    });

    test("a reset of a connection whose queue is full is a failure, and frees the queue", async (open) => {
      const { server, peer } = await open.withResettingPeer();
      await fillQueue(server);
      await peer.reset();
      await until("the failure is reported", () => server.failure !== undefined);
      assertEquals([server.drains, server.socket.queuedBytes], [0, 0]);
    });
  }

  test("writes to a peer that has closed fail after its end was reported", async (open) => {
    const { server, peer } = await open.withPeer();
    peer.close();
    await until("the end arrives", () => server.events.includes("ended"));
    while (!server.socket.closed) {
      server.write("more");
      await someTurns();
    }
    assertEquals(server.events.filter((event) => event !== "drained"), ["ended", "failed"]);
  });

  test("bytes that arrived before a write failed are received, and then the failure is reported", async (open) => {
    const { server, peer } = await open.withPeer();
    // More than the system takes, so that a write is pending when the peer closes.
    await fillQueue(server);
    await peer.write(letters("early response"));
    peer.close();
    await until("the failure is reported", () => server.failure !== undefined);
    assertEquals(server.text, "early response");
  });

  test("close() within each callback is followed by none", async (open) => {
    const closing = (user: SocketUser) => user.close();
    for (const event of ["received", "drained", "ended"] as const) {
      const { client, server } = await open.pair({}, { [event]: closing });
      client.write("a");
      client.write("b");
      client.end();
      if (event === "drained") { while (server.write(new Uint8Array(MIB), "shared")); }
      await until(`the server has closed when ${event}`, () => server.socket.closed);
      await until("the client sees it", () => client.events.includes("ended") || client.events.includes("failed"));
      assertEquals(server.events.at(-1), event);
    }
  });

  test("close() while reads and writes are pending is followed by no callback", async (open) => {
    const { server, peer } = await open.withPeer();
    await fillQueue(server);
    await peer.write(letters("unread"));
    server.close();
    assertEquals(server.socket.closed, true);
    await readToEnd(peer);
    await someTurns();
    assertEquals(server.events.filter((event) => event !== "received"), []);
  });

  test("reset() closes at once, and no callback follows", async (open) => {
    const { server, peer } = await open.withPeer();
    server.write("bytes");
    server.reset();
    await readToEnd(peer);
    assertEquals([server.events, server.socket.closed], [[], true]);
  });

  test("a handler that is replaced within received() gets no more", async (open) => {
    const second = new SocketUser();
    const { server, peer } = await open.withPeer({ received: (user) => second.own(user.socket) });
    await peer.write(letters("a"));
    await until("the first gets it", () => server.text === "a");
    await peer.write(letters("b"));
    await until("the second gets what follows", () => second.text === "b");
    second.write("c");
    peer.close();
    await until("the second learns of the end", () => second.events.includes("ended") || second.failure !== undefined);
    assertEquals([server.text, server.events], ["a", ["received"]]);
  });

  test("an exception of a handler ends its socket alone, and is its failure", async (open) => {
    const mistake = new Error("a mistake");
    const throwing = () => {
      throw mistake;
    };
    const other = await open.pair();
    for (const event of ["received", "drained", "ended"] as const) {
      const { client, server } = await open.pair({}, { [event]: throwing, failed: throwing });
      if (event === "drained") { while (server.write(new Uint8Array(MIB), "shared")); }
      else client.write("a");
      client.end();
      await until(`the failure of ${event} is reported`, () => server.failure !== undefined);
      assertStrictEquals(server.failure, mistake);
      assertEquals(server.socket.closed, true);
      await until("the peer sees it", () => client.events.includes("ended") || client.events.includes("failed"));
    }
    other.client.write("alive");
    await until("the other socket is alive", () => other.server.text === "alive");
  });

  test("pause() and resume() within received() lose nothing", async (open) => {
    let position = 0;
    const { client } = await open.pair({}, {
      received(user, bytes, start, end) {
        checkNumberedBytes(bytes, start, end, position);
        position += end - start;
        user.pause();
        if (position % 3 === 0) user.resume();
        else if (position % 3 === 1) queueMicrotask(() => user.resume());
        else setTimeout(() => user.resume());
      },
    });
    client.write(numberedBytes(0, 2 * MIB));
    await until("all arrives", () => position === 2 * MIB);
  });

  test("200 connections that are opened at once all get their answer", async (open) => {
    const pairs = await Promise.all(Array.from({ length: 200 }, () =>
      open.pair({}, {
        received: (user, bytes, start, end) => void user.write(bytes.subarray(start, end)),
      })));
    pairs.forEach(({ client }, i) => client.write(`connection ${i}`));
    await until("all have it", () => pairs.every(({ client }, i) => client.text === `connection ${i}`));
  });

  test("sockets that are used and closed at random get no bytes of each other, and leave none open", async (open) => {
    const random = seededRandom(12);
    for (let round = 0; round < 6; round++) {
      await Promise.all(Array.from({ length: 30 }, (_, i) => useAtRandom(open, random, (round * 30 + i) * 7919)));
    }
    open.closeAll();
    await until("all sockets are closed", () => open.own.openSockets() <= 0);
  });

  test("an exception of accepted() closes that connection alone", async (open) => {
    const users: SocketUser[] = [];
    const listening = open.listen({
      accepted(socket) {
        const user = new SocketUser();
        users.push(user);
        user.own(socket);
        if (users.length === 1) throw new Error("a mistake");
      },
      failed() {},
    });
    const first = await connectPeer(listening.address, listening.port);
    await readToEnd(first);
    const second = await connectPeer(listening.address, listening.port);
    await until("the second one is accepted", () => users.length === 2);
    assertInstanceOf(users[0].failure, Error);
    assertEquals([users[0].socket.closed, users[1].socket.closed], [true, false]);
    users[1].close();
    await readToEnd(second);
  });
}

/** Two sockets of one connection. */
export interface SocketPair {
  /** Connected. */
  readonly client: SocketUser;
  /** Was accepted. */
  readonly server: SocketUser;
}

/** Connects a peer that is not the driver's. */
type ConnectPeer = (address: string, port: number) => Promise<Wire>;

/** Sockets of one test. Its end closes them all, and checks that no rule was broken. */
export class OpenSockets {
  /** Where they listen. Programs beside the test, which try ports that were closed, do not connect to it. */
  readonly own = new OwnAddress();
  readonly #driver: SocketDriver;
  readonly #connectPeer: ConnectPeer;
  readonly #users: SocketUser[] = [];
  readonly #listening: ListeningSocket[] = [];
  readonly #peers: Wire[] = [];

  constructor(driver: SocketDriver, connectPeer: ConnectPeer = connectRuntime) {
    this.#driver = driver;
    this.#connectPeer = connectPeer;
  }

  /** A socket that listens on a free port of the test's address. */
  listen(handler: AcceptHandler): ListeningSocket {
    const listening = this.#driver.listen({ address: this.own.address, port: 0, shared: false }, handler);
    this.#listening.push(listening);
    return listening;
  }

  /** A new owner, whose violations are reported at the end. */
  user(reactions: SocketReactions = {}): SocketUser {
    const user = new SocketUser(reactions);
    this.#users.push(user);
    return user;
  }

  /** A connection with sockets of the driver at both ends, each on a port of its own. */
  async pair(ofClient: SocketReactions = {}, ofServer: SocketReactions = {}): Promise<SocketPair> {
    const client = this.user(ofClient);
    const server = this.user(ofServer);
    const listening = this.listen({ accepted: (socket) => server.own(socket), failed: () => {} });
    let refused: Error | undefined;
    this.#driver.connect({ address: this.own.address, port: listening.port }, {
      connected: (socket) => client.own(socket),
      refused: (error) => refused = error,
    });
    await until("the connection is open", () => refused !== undefined || (client.open && server.open));
    if (refused !== undefined) throw refused;
    return { client, server };
  }

  /** A connection that the driver accepted from a peer that is not its own. */
  async withPeer(ofServer: SocketReactions = {}): Promise<{ server: SocketUser; peer: Wire }> {
    const server = this.user(ofServer);
    const listening = this.listen({ accepted: (socket) => server.own(socket), failed: () => {} });
    const peer = await this.#connectPeer(this.own.address, listening.port);
    this.#peers.push(peer);
    await until("the connection is accepted", () => server.open);
    return { server, peer };
  }

  /** A connection that the driver accepted from a peer that can reset it. */
  async withResettingPeer(ofServer: SocketReactions = {}): Promise<{ server: SocketUser; peer: ResettingPeer }> {
    const server = this.user(ofServer);
    const listening = this.listen({ accepted: (socket) => server.own(socket), failed: () => {} });
    const peer = await ResettingPeer.open(this.own.address, listening.port);
    await until("the connection is accepted", () => server.open);
    return { server, peer };
  }

  /** Closes everything. */
  closeAll(): void {
    for (const listening of this.#listening.splice(0)) listening.close();
    for (const user of this.#users) if (user.open) user.close();
    for (const peer of this.#peers) closeQuietly(peer);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.closeAll();
    // No callback may follow.
    await someTurns();
    assertEquals(this.#users.flatMap(({ violations }) => violations), []);
  }
}

/** Uses a connection in every way until both ends are closed. What is sent has numbers from `first` on. */
async function useAtRandom(open: OpenSockets, random: () => number, first: number): Promise<void> {
  const checked = (): SocketReactions => {
    let position = first;
    return {
      received(user, bytes, start, end) {
        checkNumberedBytes(bytes, start, end, position);
        position += end - start;
        if (random() < 0.1) user.pause();
        if (random() < 0.02) user.close();
      },
    };
  };
  const { client, server } = await open.pair(checked(), checked());
  const written = new Map([[client, first], [server, first]]);
  for (let step = 0; step < 40; step++) {
    const user = random() < 0.5 ? client : server;
    const position = written.get(user) ?? first;
    const what = random();
    if (what < 0.5) {
      const bytes = numberedBytes(position, Math.floor(random() * PIECES[Math.floor(random() * PIECES.length)]) + 1);
      const ownership = OWNERSHIPS[Math.floor(random() * 3)];
      written.set(user, position + bytes.length);
      user.write(bytes, ownership);
      if (ownership === "lent") bytes.fill(0xee);
    } else if (what < 0.6) user.pause();
    else if (what < 0.75) user.resume();
    else if (what < 0.8) user.call((socket) => socket.cork());
    else if (what < 0.9) user.call((socket) => socket.uncork());
    else if (what < 0.92) user.end();
    else if (what < 0.93) user.reset();
    else if (what < 0.94) user.close();
    else await new Promise((resolve) => setTimeout(resolve));
  }
  const mistake = [client, server].find(({ failure }) => failure?.message.startsWith("Byte "));
  if (mistake !== undefined) throw mistake.failure;
  client.close();
  await new Promise((resolve) => setTimeout(resolve));
  server.close();
}

/** Writes more than the system takes, and waits until it takes no more. Returns how much was written. */
async function fillQueue(user: SocketUser): Promise<number> {
  let written = 0;
  for (; written < 32 * MIB; written += MIB) user.write(numberedBytes(written, MIB), "given");
  await stands("the queue", () => user.socket.queuedBytes);
  assert(user.socket.queuedBytes > 0);
  return written;
}

/** Bytes go from the client to the server and come back; memory is overwritten as soon as it may be. */
async function echo(open: OpenSockets, total: number): Promise<void> {
  let sent = 0;
  let position = 0;
  let serverEnded = false;
  const shared: { bytes: Uint8Array; position: number }[] = [];
  const send = (user: SocketUser) => {
    for (let i = sent; sent < total; i++) {
      const length = Math.min(PIECES[i % PIECES.length], total - sent);
      const bytes = numberedBytes(sent, length);
      const ownership = OWNERSHIPS[i % OWNERSHIPS.length];
      if (ownership === "shared" && shared.length < 20) shared.push({ bytes, position: sent });
      sent += length;
      const nothingQueued = user.write(bytes, ownership);
      if (ownership === "lent") bytes.fill(0xee);
      if (!nothingQueued) return;
    }
    user.end();
  };
  const { client } = await open.pair({
    drained: send,
    received(_user, bytes, start, end) {
      checkNumberedBytes(bytes, start, end, position);
      position += end - start;
    },
  }, {
    received(user, bytes, start, end) {
      if (!user.write(bytes.subarray(start, end))) user.pause();
      bytes.fill(0xdd, start, end);
    },
    drained(user) {
      user.resume();
      if (serverEnded) user.end();
    },
    ended(user) {
      serverEnded = true;
      if (user.socket.queuedBytes === 0) user.end();
    },
  });
  send(client);
  await until("all came back, and the end", () => client.events.includes("ended"), 20_000);
  assertEquals(position, total);
  for (const piece of shared) checkNumberedBytes(piece.bytes, 0, piece.bytes.length, piece.position);
}

/** Reads numbered bytes until `total` are there, or the end. */
async function readNumbered(peer: Wire, total: number): Promise<number> {
  const buffer = new Uint8Array(256 * 1024);
  let position = 0;
  while (position < total) {
    const read = await peer.read(buffer);
    if (read === null) break;
    checkNumberedBytes(buffer, 0, read, position);
    position += read;
  }
  return position;
}

/** Reads and drops all, until the peer ends or breaks the connection. */
async function readToEnd(peer: Wire): Promise<void> {
  const buffer = new Uint8Array(256 * 1024);
  try {
    while (await peer.read(buffer) !== null);
  } catch {
    // A reset is an end too.
  }
  closeQuietly(peer);
}

function letters(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

function connectRuntime(address: string, port: number): Promise<Wire> {
  return Deno.connect({ hostname: address, port });
}
