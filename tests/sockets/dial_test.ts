// @ts-types="../../types/std/assert.d.ts"
import { assertEquals, assertInstanceOf, assertRejects, assertStringIncludes } from "@std/assert";
import { createServer, type TLSSocket } from "node:tls";
import { dial, name } from "../../lib/sockets/dial.ts";
import { parseEndpoint } from "../../lib/sockets/endpoint.ts";
import { TransportFailure } from "../../lib/failure/failure.ts";
import { runtimeDriver } from "../../lib/sockets/runtime_driver.ts";
import type { ConnectTarget, Socket } from "../../lib/sockets/socket.ts";
import { useSocketDriver } from "../../lib/sockets/socket_driver.ts";
import { interleaved } from "../../lib/sockets/host_addresses.ts";
import { BlackHole } from "../support/black_hole.ts";
import { Certificates } from "../support/certificates.ts";
import { someTurns, until, within } from "../support/condition.ts";
import { OwnAddress } from "../support/own_address.ts";
import { freePort } from "../support/port.ts";
import { ScriptedUpstream } from "../support/scripted_upstream.ts";

Deno.test("dial() leaves no socket, whenever it is broken off", async () => {
  const own = new OwnAddress();
  const listener = Deno.listen({ hostname: own.address, port: 0 });
  await using upstream = ScriptedUpstream.on(listener, (peer) => peer.closed());
  const endpoint = parseEndpoint(`http://${own.address}:${upstream.port}`);
  for (let i = 0; i < 100; i++) {
    const stop = new AbortController();
    const dials = Array.from(
      { length: 10 },
      () => dial(endpoint, 5000, { signal: stop.signal }).then((wire) => wire.close(), () => {}),
    );
    if (i % 3 === 0) queueMicrotask(() => stop.abort());
    else setTimeout(() => stop.abort(), i % 3);
    await Promise.all(dials);
  }
  // Also those that the upstream has not seen: the system opens them later when its queue was full.
  await until("all connections are closed", () => upstream.open === 0 && own.openConnections() <= 0);
  await someTurns();
});

Deno.test("dial() of an address that is silent ends with its time, and lets go of its socket", async () => {
  const own = new OwnAddress();
  using hole = await BlackHole.open(own.address);
  const before = own.openSockets();
  const failure = await assertRejects(() => dial(parseEndpoint(hole.url), 100), TransportFailure);
  assertEquals(failure.kind, "connect_timeout");
  // The sanitizer of the test runner fails this test if the connection is still being opened when it ends.
  await until("its socket is closed", () => own.openSockets() <= before);
  // Where the system does not tell what is open, the time for it is a quarter of a second.
  if (before === -1) await new Promise((resolve) => setTimeout(resolve, 600));
  await someTurns();
});

Deno.test("dial() does not count the time in which the process was held up", async () => {
  await using upstream = ScriptedUpstream.start((peer) => peer.closed());
  const dialling = dial(parseEndpoint(upstream.url), 200);
  const endMs = performance.now() + 600;
  while (performance.now() < endMs);
  (await dialling).close();
});

Deno.test("interleaved() lets the address families take turns", () => {
  assertEquals(interleaved(["::1", "::2", "::3", "10.0.0.1", "10.0.0.2"]), [
    "::1",
    "10.0.0.1",
    "::2",
    "10.0.0.2",
    "::3",
  ]);
  assertEquals(interleaved(["10.0.0.1", "10.0.0.2", "::1"]), ["10.0.0.1", "::1", "10.0.0.2"]);
  assertEquals(interleaved(["10.0.0.1", "::1"]), ["10.0.0.1", "::1"]);
});

Deno.test("dial() of a port that nobody listens on fails as `connect`, and names the upstream and the cause", async () => {
  const url = `http://127.0.0.1:${freePort()}`;
  const failure = await assertRejects(() => dial(parseEndpoint(url), 5000), TransportFailure);
  assertEquals(failure.kind, "connect");
  assertStringIncludes(failure.message, `Cannot connect to ${new URL(url).host}: `);
  assertInstanceOf(failure.cause, Deno.errors.ConnectionRefused);
});

Deno.test("dial() of localhost reaches a server that listens on one address family alone", async () => {
  for (const hostname of ["127.0.0.1", "::1"]) {
    let listener: Deno.TcpListener;
    try {
      listener = Deno.listen({ hostname, port: 0 });
    } catch {
      continue; // This machine has no IPv6.
    }
    const accepting = listener.accept();
    (await dial(parseEndpoint(`http://localhost:${listener.addr.port}`), Infinity)).close();
    (await accepting).close();
    listener.close();
  }
});

Deno.test("dial() of a name that the system does not know fails as `connect`", async () => {
  const dialling = dial(parseEndpoint("http://no-such-host.invalid:80"), 30_000);
  const failure = await assertRejects(() => within(30_000, "it fails", dialling), TransportFailure);
  assertEquals(failure.kind, "connect");
  assertStringIncludes(failure.message, "no-such-host.invalid");
});

Deno.test("dial() with a signal that has fired ends as `client_left`, and leaves no socket", async () => {
  await using upstream = ScriptedUpstream.start((peer) => peer.closed());
  const endpoint = parseEndpoint(upstream.url);
  const failure = await assertRejects(() => dial(endpoint, 5000, { signal: AbortSignal.abort() }), TransportFailure);
  assertEquals(failure.kind, "client_left");
  await until("all connections are closed", () => upstream.open === 0);
});

/** A TLS server that tells which name clients asked for; `closed` counts connections that have ended. */
async function tlsServer(certificates: Certificates, serve: (socket: TLSSocket) => void = () => {}) {
  const names: (string | false)[] = [];
  const sockets = new Set<{ destroy(): void }>();
  const server = createServer({ cert: certificates.cert, key: certificates.key, ALPNProtocols: ["http/1.1"] });
  server.on("secureConnection", (socket) => {
    names.push((socket as TLSSocket & { servername: string | false }).servername);
    serve(socket);
  });
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => {});
  });
  server.on("tlsClientError", () => {});
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
  const { port } = server.address() as { port: number };
  return {
    names,
    port,
    open: () => sockets.size,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

Deno.test("dial() over TLS trusts the authority of the config, and asks for the name of the config", async () => {
  await using certificates = await Certificates.make("DNS:app.test");
  await using server = await tlsServer(certificates);
  const caCertificates = [await Deno.readTextFile(certificates.caFile)];
  const url = `https://127.0.0.1:${server.port}`;
  (await dial(parseEndpoint(url, { caCertificates, serverName: "app.test" }), Infinity)).close();
  await until("the handshake is seen", () => server.names.length === 1);
  assertEquals(server.names, ["app.test"]);
  await until("the connection is closed", () => server.open() === 0);
});

Deno.test("dial() over TLS fails as `connect` for a certificate of another name or authority, and leaves no socket", async () => {
  await using certificates = await Certificates.make("DNS:app.test");
  await using server = await tlsServer(certificates);
  const caCertificates = [await Deno.readTextFile(certificates.caFile)];
  const url = `https://127.0.0.1:${server.port}`;
  for (const tls of [{ caCertificates }, { caCertificates, serverName: "other.test" }, { serverName: "app.test" }]) {
    const failure = await assertRejects(() => dial(parseEndpoint(url, tls), Infinity), TransportFailure);
    assertEquals(failure.kind, "connect");
    assertStringIncludes(failure.message, "invalid peer certificate");
  }
  await until("all connections are closed", () => server.open() === 0);
});

Deno.test("dial() with insecure_skip_verify takes any certificate", async () => {
  await using certificates = await Certificates.make("DNS:app.test");
  await using server = await tlsServer(certificates);
  const endpoint = parseEndpoint(`https://127.0.0.1:${server.port}`, { insecureSkipVerify: true });
  (await dial(endpoint, Infinity)).close();
  await until("the connection is closed", () => server.names.length === 1 && server.open() === 0);
});

Deno.test("the time of dial() bounds the TLS handshake too", async () => {
  for (const insecureSkipVerify of [false, true]) {
    // It takes the ClientHello, and says nothing.
    await using upstream = ScriptedUpstream.start((peer) => peer.closed());
    const endpoint = parseEndpoint(upstream.url.replace("http:", "https:"), { insecureSkipVerify });
    const failure = await assertRejects(() => dial(endpoint, 200), TransportFailure);
    assertEquals(failure.kind, "connect_timeout");
    // The runtime's own TLS goes on with the handshake behind a connection that was closed, until the peer ends it.
    if (insecureSkipVerify) await until("the connection is closed", () => upstream.open === 0);
  }
});

Deno.test({
  name: "dial() of a unix socket connects, waits while its queue is full, and says which path is not there",
  ignore: Deno.build.os === "windows",
  async fn() {
    const folder = await Deno.makeTempDir();
    const path = `${folder}/a.sock`;
    const endpoint = parseEndpoint(`unix:${path}`);
    try {
      const missing = await assertRejects(() => dial(endpoint, 5000), TransportFailure);
      assertEquals([missing.kind, name(endpoint)], ["connect", `unix:${path}`]);
      assertStringIncludes(missing.message, `Cannot connect to unix:${path}: `);
      const listener = Deno.listen({ transport: "unix", path });
      const open: { close(): void }[] = [];
      let failure: unknown;
      // Nothing is accepted, so that its queue fills.
      while (failure === undefined) {
        const wire = await dial(endpoint, 300).catch((error) => {
          failure = error;
        });
        if (wire !== undefined) open.push(wire);
      }
      assertInstanceOf(failure, TransportFailure);
      assertEquals(failure.kind, "connect_timeout");
      let connected = false;
      const waiting = dial(endpoint, Infinity).then((wire) => {
        connected = true;
        open.push(wire);
      });
      while (!connected) {
        open.push(await listener.accept());
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      await waiting;
      for (const one of open) one.close();
      listener.close();
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

/** Sends `text`, and gives what comes back until as many bytes are there, with the end of the socket as the last word. */
function exchanged(socket: Socket, text: string, count: number): Promise<string> {
  return new Promise((resolve, reject) => {
    let got = "";
    socket.handler = {
      received(bytes, start, end) {
        got += new TextDecoder().decode(bytes.subarray(start, end));
        if (got.length === count) socket.end();
      },
      drained() {},
      ended() {
        socket.close();
        resolve(got + " ended");
      },
      failed: reject,
    };
    socket.write(new TextEncoder().encode(text), "lent");
    socket.resume();
  });
}

Deno.test("dial() gives a socket that is read once it is resumed, over TCP and unix sockets", async () => {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/a.sock`;
  const urls: [string, Deno.Listener][] = [];
  const tcp = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  urls.push([`http://127.0.0.1:${tcp.addr.port}`, tcp]);
  if (Deno.build.os !== "windows") urls.push([`unix:${path}`, Deno.listen({ transport: "unix", path })]);
  for (const [url, listener] of urls) {
    await using upstream = ScriptedUpstream.on(listener, async (peer) => {
      await peer.send("hello ");
      await peer.send((await peer.request())?.body.length.toString() ?? "nothing");
      await peer.closed();
    });
    const socket = await dial(parseEndpoint(url), Infinity);
    await until("it is accepted", () => upstream.open === 1);
    assertEquals(socket.remoteAddress, url.startsWith("unix") ? "" : "127.0.0.1");
    const request = "POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc";
    assertEquals(await within(5000, "the exchange", exchanged(socket, request, 7)), "hello 3 ended");
  }
  await Deno.remove(folder, { recursive: true });
});

Deno.test("dial() over TLS gives a socket, whether the certificate is verified or not", async () => {
  await using certificates = await Certificates.make("DNS:app.test");
  await using server = await tlsServer(certificates, (socket) => socket.pipe(socket));
  const caCertificates = [await Deno.readTextFile(certificates.caFile)];
  for (const tls of [{ caCertificates, serverName: "app.test" }, { insecureSkipVerify: true }]) {
    const endpoint = parseEndpoint(`https://127.0.0.1:${server.port}`, tls);
    const socket = await dial(endpoint, Infinity);
    assertEquals(socket.endUnproven, tls.insecureSkipVerify === true);
    assertEquals(await within(5000, "the exchange", exchanged(socket, "echo", 4)), "echo ended");
  }
  await until("all connections are closed", () => server.open() === 0);
});

Deno.test("dial() opens TCP and unix sockets by the chosen driver, and leaves TLS and names to the runtime", async () => {
  await using certificates = await Certificates.make("DNS:app.test");
  await using server = await tlsServer(certificates);
  await using upstream = ScriptedUpstream.start((peer) => peer.closed());
  const targets: ConnectTarget[] = [];
  useSocketDriver({
    ...runtimeDriver,
    connect(target, handler) {
      targets.push(target);
      return runtimeDriver.connect(target, handler);
    },
  });
  try {
    (await dial(parseEndpoint(upstream.url), Infinity)).close();
    const caCertificates = [await Deno.readTextFile(certificates.caFile)];
    const tls = { caCertificates, serverName: "app.test" };
    (await dial(parseEndpoint(`https://127.0.0.1:${server.port}`, tls), Infinity)).close();
    const opened = { address: "127.0.0.1", port: upstream.port };
    assertEquals(targets, [opened]);
    await assertRejects(() => dial(parseEndpoint("http://unknown.invalid"), 5000), TransportFailure);
    assertEquals(targets, [opened]);
    if (Deno.build.os !== "windows") {
      await assertRejects(() => dial(parseEndpoint("unix:/not/there"), 5000), TransportFailure);
      assertEquals(targets, [opened, { path: "/not/there" }]);
    }
  } finally {
    useSocketDriver(runtimeDriver);
  }
  await until("all connections are closed", () => server.open() === 0 && upstream.open === 0);
});
