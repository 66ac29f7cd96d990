/**
 * What holds every driver that sends files to `Socket.sendFile`.
 *
 * @module
 */

// @ts-types="../../types/std/assert.d.ts"
import { assert, assertEquals } from "@std/assert";
import { closeSync, openSync } from "node:fs";
import type { SocketDriver } from "../../lib/sockets/socket.ts";
import { someTurns, stands, until } from "../support/condition.ts";
import { checkNumberedBytes, numberedBytes } from "../support/numbered_bytes.ts";
import type { SocketReactions, SocketUser } from "../support/socket_user.ts";
import { OpenSockets, type SocketFault } from "./socket_contract.ts";

const MIB = 1 << 20;
const FILE_BYTES = 24 * MIB;

/** Holds `driver` to the contract. */
export function sendFileContract(name: string, driver: SocketDriver, faults: readonly SocketFault[]): void {
  const test = (what: string, fn: (open: OpenSockets, file: NumberedFile) => Promise<void>) => {
    Deno.test(`${name} sockets send files: ${what}`, async () => {
      await using open = new OpenSockets(driver);
      await using file = await NumberedFile.write(FILE_BYTES);
      await fn(open, file);
    });
  };

  for (const [start, end] of [[0, 1], [0, 100_000], [4096, MIB + 1], [1, FILE_BYTES], [FILE_BYTES - 3, FILE_BYTES]]) {
    test(`bytes ${start} to ${end} arrive`, async (open, file) => {
      const reader = new NumberedReader(start);
      const { server } = await open.pair(reader.reactions, sending(file, start, end));
      send(server, file, start, end);
      await until("all arrive", () => reader.position === end, 20_000);
    });
  }

  for (const fault of faults) {
    test(`with ${fault.name}, all bytes arrive, behind those that were written`, async (open, file) => {
      const end = fault.name.includes("one byte") ? 5000 : 3 * MIB;
      const reader = new NumberedReader(0);
      const { server } = await open.pair(reader.reactions, sending(file, 1000, end));
      using _fault = fault.inject();
      server.call((socket) => socket.cork());
      server.write(numberedBytes(0, 1000));
      send(server, file, 1000, end);
      await until("all arrive", () => reader.position === end, 20_000);
    });
  }

  test("nothing is taken while queued bytes wait, and drained() follows once it can be", async (open, file) => {
    const reader = new NumberedReader(0);
    const { client, server } = await open.pair(reader.reactions, sending(file, 16 * MIB, FILE_BYTES));
    client.pause();
    for (let at = 0; at < 16 * MIB; at += MIB) server.write(numberedBytes(at, MIB), "given");
    assertEquals(send(server, file, 16 * MIB, FILE_BYTES), 0);
    await stands("the queue", () => server.socket.queuedBytes);
    assert(server.socket.queuedBytes > 0);
    assertEquals(server.drains, 0);
    client.resume();
    await until("all arrive", () => reader.position === FILE_BYTES, 20_000);
  });

  test("a peer that takes nothing holds it back, without a queue", async (open, file) => {
    const reader = new NumberedReader(0);
    let taken = 0;
    const { client, server } = await open.pair(reader.reactions, {
      drained: (user) => void (taken += send(user, file, taken, FILE_BYTES)),
    });
    client.pause();
    taken = send(server, file, 0, FILE_BYTES);
    await stands("what is taken", () => taken);
    assert(taken < FILE_BYTES);
    assertEquals(server.socket.queuedBytes, 0);
    const { drains } = server;
    await someTurns();
    assertEquals(server.drains, drains);
    client.resume();
    await until("all arrive", () => reader.position === FILE_BYTES, 20_000);
  });

  test("other sockets get their turn while a fast peer takes a large file", async (open, file) => {
    const reader = new NumberedReader(0);
    const { server } = await open.pair(reader.reactions, sending(file, 0, FILE_BYTES));
    const taken = send(server, file, 0, FILE_BYTES);
    assert(taken > 0 && taken <= MIB, `${taken} bytes are taken at once`);
    assert(send(server, file, taken, FILE_BYTES) <= MIB - taken);
  });

  test("the end of the file is reported, and the socket is still usable", async (open, file) => {
    const { client, server } = await open.pair();
    assertEquals(send(server, file, FILE_BYTES, FILE_BYTES + 10), -1);
    assertEquals(send(server, file, FILE_BYTES - 1, FILE_BYTES + 10), 1);
    await until("drained() follows", () => server.drains === 1);
    assertEquals(send(server, file, FILE_BYTES, FILE_BYTES + 10), -1);
    server.write("x");
    await until("what is written arrives", () => client.receivedBytes === 2);
  });

  test("a file that becomes shorter meanwhile ends where it ends", async (open, file) => {
    const { client, server } = await open.pair();
    await Deno.truncate(file.path, 10);
    let taken = send(server, file, 0, 100);
    assertEquals(taken, 10);
    taken = send(server, file, 10, 100);
    assertEquals(taken, -1);
    await until("the first bytes arrive", () => client.receivedBytes === 10);
  });

  test("close() in the middle is followed by no callback", async (open, file) => {
    const { client, server } = await open.pair({ received: () => {} }, sending(file, 0, FILE_BYTES));
    send(server, file, 0, FILE_BYTES);
    await until("the first bytes arrive", () => client.receivedBytes > 0);
    server.close();
    assertEquals(server.call((socket) => socket.sendFile?.(file.descriptor, 0, 10)), 0);
    const events = server.events.length;
    await someTurns();
    assertEquals(server.events.length, events);
  });

  test("a peer that resets the connection in the middle is a failure, once", async (open, file) => {
    const { server, peer } = await open.withResettingPeer(sending(file, 0, FILE_BYTES));
    send(server, file, 0, FILE_BYTES);
    await peer.reset();
    await until("the failure is reported", () => server.failure !== undefined);
    assertEquals(server.events.filter((event) => event === "failed").length, 1);
  });
}

/** A file whose bytes are numbered. */
class NumberedFile {
  readonly path: string;
  readonly descriptor: number;

  private constructor(path: string) {
    this.path = path;
    this.descriptor = openSync(path, "r");
  }

  static async write(bytes: number): Promise<NumberedFile> {
    const path = await Deno.makeTempFile();
    await Deno.writeFile(path, numberedBytes(0, bytes));
    return new NumberedFile(path);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    closeSync(this.descriptor);
    await Deno.remove(this.path);
  }
}

/** Checks what arrives. */
class NumberedReader {
  position: number;

  constructor(position: number) {
    this.position = position;
  }

  get reactions(): SocketReactions {
    return {
      received: (_user, bytes, start, end) => {
        checkNumberedBytes(bytes, start, end, this.position);
        this.position += end - start;
      },
    };
  }
}

/** Where each socket is in its file. */
const positions = new WeakMap<SocketUser, number>();

/** Sends what is left of the range. */
function sending(file: NumberedFile, start: number, end: number): SocketReactions {
  return {
    drained(user) {
      const position = positions.get(user) ?? start;
      if (position < end) send(user, file, position, end);
    },
  };
}

function send(user: SocketUser, file: NumberedFile, position: number, end: number): number {
  const taken = user.call((socket) => socket.sendFile?.(file.descriptor, position, end - position)) ?? -2;
  positions.set(user, position + Math.max(taken, 0));
  return taken;
}
