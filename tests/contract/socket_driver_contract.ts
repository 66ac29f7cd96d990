/**
 * What holds every driver of sockets to the contract of listening and connecting. What it reports is compared with what
 * the runtime reports of the same target.
 *
 * @module
 */

// @ts-types="../../types/std/assert.d.ts"
import { assert, assertEquals, assertRejects } from "@std/assert";
import type { ConnectTarget, ListeningSocket, SocketDriver } from "../../lib/sockets/socket.ts";
import { BlackHole } from "../support/black_hole.ts";
import { someTurns, until, within } from "../support/condition.ts";
import { LineProgram } from "../support/line_program.ts";
import { OwnAddress } from "../support/own_address.ts";
import { freePort } from "../support/port.ts";
import { SocketUser } from "../support/socket_user.ts";
import { OpenSockets } from "./socket_contract.ts";

/** What is special about a driver. */
export interface SocketDriverContractOptions {
  /** Where a program of its own finds the driver: the URL of a module, and the name of its export. */
  readonly program: { readonly module: string; readonly name: string };
  /**
   * Whether the test runner may look for what tests leave behind. Drivers whose own work lasts turn it off.
   *
   * @default {true}
   */
  readonly sanitized?: boolean;
}

/** Connections that come at once to a program with few handles, and its handles. */
const CONNECTIONS = 60;
const HANDLES = 48;

/** Holds `driver` to the contract. */
export function socketDriverContract(name: string, driver: SocketDriver, options: SocketDriverContractOptions): void {
  const { program, sanitized = true } = options;

  const test = (what: string, fn: (open: OpenSockets) => Promise<void>, ignore = false) => {
    Deno.test({
      name: `${name} driver: ${what}`,
      ignore,
      sanitizeOps: sanitized,
      sanitizeResources: sanitized,
      async fn() {
        await using open = new OpenSockets(driver);
        await fn(open);
      },
    });
  };

  const connect = (target: ConnectTarget) => connected(driver, target);

  test("says where it listens, and who connected", async (open) => {
    const { client, server } = await open.pair();
    const { address } = open.own;
    // The system connects to each address of loopback from the first one.
    assertEquals([client.socket.remoteAddress, server.socket.remoteAddress], [address, "127.0.0.1"]);
    assert(server.socket.remotePort > 0);
    assert(client.socket.remotePort > 0 && client.socket.remotePort !== server.socket.remotePort);
    const listening = open.listen(NOTHING_ACCEPTED);
    assertEquals(listening.address, address);
    assert(listening.port > 0 && listening.port !== client.socket.remotePort);
  });

  test("one socket on `::` accepts both families, IPv4 with its own form of address", async () => {
    const users: SocketUser[] = [];
    const listening = driver.listen({ address: "::", port: 0, shared: false }, {
      accepted(socket) {
        users.push(new SocketUser());
        users[users.length - 1].own(socket);
      },
      failed() {},
    });
    assertEquals(listening.address, "::");
    for (const address of ["127.0.0.1", "::1"]) {
      const client = await connect({ address, port: listening.port });
      assert(client instanceof SocketUser, String(client));
      await until("it is accepted", () => users.length === 1);
      const [server] = users.splice(0);
      assertEquals([server.socket.remoteAddress, client.socket.remoteAddress], [address, address]);
      client.close();
      await until("the end arrives", () => server.events.includes("ended"));
      server.close();
    }
    listening.close();
  }, !hasIpv6());

  test("a port that is in use is refused as the runtime does it", async (open) => {
    const { port } = open.listen(NOTHING_ACCEPTED);
    for (const target of [{ address: open.own.address, port }, { address: "192.0.2.1", port: 0 }]) {
      const expected = thrown(() => Deno.listen({ hostname: target.address, port: target.port }).close());
      const found = thrown(() => driver.listen({ ...target, shared: false }, NOTHING_ACCEPTED).close());
      assertEquals(facts(found), facts(expected));
    }
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const target = { address: "127.0.0.1", port: listener.addr.port, shared: true };
    assertEquals(facts(thrown(() => driver.listen(target, NOTHING_ACCEPTED).close()))[0], "AddrInUse");
    listener.close();
    await Promise.resolve();
  });

  test("a port that is shared is opened twice, and each connection is accepted once", async (open) => {
    const port = freePort();
    const users: SocketUser[] = [];
    const listening: ListeningSocket[] = [];
    for (let i = 0; i < 2; i++) {
      listening.push(driver.listen({ address: "127.0.0.1", port, shared: true }, {
        accepted(socket) {
          const user = open.user();
          users.push(user);
          user.own(socket);
        },
        failed() {},
      }));
    }
    const clients = await Promise.all(Array.from({ length: 50 }, () => connect({ address: "127.0.0.1", port })));
    await until("all are accepted", () => users.length === clients.length);
    for (const one of listening) one.close();
    for (const client of clients) (client as SocketUser).close();
    await until("all have ended", () => users.every(({ events }) => events.includes("ended")));
    assertEquals(users.length, clients.length);
  }, Deno.build.os !== "linux");

  test("close() of a listening socket refuses connections, and keeps those that are open", async (open) => {
    const server = open.user();
    let accepted = 0;
    const listening = open.listen({
      accepted(socket) {
        accepted++;
        server.own(socket);
        // Within the callback too.
        listening.close();
      },
      failed() {},
    });
    const target = { address: open.own.address, port: listening.port };
    const client = await connect(target);
    assert(client instanceof SocketUser, String(client));
    await until("it is accepted", () => accepted === 1);
    listening.close();
    listening.retry();
    assertEquals(facts(await connect(target))[0], "ConnectionRefused");
    client.write("still open");
    await until("it arrives", () => server.text === "still open");
    client.close();
    await until("the end arrives", () => server.events.includes("ended"));
  });

  test("what cannot be connected to is refused with the runtime's error, after connect() has returned", async () => {
    const folder = await Deno.makeTempDir();
    await Deno.writeTextFile(`${folder}/file`, "");
    const targets: ConnectTarget[] = [
      { address: "127.0.0.1", port: freePort() },
      { address: "255.255.255.255", port: 80 },
    ];
    if (hasIpv6()) targets.push({ address: "::1", port: freePort() });
    if (Deno.build.os !== "windows") {
      targets.push({ path: `${folder}/missing.sock` }, { path: `${folder}/file` }, { path: `${folder}/file/below` });
      targets.push({ path: `${folder}/${"long".repeat(50)}` });
    }
    for (const target of targets) {
      const expected = await (
        "path" in target
          ? Deno.connect({ transport: "unix", path: target.path })
          : Deno.connect({ hostname: target.address, port: target.port })
      ).then((conn) => conn.close(), (error) => error);
      assertEquals(facts(await connect(target)), facts(expected), JSON.stringify(target));
    }
    await Deno.remove(folder, { recursive: true });
  });

  test("an exception of refused() is reported as that of an event listener", async () => {
    const error = new Error("by the test");
    const reported: unknown[] = [];
    const listener = (event: ErrorEvent | PromiseRejectionEvent) => {
      event.preventDefault();
      reported.push(event instanceof ErrorEvent ? event.error : "a rejection");
    };
    addEventListener("error", listener);
    addEventListener("unhandledrejection", listener);
    driver.connect({ address: "127.0.0.1", port: freePort() }, {
      connected() {},
      refused() {
        throw error;
      },
    });
    await until("it is reported", () => reported.length > 0);
    removeEventListener("error", listener);
    removeEventListener("unhandledrejection", listener);
    assertEquals(reported, [error]);
  });

  test("connects to a unix socket", async () => {
    const folder = await Deno.makeTempDir();
    const path = `${folder}/a.sock`;
    const listener = Deno.listen({ transport: "unix", path });
    const client = await connect({ path });
    assert(client instanceof SocketUser, String(client));
    const peer = await listener.accept();
    await peer.write(new TextEncoder().encode("hello"));
    await until("it arrives", () => client.text === "hello");
    assertEquals([client.socket.remoteAddress, client.socket.remotePort], ["", 0]);
    client.write("and back");
    client.end();
    assertEquals(await new Response(peer.readable).text(), "and back");
    await until("the end arrives", () => client.events.includes("ended"));
    client.close();
    listener.close();
    await Deno.remove(folder, { recursive: true });
  }, Deno.build.os === "windows");

  test("a connection that is abandoned makes no callback and leaves no socket, whenever it is", async () => {
    const own = new OwnAddress();
    const { address } = own;
    let open = 0;
    const listening = driver.listen({ address, port: 0, shared: false }, {
      accepted(socket) {
        open++;
        const close = () => {
          open--;
          socket.close();
        };
        socket.handler = { received() {}, drained() {}, ended: close, failed: close };
      },
      failed() {},
    });
    let callbacks = 0;
    for (let i = 0; i < 100; i++) {
      let abandoned = false;
      const users: SocketUser[] = [];
      const pending = Array.from({ length: 10 }, () =>
        driver.connect({ address, port: listening.port }, {
          connected(socket) {
            if (abandoned) callbacks++;
            const user = new SocketUser();
            user.own(socket);
            users.push(user);
          },
          refused: () => callbacks++,
        }));
      if (i % 4 === 1) await Promise.resolve();
      if (i % 4 > 1) await new Promise((resolve) => setTimeout(resolve, i % 4 - 2));
      abandoned = true;
      for (const one of pending) one.abandon();
      pending[0].abandon();
      // Those that are open are not its concern any more.
      for (const user of users) user.close();
    }
    await until("all are closed", () => open === 0 && own.openSockets() <= 1);
    assertEquals(callbacks, 0);
    listening.close();
    await until("the port is closed", () => own.openSockets() <= 0);
  });

  test("a connection to an address that is silent can be abandoned, and leaves no socket", async () => {
    const own = new OwnAddress();
    using hole = await BlackHole.open(own.address);
    const before = own.openSockets();
    let callbacks = 0;
    const pending = driver.connect({ address: own.address, port: hole.port }, {
      connected: () => callbacks++,
      refused: () => callbacks++,
    });
    await until("it is being opened", () => before === -1 || own.openSockets() > before);
    pending.abandon();
    await until("it is closed", () => own.openSockets() <= before);
    await someTurns();
    assertEquals(callbacks, 0);
  });

  test("a connection to a unix socket can be abandoned", async () => {
    const folder = await Deno.makeTempDir();
    const path = `${folder}/a.sock`;
    const listener = Deno.listen({ transport: "unix", path });
    let callbacks = 0;
    for (let i = 0; i < 10; i++) {
      const handler = { connected: () => callbacks++, refused: () => callbacks++ };
      driver.connect({ path }, handler).abandon();
    }
    // Connections are accepted in the order in which they were opened, so that this one is the last.
    const last = await connect({ path });
    assert(last instanceof SocketUser, String(last));
    last.write("last");
    for (let text = ""; text !== "last";) {
      const conn = await listener.accept();
      // What was abandoned ends without a byte, because nothing holds it open.
      const buffer = new Uint8Array(10);
      const read = await within(5000, "it ends, or sends", conn.read(buffer));
      text = new TextDecoder().decode(buffer.subarray(0, read ?? 0));
      assert(["", "last"].includes(text), text);
      conn.close();
    }
    last.close();
    listener.close();
    assertEquals(callbacks, 0);
    await Deno.remove(folder, { recursive: true });
  }, Deno.build.os === "windows");

  test(
    "accepts again when file handles were missing, after a pause or when told, and lets its process end",
    async () => {
      const args = ["-c", `ulimit -n ${HANDLES}; exec "$@"`, "sh", Deno.execPath(), "run", "-A", "--no-check"];
      const path = new URL("../support/accept_program.ts", import.meta.url).pathname;
      const config = new URL("../../deno.json", import.meta.url).pathname;
      const started = LineProgram.start("sh", [...args, "--config", config, path, program.module, program.name]);
      assert(started !== undefined);
      await using accepting = started;
      const port = Number(await accepting.line());
      const conns = await Promise.all(
        Array.from({ length: CONNECTIONS }, () => Deno.connect({ hostname: "127.0.0.1", port })),
      );
      let accepted = 0;
      let failures = 0;
      for (let told = 0; accepted < CONNECTIONS;) {
        const line = await accepting.line();
        if (line === "accepted") {
          accepted++;
        } else {
          assertEquals(line, "failed EMFILE");
          failures++;
          // Every second time it is told to accept again, which it does by itself too.
          await accepting.tell("close");
          if (told++ % 2 === 0) await accepting.tell("retry");
        }
      }
      assert(failures > 0);
      for (const conn of conns) conn.close();
      await accepting.tell("end");
      // Nothing that is left keeps the process alive.
      await assertRejects(
        async () => {
          for (;;) assert(["accepted", "failed EMFILE"].includes(await accepting.line()));
        },
        Error,
        "The program ended",
      );
    },
    Deno.build.os === "windows",
  );
}

const NOTHING_ACCEPTED = { accepted() {}, failed() {} };

/** Connects: the owner of the socket, or the error. */
function connected(driver: SocketDriver, target: ConnectTarget): Promise<SocketUser | Error> {
  return new Promise((resolve, reject) => {
    let returned = false;
    const settle = (result: SocketUser | Error) => {
      if (returned) resolve(result);
      else reject(new Error("A callback came before connect() had returned"));
    };
    driver.connect(target, {
      connected(socket) {
        const user = new SocketUser();
        user.own(socket);
        settle(user);
      },
      refused: settle,
    });
    returned = true;
  });
}

function thrown(call: () => void): unknown {
  try {
    call();
  } catch (error) {
    return error;
  }
  return undefined;
}

/** What an error says of itself. */
function facts(error: unknown): unknown[] {
  if (!(error instanceof Error)) return [error];
  return [error.name, error.message, "code" in error ? error.code : undefined, error.constructor];
}

function hasIpv6(): boolean {
  try {
    Deno.listen({ hostname: "::1", port: 0 }).close();
    return true;
  } catch {
    return false;
  }
}
