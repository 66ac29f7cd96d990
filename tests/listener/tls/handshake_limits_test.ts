/**
 * Handshakes that do not end: their time, number and rate are limited, and nothing of them is left.
 *
 * @module
 */

// @ts-types="../../../types/std/assert.d.ts"
import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { Log } from "../../../lib/log/log.ts";
import { Certificates } from "../../support/certificates.ts";
import { clientHello, inRecords } from "../../support/client_hello_bytes.ts";
import { CoarseClock } from "../../../lib/state/coarse_clock.ts";
import { until } from "../../support/condition.ts";
import { findsOpenssl } from "../../support/openssl.ts";
import { OwnAddress } from "../../support/own_address.ts";
import { ResettingPeer } from "../../support/resetting_peer.ts";
import { certificateOf, TlsListener } from "./tls_listener.ts";

const ignore = !await findsOpenssl("Limits of TLS handshakes");
const test = (name: string, fn: () => Promise<void>) => Deno.test({ name: `TLS handshakes: ${name}`, ignore, fn });

const certificates = ignore ? undefined : await Certificates.make("DNS:localhost");
const policies = certificates && { "*": { certificate: certificateOf(certificates) } };
const caCerts = certificates && [Deno.readTextFileSync(certificates.caFile)];
// A client's first flight, so that the server's comes, and then nothing.
const HELLO = ignore ? new Uint8Array() : await firstFlight();
await certificates?.[Symbol.asyncDispose]();

/** The first bytes of a client that is the runtime's. */
async function firstFlight(): Promise<Uint8Array> {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const dialled = await Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port });
  const accepted = await listener.accept();
  const client = await Deno.startTls(dialled, { hostname: "localhost", caCerts });
  const handshake = client.handshake();
  const buffer = new Uint8Array(4096);
  const count = await accepted.read(buffer) ?? 0;
  accepted.close();
  await handshake.catch(() => {});
  client.close();
  listener.close();
  return buffer.slice(0, count);
}

function connect(port: number, hostname = "127.0.0.1"): Promise<Deno.TcpConn> {
  return Deno.connect({ hostname, port });
}

async function responds(port: number): Promise<boolean> {
  const conn = await Deno.startTls(await connect(port), { hostname: "localhost", caCerts });
  await conn.write(new TextEncoder().encode("GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"));
  return (await new Response(conn.readable).text()).startsWith("HTTP/1.1 200");
}

/** Reads to the end, whatever that is. */
async function ended(conn: Deno.TcpConn): Promise<void> {
  const buffer = new Uint8Array(8192);
  try {
    while (await conn.read(buffer) !== null);
  } catch {
    // A reset.
  }
  conn.close();
}

test("floods of half handshakes end by handshake_timeout, and leave nothing", async () => {
  const own = new OwnAddress();
  await using server = new TlsListener(policies!, { limits: { handshake_timeout: 400, max_handshakes: 0 } });
  const { port } = server;
  const half = inRecords(clientHello({ serverName: "localhost", versions: [0x0304] })).subarray(0, 60);
  const conns: Deno.TcpConn[] = [];
  for (let i = 0; i < 1000; i += 50) {
    conns.push(
      ...await Promise.all(Array.from({ length: 50 }, async (_, k) => {
        const conn = await connect(port, own.address);
        // Nothing at all, half of the first message, and all of it.
        if (k % 3 > 0) await conn.write(k % 3 === 1 ? half : HELLO);
        return conn;
      })),
    );
  }
  const all = Promise.all(conns.map(ended));
  await until("all have ended", () => server.count("timeout") === 1000 && server.listener.handshakes === 0, 20_000);
  await all;
  assertEquals([await responds(port), server.listener.connections], [true, 0]);
  await until("no socket is left", () => own.openSockets() <= 0);
});

test("clients that leave within the handshake, in order or not, leave nothing", async () => {
  await using server = new TlsListener(policies!);
  const { port } = server;
  for (let i = 0; i < 30; i++) {
    const conn = await connect(port);
    if (i % 3 > 0) await conn.write(i % 3 === 1 ? HELLO.subarray(0, 40) : HELLO);
    if (i % 3 === 2) await conn.read(new Uint8Array(1));
    conn.close();
    const peer = await ResettingPeer.open("127.0.0.1", port);
    await peer.send(String.fromCharCode(22, 3, 1));
    // One that is reset before it is accepted is none.
    const accepted = () => server.listener.handshakes + server.count("client");
    await until("it is accepted", () => accepted() === 2 * i + 2);
    await peer.reset();
  }
  await until("all have ended", () => server.count("client") === 60 && server.listener.handshakes === 0);
  assertEquals(await responds(port), true);
});

test("the oldest one is ended where there are max_handshakes", async () => {
  await using server = new TlsListener(policies!, { limits: { max_handshakes: 3 } });
  const { port } = server;
  const conns: Deno.TcpConn[] = [];
  for (let i = 0; i < 4; i++) {
    conns.push(await connect(port));
    await until("it is accepted", () => server.listener.handshakes === Math.min(i + 1, 3) || server.count("limit") > 0);
  }
  await ended(conns[0]);
  await until("it is counted", () => server.count("limit") === 1);
  assertEquals([server.listener.handshakes, await responds(port)], [3, true]);
  for (const conn of conns.slice(2)) conn.close();
  await ended(conns[1]);
});

test("handshakes that take long are ended where their file handles are needed, the oldest first", async () => {
  const clock = new CoarseClock(3_600_000);
  const limits = { max_handshakes: 0, handshake_timeout: 0 };
  await using server = new TlsListener(policies!, { limits, clock });
  const { listener, port } = server;
  const conns: Deno.TcpConn[] = [];
  for (const passedMs of [0, 0, 1000, 1000]) {
    clock.nowMs += passedMs;
    conns.push(await connect(port));
    await until("it is accepted", () => listener.handshakes === conns.length);
  }
  assertEquals([listener.closeIdle(1), listener.closeIdle(), listener.closeIdle()], [1, 1, 0]);
  await Promise.all(conns.slice(0, 2).map((conn) => ended(conn)));
  assertEquals([listener.handshakes, server.count("limit"), await responds(port)], [2, 2, true]);
  for (const conn of conns.slice(2)) conn.close();
});

test("an address has max_handshake_rate in a second, but for trusted proxies", async () => {
  for (const trusted of [false, true]) {
    await using server = new TlsListener(policies!, { limits: { max_handshake_rate: 2 }, trusts: () => trusted });
    const { port } = server;
    const served = async () => await responds(port).catch(() => false);
    assertEquals([await served(), await served()], [true, true]);
    if (trusted) {
      assertEquals([await served(), await served()], [true, true]);
    } else {
      // Unless the second was over, one of them is refused.
      const several = () => Promise.all([served(), served(), served(), served()]);
      for (let i = 0; i < 50 && (await several()).every((one) => one); i++);
      assertEquals(server.count("limit") > 0, true);
      await until("the next second allows it", served);
    }
  }
});

test("max_connections_per_address counts handshakes too", async () => {
  await using server = new TlsListener(policies!, { limits: { max_connections_per_address: 2 } });
  const { port } = server;
  const conns = [await connect(port), await connect(port)];
  await until("both are accepted", () => server.listener.handshakes === 2);
  await assertRejects(() => responds(port));
  for (const conn of conns) conn.close();
  await until("both have left", () => server.listener.handshakes === 0);
  assertEquals(await responds(port), true);
});

test("those that are under way when the listener shuts down may complete, and get a response", async () => {
  await using server = new TlsListener(policies!);
  const { port } = server;
  const idle = await connect(port);
  const raw = await connect(port);
  await until("both are accepted", () => server.listener.handshakes === 2);
  const shutdown = server.listener.shutdown();
  const conn = await Deno.startTls(raw, { hostname: "localhost", caCerts });
  await conn.write(new TextEncoder().encode("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"));
  const text = await new Response(conn.readable).text();
  assertStringIncludes(text, "200 OK");
  await shutdown;
  await ended(idle);
});

test("failures are logged with the client's address, at the level of their cause", async () => {
  let text = "";
  const log = new Log((bytes) => {
    text += new TextDecoder().decode(bytes);
    return Promise.resolve();
  }, { level: "debug" });
  await using server = new TlsListener({ "a.test": { ...policies!["*"] }, "b.test": {} }, { log });
  for (const serverName of ["a.test", "b.test", "c.test"]) {
    const conn = await connect(server.port);
    await conn.write(inRecords(clientHello({ serverName })));
    await ended(conn);
  }
  await until("all are logged", async () => {
    await log.flush();
    return text.split("\n").length === 4;
  });
  const lines = text.trim().split("\n").map((line) => JSON.parse(line));
  assertEquals(lines.map(({ client, server_name, result }) => [client, server_name, result]), [
    ["127.0.0.1", "a.test", "incompatible"],
    ["127.0.0.1", "b.test", "no_certificate"],
    ["127.0.0.1", "c.test", "unknown_name"],
  ]);
  assertEquals(lines.map(({ level }) => level), ["info", "info", "debug"]);
});
