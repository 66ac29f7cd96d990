/**
 * Connections that break TLS, or TCP below it, after the handshake.
 *
 * @module
 */

// @ts-types="../../../types/std/assert.d.ts"
import { assertEquals, assertInstanceOf } from "@std/assert";
import { connect as connectNode } from "node:net";
import { connect as connectNodeTls } from "node:tls";
import { runtimeDriver } from "../../../lib/sockets/runtime_driver.ts";
import type { Socket } from "../../../lib/sockets/socket.ts";
import { Certificates } from "../../support/certificates.ts";
import { someTurns, until } from "../../support/condition.ts";
import { findsOpenssl } from "../../support/openssl.ts";
import { SocketUser } from "../../support/socket_user.ts";
import { tlsSocketDriver } from "../../support/tls_socket_driver.ts";

const ignore = !await findsOpenssl("TLS connections that break");

/** A connection through a relay, which can send the server bytes of its own. */
class Relayed {
  readonly server = new SocketUser();
  readonly client: Deno.TlsConn;
  readonly toServer: Deno.TcpConn;
  readonly #closing: (() => void)[];

  private constructor(client: Deno.TlsConn, toServer: Deno.TcpConn, closing: (() => void)[]) {
    this.client = client;
    this.toServer = toServer;
    this.#closing = closing;
  }

  static async open(certificates: Certificates): Promise<Relayed> {
    const { driver } = tlsSocketDriver(runtimeDriver, certificates);
    let accepted: Socket | undefined;
    const listening = driver.listen({ address: "127.0.0.1", port: 0, shared: false }, {
      accepted(socket) {
        accepted = socket;
        user.own(socket);
      },
      failed() {},
    });
    const user = new SocketUser();
    const relay = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const dialled = await Deno.connect({ hostname: "127.0.0.1", port: relay.addr.port });
    const fromClient = await relay.accept();
    const toServer = await Deno.connect({ hostname: "127.0.0.1", port: listening.port });
    relay.close();
    fromClient.readable.pipeTo(toServer.writable, { preventClose: true }).catch(() => {});
    toServer.readable.pipeTo(fromClient.writable).catch(() => {});
    const caCerts = [Deno.readTextFileSync(certificates.caFile)];
    const client = await Deno.startTls(dialled, { hostname: "127.0.0.1", caCerts });
    await client.handshake();
    await until("it is accepted", () => accepted !== undefined);
    const opened = new Relayed(client, toServer, [() => listening.close(), () => client.close()]);
    Object.assign(opened, { server: user });
    return opened;
  }

  /** Sends bytes to the server, between those of the client. */
  async inject(bytes: number[]): Promise<void> {
    const rest = Uint8Array.from(bytes);
    for (let at = 0; at < rest.length;) at += await this.toServer.write(rest.subarray(at));
  }

  close(): void {
    for (const close of [...this.#closing, () => this.toServer.close()]) {
      try {
        close();
      } catch {
        // Closed by the other side.
      }
    }
    if (!this.server.socket.closed) this.server.close();
  }
}

const test = (name: string, fn: (certificates: Certificates) => Promise<void>) =>
  Deno.test({
    name: `TLS sockets: ${name}`,
    ignore,
    // Pipes of the relay end when they notice.
    sanitizeOps: false,
    sanitizeResources: false,
    async fn() {
      await using certificates = await Certificates.make("IP:127.0.0.1");
      await fn(certificates);
    },
  });

test("a record that does not decrypt is a failure, once, and the client gets an error", async (certificates) => {
  const one = await Relayed.open(certificates);
  await one.inject([23, 3, 3, 0, 20, ...new Array(20).fill(1)]);
  await until("it fails", () => one.server.failure !== undefined);
  assertEquals([one.server.events, one.server.socket.closed], [["failed"], true]);
  const error = await one.client.read(new Uint8Array(10)).then(() => undefined, (thrown) => thrown);
  assertInstanceOf(error, Error);
  one.close();
});

test("an end without close_notify is an end that is unproven; one with it is proven", async (certificates) => {
  for (const inOrder of [true, false]) {
    const one = await Relayed.open(certificates);
    if (inOrder) await one.client.closeWrite();
    else await one.toServer.closeWrite();
    await until("the end arrives", () => one.server.events.includes("ended"));
    assertEquals(one.server.socket.endUnproven, !inOrder);
    one.close();
  }
});

test("what follows close_notify is not received, and not kept", async (certificates) => {
  const one = await Relayed.open(certificates);
  await one.client.closeWrite();
  await until("the end arrives", () => one.server.events.includes("ended"));
  await one.inject(new Array(50_000).fill(23));
  await someTurns();
  assertEquals(one.server.events, ["ended"]);
  one.close();
});

test("a reset by the client is a failure, once", async (certificates) => {
  const { driver } = tlsSocketDriver(runtimeDriver, certificates);
  const server = new SocketUser();
  const listening = driver.listen({ address: "127.0.0.1", port: 0, shared: false }, {
    accepted: (socket) => server.own(socket),
    failed() {},
  });
  const raw = connectNode(listening.port, "127.0.0.1");
  raw.on("error", () => {});
  const client = connectNodeTls({ socket: raw, rejectUnauthorized: false });
  client.on("error", () => {});
  await until("it is accepted", () => server.open);
  client.write("hello");
  await until("it is received", () => server.text === "hello");
  raw.resetAndDestroy();
  await until("it fails", () => server.failure !== undefined);
  assertInstanceOf(server.failure, Deno.errors.ConnectionReset);
  assertEquals([server.events, server.socket.closed], [["received", "failed"], true]);
  client.destroy();
  listening.close();
});
