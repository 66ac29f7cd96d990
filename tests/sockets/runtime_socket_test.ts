// @ts-types="../../types/std/assert.d.ts"
import { assert, assertEquals, assertInstanceOf, assertStrictEquals } from "@std/assert";
import { RuntimeSocket } from "../../lib/sockets/runtime_socket.ts";
import type { Wire } from "../../lib/sockets/wire.ts";
import { someTurns, until } from "../support/condition.ts";
import { ScriptedWire } from "../support/scripted_wire.ts";
import { type SocketReactions, SocketUser } from "../support/socket_user.ts";

/** A socket over `wire`, with its owner. */
function ownedSocket(wire: Wire, reactions: SocketReactions = {}): SocketUser {
  const user = new SocketUser(reactions);
  const socket = new RuntimeSocket(wire);
  user.own(socket);
  socket.begin();
  return user;
}

/** A wire whose reads and writes settle when the test says so. */
class HeldWire implements Wire {
  /** Buffers of the reads and the writes, in order. */
  readonly reads: Uint8Array[] = [];
  readonly writes: Uint8Array[] = [];
  closed = false;
  #read: PromiseWithResolvers<number | null> | undefined;
  #write: PromiseWithResolvers<number> | undefined;

  read(buffer: Uint8Array): Promise<number | null> {
    this.reads.push(buffer);
    this.#read = Promise.withResolvers();
    return this.#read.promise;
  }

  write(bytes: Uint8Array): Promise<number> {
    this.writes.push(bytes);
    this.#write = Promise.withResolvers();
    return this.#write.promise;
  }

  close(): void {
    this.closed = true;
  }

  /** Settles the read that is pending, and lets what follows happen. */
  async settleRead(count: number | null): Promise<void> {
    this.#read?.resolve(count);
    await someTurns();
  }

  /** As {@linkcode settleRead}, with what it throws. */
  async failRead(error: unknown): Promise<void> {
    this.#read?.reject(error);
    await someTurns();
  }

  /** Settles the write that is pending, and lets what follows happen. */
  async settleWrite(count: number): Promise<void> {
    this.#write?.resolve(count);
    await someTurns();
  }

  /** As {@linkcode settleWrite}, with what it throws. */
  async failWrite(error: unknown): Promise<void> {
    this.#write?.reject(error);
    await someTurns();
  }

  /** As {@linkcode failWrite}, but within one turn: the time for a last read has only begun, however busy the machine. */
  async failWriteAtOnce(error: unknown): Promise<void> {
    this.#write?.reject(error);
    for (let i = 0; i < 100; i++) await undefined;
  }

  /** As {@linkcode settleRead}, but within one turn. */
  async settleReadAtOnce(count: number | null): Promise<void> {
    this.#read?.resolve(count);
    for (let i = 0; i < 100; i++) await undefined;
  }
}

Deno.test("RuntimeSocket takes writes of one byte, and reads of none", async () => {
  const wire = new ScriptedWire();
  const user = ownedSocket(wire);
  wire.narrow(1);
  user.write("abc");
  user.write("def", "shared");
  user.write("ghi", "given");
  wire.arrive("x", "", "", "y", "z");
  await until("all is written", () => user.drains === 1);
  assertEquals(wire.written, "abcdefghi");
  await until("all is received", () => user.text === "xyz");
  user.close();
  assertEquals([wire.closed, user.violations], [true, []]);
});

Deno.test("RuntimeSocket that breaks in the middle of a write fails once, after what can still be read", async () => {
  const wire = new HeldWire();
  const user = ownedSocket(wire);
  user.write("request");
  user.write("rest");
  await wire.settleWrite(3);
  await wire.failWriteAtOnce(new Deno.errors.BrokenPipe("broken pipe"));
  assertEquals(user.events, []);
  assertEquals([user.write("more"), user.socket.queuedBytes], [false, 0]);
  wire.reads[0].set([0x61, 0x62]);
  await wire.settleReadAtOnce(2);
  assertEquals(user.text, "ab");
  // The end of a broken connection is no end of what the peer had to say.
  await wire.settleRead(null);
  assertEquals(user.events, ["received", "failed"]);
  assertInstanceOf(user.failure, Deno.errors.BrokenPipe);
  assertEquals([wire.closed, user.violations], [true, []]);
});

Deno.test("RuntimeSocket that breaks in the middle of a write fails although nothing more can be read", async () => {
  for (const ends of [true, false]) {
    const wire = new HeldWire();
    const user = ownedSocket(wire);
    if (ends) await wire.settleRead(null);
    user.write("request");
    await wire.failWrite(new Deno.errors.ConnectionReset("reset"));
    await until("the failure is reported", () => user.failure !== undefined);
    assertEquals(user.events, ends ? ["ended", "failed"] : ["failed"]);
    await wire.failRead(new Deno.errors.Interrupted("closed"));
    assertEquals([user.events.length, user.violations], [ends ? 2 : 1, []]);
  }
});

Deno.test("RuntimeSocket that is closed while a last read is awaited reports nothing", async () => {
  const wire = new HeldWire();
  const user = ownedSocket(wire);
  user.write("request");
  await wire.failWriteAtOnce(new Deno.errors.BrokenPipe("broken pipe"));
  user.close();
  await wire.failRead(new Deno.errors.Interrupted("closed"));
  assertEquals([user.events, user.violations], [[], []]);
});

Deno.test("RuntimeSocket makes an error of what is thrown, and one of a handler its failure", async () => {
  const wire = new HeldWire();
  const user = ownedSocket(wire);
  await wire.failRead("gone");
  assertInstanceOf(user.failure, Error);
  assertEquals(user.failure.message, "gone");

  const mistake = new Error("a mistake");
  const other = ownedSocket(wire, {
    received() {
      throw mistake;
    },
  });
  await wire.settleRead(1);
  assertStrictEquals(other.failure, mistake);
});

Deno.test("RuntimeSocket reads into a small buffer, and into larger ones while they are filled", async () => {
  const wire = new HeldWire();
  const user = ownedSocket(wire);
  const sizes = () => wire.reads.map(({ length }) => length / 1024);
  for (let i = 0; i < 4; i++) await wire.settleRead(wire.reads[wire.reads.length - 1].length);
  assertEquals(sizes(), [2, 16, 64, 256, 256]);
  await wire.settleRead(100 * 1024);
  await wire.settleRead(40 * 1024);
  await wire.settleRead(10 * 1024);
  await wire.settleRead(100);
  assertEquals(sizes().slice(5), [64, 64, 16, 2]);
  user.close();
  await wire.failRead(new Deno.errors.Interrupted("closed"));
});

Deno.test("RuntimeSocket uses no buffer again while a read or a write of it is pending", async () => {
  const first = new HeldWire();
  const closed = ownedSocket(first);
  closed.write("of the first");
  closed.close();
  const second = new HeldWire();
  const other = ownedSocket(second);
  other.write("of the second, which is longer");
  assert(second.reads[0].buffer !== first.reads[0].buffer);
  assert(second.writes[0].buffer !== first.writes[0].buffer);
  assertEquals(new TextDecoder().decode(first.writes[0]), "of the first");
  await first.failRead(new Deno.errors.Interrupted("closed"));
  await first.settleWrite(5);
  // Now they may be.
  const third = new HeldWire();
  const last = ownedSocket(third);
  last.write("x");
  const freed = [first.reads[0].buffer, first.writes[0].buffer];
  assert(freed.includes(third.reads[0].buffer) && freed.includes(third.writes[0].buffer));
  assert(third.reads[0].buffer !== third.writes[0].buffer);
  assertEquals(first.writes.length, 1);
  for (const user of [other, last]) user.close();
  for (const wire of [second, third]) await wire.settleRead(null);
});

Deno.test("RuntimeSocket does not use the buffer of received() again before that returns", async () => {
  const wire = new HeldWire();
  let others: HeldWire | undefined;
  let lent: ArrayBuffer | undefined;
  const user = ownedSocket(wire, {
    received(user, bytes) {
      lent = bytes.buffer;
      user.close();
      others = new HeldWire();
      ownedSocket(others).write("another socket");
    },
  });
  await wire.settleRead(10);
  assertEquals(user.violations, []);
  assert(lent !== undefined && others !== undefined);
  assert(others.reads[0].buffer !== lent && others.writes[0].buffer !== lent);
});

Deno.test("RuntimeSocket joins small writes that come while one is pending", async () => {
  const wire = new HeldWire();
  const user = ownedSocket(wire);
  user.write("1");
  for (const text of ["2", "3", "4", "5"]) user.write(text, text === "4" ? "given" : "lent");
  await wire.settleWrite(1);
  assertEquals(wire.writes.map((bytes) => new TextDecoder().decode(bytes)), ["1", "2345"]);
  await wire.settleWrite(4);
  assertEquals(user.drains, 1);
  user.close();
});

Deno.test("RuntimeSocket writes large shared and given pieces without a copy", async () => {
  const wire = new HeldWire();
  const user = ownedSocket(wire);
  const shared = new Uint8Array(100_000).fill(1);
  const given = new Uint8Array(100_000).fill(2);
  user.call((socket) => socket.cork());
  user.write("head");
  user.write(shared, "shared");
  user.write(given, "given");
  user.call((socket) => socket.uncork());
  await wire.settleWrite(4);
  assertStrictEquals(wire.writes[1], shared);
  await wire.settleWrite(100_000);
  assertStrictEquals(wire.writes[2], given);
  await wire.settleWrite(50_000);
  assertEquals(given.length, 100_000);
  await wire.settleWrite(50_000);
  // What was given is freed; what is shared stays as it is.
  assertEquals([given.length, shared.length, shared[99_999]], [0, 100_000, 1]);
  user.close();
});

Deno.test("RuntimeSocket ends its writing side once all is written, and not while a write is pending", async () => {
  let ends = 0;
  const wire = Object.assign(new HeldWire(), {
    closeWrite() {
      ends++;
      return Promise.reject(new Deno.errors.NotConnected("reset already"));
    },
  });
  const user = ownedSocket(wire);
  user.call((socket) => socket.cork());
  user.write("all");
  user.end();
  user.end();
  assertEquals([wire.writes.length, ends], [1, 0]);
  await wire.settleWrite(2);
  assertEquals(ends, 0);
  await wire.settleWrite(1);
  assertEquals([ends, user.drains, user.events], [1, 1, ["drained"]]);
  user.close();
});

Deno.test("RuntimeSocket.detach() gives the wire as it is", async () => {
  const wire = new ScriptedWire();
  const socket = new RuntimeSocket(wire);
  assertStrictEquals(socket.detach(), wire);
  socket.begin();
  await someTurns();
  assertEquals([socket.closed, wire.closed, wire.reading], [true, false, false]);
});

Deno.test("RuntimeSocket says whether the end of its wire may be forged", () => {
  assertEquals(new RuntimeSocket(new ScriptedWire(true)).endUnproven, true);
  assertEquals(new RuntimeSocket(new ScriptedWire()).endUnproven, false);
});
