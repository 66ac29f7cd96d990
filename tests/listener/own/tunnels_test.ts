/**
 * Connections that become tunnels, over scripted sockets.
 *
 * @module
 */

// @ts-types="../../../types/std/assert.d.ts"
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import type { HttpResponse, Upgrade } from "../../../lib/http/message.ts";
import type { Socket, SocketHandler } from "../../../lib/sockets/socket.ts";
import { until } from "../../support/condition.ts";
import { text } from "../../support/message_reader.ts";
import { get } from "../../support/raw_client.ts";
import { responseOf, ScriptedClients } from "./scripted_clients.ts";

const HANDSHAKE = get("/", "Connection: upgrade\r\nUpgrade: websocket\r\n");

/** What happened to an upgrade. */
class TestUpgrade implements Upgrade, SocketHandler {
  readonly idleTimeoutSeconds = 0;
  reason = "";
  early = "";
  relayed = "";
  wasEnded = false;
  socket: Socket | undefined;

  begin(): void {
    throw new Error("Not expected");
  }

  tunnel?(client: Socket, early: Uint8Array<ArrayBuffer>): void {
    this.socket = client;
    this.early = text(early);
    client.handler = this;
  }

  fail(reason: string): HttpResponse {
    this.reason = reason;
    return responseOf("failed", 500);
  }

  received(bytes: Uint8Array<ArrayBuffer>, start: number, end: number): void {
    this.relayed += text(bytes.subarray(start, end));
  }

  drained(): void {}

  failed(): void {}

  ended(): void {
    this.wasEnded = true;
  }
}

function upgraded(upgrade: Upgrade, headers: string[] = ["x-a", "b"]): HttpResponse {
  return { status: 101, headers, body: null, upgrade };
}

async function turns(): Promise<void> {
  for (let i = 0; i < 5; i++) await Promise.resolve();
}

Deno.test("an upgrade gets the socket behind the head, with what came early, and everything after", async () => {
  const upgrade = new TestUpgrade();
  const response = Promise.withResolvers<HttpResponse>();
  await using clients = new ScriptedClients(() => response.promise);
  const socket = clients.connect();
  socket.arrive(HANDSHAKE + "ear", "ly");
  response.resolve(upgraded(upgrade));
  await turns();
  assertMatch(
    socket.written,
    /^HTTP\/1\.1 101 Switching Protocols\r\nx-a: b\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n$/,
  );
  assertEquals([upgrade.early, upgrade.socket === socket], ["early", true]);
  socket.arrive("GET / HTTP/1.1\r\n\r\n");
  socket.finish();
  assertEquals([upgrade.relayed, upgrade.wasEnded], ["GET / HTTP/1.1\r\n\r\n", true]);
  socket.write(new TextEncoder().encode("back"), "shared");
  assertStringIncludes(socket.written, "\r\n\r\nback");
});

Deno.test("an upgrade that is accepted at once gets what came along with its request", async () => {
  const upgrade = new TestUpgrade();
  await using clients = new ScriptedClients(() => upgraded(upgrade, ["Upgrade", "websocket", "Connection", "Upgrade"]));
  const socket = clients.connect();
  socket.arrive(HANDSHAKE + "early");
  assertEquals(upgrade.early + upgrade.relayed, "early");
  assertEquals(socket.written, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n");
});

Deno.test("an upgrade of a client that has left, or that cannot take a connection as bytes, fails", async () => {
  const gone = new TestUpgrade();
  const response = Promise.withResolvers<HttpResponse>();
  await using clients = new ScriptedClients(() => response.promise);
  const socket = clients.connect();
  socket.arrive(HANDSHAKE);
  socket.fail();
  response.resolve(upgraded(gone));
  await turns();
  assertEquals([gone.reason !== "", gone.socket], [true, undefined]);

  const unable = new TestUpgrade();
  unable.tunnel = undefined;
  await using others = new ScriptedClients(() => upgraded(unable));
  const other = others.connect();
  other.arrive(HANDSHAKE);
  assertMatch(other.written, /^HTTP\/1\.1 500 .*failed$/s);
  assertEquals(unable.reason !== "", true);
});

Deno.test("a tunnel counts as a connection until it is closed, and shutdown() does not wait for it", async () => {
  const upgrade = new TestUpgrade();
  await using clients = new ScriptedClients(() => upgraded(upgrade), { limits: { max_connections: 1 } });
  const socket = clients.connect();
  socket.arrive(HANDSHAKE);
  assertEquals(clients.listener.connections, 1);
  assertEquals(clients.connect().closed, true);
  await clients.listener.shutdown();
  assertEquals(socket.closed, false);
  socket.close();
  await until("it is counted no more", () => clients.listener.connections === 0);
});
