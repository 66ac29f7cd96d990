// @ts-types="../../../types/std/assert.d.ts"
import { assert, assertEquals, assertGreaterOrEqual, assertLess, assertMatch } from "@std/assert";
import { type Endpoint, parseEndpoint } from "../../../lib/sockets/endpoint.ts";
import type { HealthCheckConfig } from "../../../lib/upstream/config/health_check_schema.ts";
import type { HealthCheck } from "../../../lib/upstream/health/health_check.ts";
import { probe, type ProbeOptions } from "../../../lib/upstream/health/probe.ts";
import { Certificates } from "../../support/certificates.ts";
import { until, within } from "../../support/condition.ts";
import { header } from "../../support/message_reader.ts";
import { freePort } from "../../support/port.ts";
import { answerOf, ScriptedUpstream, type UpstreamScript } from "../../support/scripted_upstream.ts";
import { checkOf } from "./probed_upstream.ts";

/** "healthy", or why not. */
async function found(at: string | Endpoint, check: HealthCheck, options?: ProbeOptions): Promise<string> {
  const endpoint = typeof at === "string" ? parseEndpoint(at) : at;
  const result = await within(10_000, "a probe ends", probe(endpoint, check, options));
  return result.healthy ? "healthy" : result.reason;
}

/** What a probe finds of an upstream that does this, after which nothing may be open any more. */
async function foundOf(script: UpstreamScript, changes: Partial<HealthCheckConfig> = {}): Promise<string> {
  await using upstream = ScriptedUpstream.start(script);
  const verdict = await found(upstream.url, checkOf(changes));
  await until("the probe's connection is closed", () => upstream.open === 0);
  return verdict;
}

/** An upstream that sends this and then waits for the end. */
function saying(...pieces: string[]): UpstreamScript {
  return async (peer) => {
    await peer.request();
    for (const piece of pieces) await peer.send(piece);
    await peer.closed();
  };
}

/** Short, and long enough for what an upstream sends before it is silent. */
const SHORT = { timeout: 400 };

Deno.test("probe() sends one request below the base path, on a connection that it closes", async () => {
  await using upstream = ScriptedUpstream.answering(answerOf("fine"));
  const result = await probe(parseEndpoint(`${upstream.url}/base/`), checkOf({ path: "/ü?deep=1" }));
  assert(result.healthy);
  assertGreaterOrEqual(result.tookMs, 0);
  assertLess(result.tookMs, 5000);
  const [request] = upstream.requests;
  assertEquals(request.firstLine, "GET /base/%C3%BC?deep=1 HTTP/1.1");
  assertEquals(request.headers, [
    ["host", `127.0.0.1:${upstream.port}`],
    ["user-agent", "bws-probe"],
    ["accept", "*/*"],
    ["connection", "close"],
  ]);
  await until("the connection is closed", () => upstream.open === 0);
  assertEquals(upstream.connections, 1);
});

Deno.test("probe() sends the check's header lines in place of its own", async () => {
  await using upstream = ScriptedUpstream.answering(answerOf("fine"));
  const headers = { Host: "app.test", "User-Agent": "watch", "X-Key": "1" };
  assertEquals(await found(upstream.url, checkOf({ method: "POST", headers })), "healthy");
  const [request] = upstream.requests;
  assertEquals(request.firstLine, "POST /health HTTP/1.1");
  assertEquals(request.headers, [
    ["accept", "*/*"],
    ["content-length", "0"],
    ["Host", "app.test"],
    ["User-Agent", "watch"],
    ["X-Key", "1"],
    ["connection", "close"],
  ]);
});

Deno.test("probe() goes to the check's port, and says Host as ever", async () => {
  await using upstream = ScriptedUpstream.answering(answerOf("fine"));
  assertEquals(await found("http://127.0.0.1:9", checkOf({ port: upstream.port })), "healthy");
  assertEquals(header(upstream.requests[0], "host"), "127.0.0.1:9");
});

Deno.test("probe() takes 200 to 399 for healthy, and follows no redirect", async () => {
  const answers = (status: number) => saying(`HTTP/1.1 ${status} X\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n`);
  assertEquals(await foundOf(answers(204)), "healthy");
  assertEquals(await foundOf(answers(302)), "healthy");
  assertEquals(await foundOf(answers(404)), "GET /health got 404, expected 200 to 399");
  const reason = await foundOf(answers(503), { path: "/health?key=secret", expect_status: [[200, 299], [404, 404]] });
  assertEquals(reason, "GET /health got 503, expected 200 to 299 or 404");
});

Deno.test("probe() judges by status alone and waits for no body, where no body is expected", async () => {
  assertEquals(await foundOf(saying("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")), "healthy");
});

Deno.test("probe() passes over interim responses", async () => {
  assertEquals(await foundOf(saying("HTTP/1.1 103 Early Hints\r\n\r\n", answerOf("ok"))), "healthy");
});

Deno.test("probe() finds text in a body with a length, in chunks, and until the end", async () => {
  const check = { expect_body: "all good" };
  assertEquals(await foundOf(saying(answerOf("now all good")), check), "healthy");
  const chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nall \r\n";
  assertEquals(await foundOf(saying(chunked, "4\r\ngood\r\n0\r\n\r\n"), check), "healthy");
  const ended: UpstreamScript = async (peer) => {
    await peer.request();
    await peer.send("HTTP/1.1 200 OK\r\n\r\nall good");
  };
  assertEquals(await foundOf(ended, check), "healthy");
});

Deno.test("probe() says what the body lacks", async () => {
  const of = (expected: string, method = "GET") => foundOf(saying(answerOf("bad")), { expect_body: expected, method });
  assertEquals(await of("ok"), 'GET /health got 200, but the body does not hold "ok"');
  assertEquals(await of("(?i)^ok$"), "GET /health got 200, but the body does not match /(?i)^ok$/");
  assertEquals(await of("bad", "HEAD"), 'HEAD /health got 200, but the body does not hold "bad"');
  assertEquals([await of("^ba"), await of("b.d$")], ["healthy", "healthy"]);
});

Deno.test("probe() looks at the first 64 KiB of a body", async () => {
  const filler = "x".repeat(64 * 1024);
  const endless: UpstreamScript = async (peer) => {
    await peer.request();
    await peer.send("HTTP/1.1 200 OK\r\n\r\nfirst");
    while (await peer.send(filler));
  };
  assertEquals(await foundOf(endless, { expect_body: "^first" }), "healthy");
  const reason = 'GET /health got 200, but the body does not hold "last"';
  assertEquals(await foundOf(endless, { expect_body: "last" }), reason);
  assertEquals(await foundOf(saying(answerOf(filler + "last")), { expect_body: "last" }), reason);
});

Deno.test("probe() of kind tcp only connects", async () => {
  let received = "";
  const listens: UpstreamScript = async (peer) => {
    await peer.closed();
    received = peer.reader.rest;
  };
  assertEquals(await foundOf(listens, { kind: "tcp" }), "healthy");
  assertEquals(received, "");
});

Deno.test("probe() says who refuses a connection", async () => {
  const port = freePort();
  for (const kind of ["tcp", "http"] as const) {
    assertMatch(
      await found("http://127.0.0.1:9", checkOf({ kind, port })),
      new RegExp(`^cannot connect to 127\\.0\\.0\\.1:${port}: .*refused`),
    );
  }
});

Deno.test("probe() reaches unix sockets, and says when there is none", async () => {
  const folder = await Deno.makeTempDir({ prefix: "bws-probe-" });
  try {
    const path = `${folder}/app.sock`;
    {
      await using _upstream = ScriptedUpstream.on(
        Deno.listen({ transport: "unix", path }) as unknown as Deno.Listener,
        (peer) => peer.serve(() => answerOf("fine")),
      );
      assertEquals(await found(`unix:${path}`, checkOf()), "healthy");
    }
    assertMatch(await found(`unix:${folder}/none.sock`, checkOf()), /^cannot connect to unix:.*none\.sock: /);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("probe() gives up an upstream that says nothing", async () => {
  assertEquals(await foundOf(saying(), SHORT), "GET /health got no response within 400 ms");
});

Deno.test("probe() gives up half a head, and one that trickles", async () => {
  const reason = "the head of the response to GET /health did not end within 400 ms";
  assertEquals(await foundOf(saying("HTTP/1.1 200 OK\r\nServ"), SHORT), reason);
  const trickle: UpstreamScript = async (peer) => {
    await peer.request();
    await peer.send("HTTP/1.1 200 OK\r\nx: ");
    while (await peer.send("y")) await new Promise((resolve) => setTimeout(resolve, 5));
  };
  assertEquals(await foundOf(trickle, SHORT), reason);
});

Deno.test("probe() gives up a body that stalls, where it is looked at", async () => {
  assertEquals(
    await foundOf(saying("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nok"), {
      ...SHORT,
      expect_body: "ok",
    }),
    "the body of the response to GET /health did not end within 400 ms",
  );
});

Deno.test("probe() does not swallow an endless head", async () => {
  const endless: UpstreamScript = async (peer) => {
    await peer.request();
    await peer.send("HTTP/1.1 200 OK\r\n");
    while (await peer.send(`x: ${"y".repeat(8000)}\r\n`));
  };
  assertEquals(
    await foundOf(endless),
    "GET /health failed: the upstream's response is not HTTP/1.1: its head is larger than 65536 bytes",
  );
});

Deno.test("probe() says how an upstream broke off", async () => {
  const sends = (text: string): UpstreamScript => async (peer) => {
    await peer.request();
    await peer.send(text);
  };
  const closed = "GET /health failed: the upstream closed the connection";
  assertEquals(await foundOf(sends("")), `${closed} before it responded`);
  assertEquals(await foundOf(sends("HTTP/1.1 20")), `${closed} within its response's head`);
  assertEquals(
    await foundOf(sends("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok"), { expect_body: "ok" }),
    `${closed} within its response's body`,
  );
  assertMatch(await foundOf(sends("SSH-2.0-OpenSSH_9.6\r\n\r\n")), /^GET \/health failed: .* its first line is "SSH-2/);
});

Deno.test("probe() says that an upstream reset the connection", async () => {
  // Closed with bytes unread: the system answers with a reset.
  const reset: UpstreamScript = () => Promise.resolve();
  assertMatch(
    await foundOf(reset),
    /^GET \/health failed: the upstream closed .*(before it responded|while it was sent to)/,
  );
});

Deno.test("probe() ends at once when it is broken off", async () => {
  await using upstream = ScriptedUpstream.start(saying());
  const stop = new AbortController();
  const check = checkOf({ timeout: 60_000 });
  const verdict = found(upstream.url, check, { signal: stop.signal });
  await until("the request is there", () => upstream.requests.length === 1);
  stop.abort();
  assertEquals(await verdict, "the probe was broken off");
  await until("the connection is closed", () => upstream.open === 0);
  assertEquals(await found(upstream.url, check, { signal: stop.signal }), "the probe was broken off");
  assertEquals(upstream.connections, 1);
});

Deno.test("probe() leaves no socket, whenever it is broken off", async () => {
  await using upstream = ScriptedUpstream.start((peer) => peer.closed());
  for (let i = 0; i < 300; i++) {
    const stop = new AbortController();
    const verdicts = [1, 2, 3].map(() => found(upstream.url, checkOf(), { signal: stop.signal }));
    // In several places about the moment in which it connects.
    if (i % 2 === 0) await new Promise((resolve) => setTimeout(resolve, 0));
    stop.abort();
    await Promise.all(verdicts);
  }
  await until("all connections are closed", () => upstream.open === 0);
});

Deno.test("probe() lets go of the socket when it is broken off while it connects", async () => {
  await using upstream = ScriptedUpstream.start((peer) => peer.closed());
  const stop = new AbortController();
  const https = upstream.url.replace("http:", "https:");
  const verdict = found(https, checkOf({ timeout: 60_000 }), { signal: stop.signal, checkTlsFirst: true });
  await until("the connection is there", () => upstream.open === 1);
  stop.abort();
  assertEquals(await verdict, "the probe was broken off");
  await until("the connection is closed", () => upstream.open === 0);
});

Deno.test("probe() of an https upstream shakes hands, whatever its kind", async () => {
  await using certificates = await Certificates.make("IP:127.0.0.1");
  const trusting = { caCertificates: [await Deno.readTextFile(certificates.caFile)] };
  const { cert, key } = certificates;
  const listener = Deno.listenTls({ hostname: "127.0.0.1", port: 0, cert, key });
  const { port } = listener.addr;
  const peers: Deno.TlsConn[] = [];
  const accepting = (async () => {
    for await (const conn of listener) {
      peers.push(conn);
      // It answers whatever comes; a handshake that the probe gives up fails here.
      conn.read(new Uint8Array(1024)).then((read) =>
        read === null ? 0 : conn.write(new TextEncoder().encode(answerOf("ok")))
      ).catch(() => {});
    }
  })();
  try {
    const at = (tls: Endpoint["tls"]) => parseEndpoint(`https://127.0.0.1:${port}`, tls);
    for (const kind of ["http", "tcp"] as const) {
      assertEquals(await found(at(trusting), checkOf({ kind })), "healthy");
      assertEquals(await found(at(trusting), checkOf({ kind }), { checkTlsFirst: true }), "healthy");
      assertEquals(await found(at({ insecureSkipVerify: true }), checkOf({ kind })), "healthy");
      assertMatch(await found(at({}), checkOf({ kind })), /^cannot connect to 127\.0\.0\.1:\d+: .*certificate/);
    }
  } finally {
    listener.close();
    await accepting;
    for (const peer of peers) peer.close();
  }
});

Deno.test("probe() of an https upstream that is plain says so", async () => {
  const plain: UpstreamScript = async (peer) => {
    await peer.send("HTTP/1.1 400 Bad Request\r\n\r\n");
    await peer.closed();
  };
  await using upstream = ScriptedUpstream.start(plain);
  assertMatch(await found(upstream.url.replace("http:", "https:"), checkOf()), /^cannot connect to 127\.0\.0\.1:\d+: /);
});

Deno.test("probe() that checks TLS first leaves no socket with an upstream that says nothing of TLS", async () => {
  await using upstream = ScriptedUpstream.start((peer) => peer.closed());
  const endpoint = parseEndpoint(upstream.url.replace("http:", "https:"));
  for (let i = 0; i < 3; i++) {
    assertEquals(await probe(endpoint, checkOf(SHORT), { checkTlsFirst: true }), {
      healthy: false,
      reason: `no connection to 127.0.0.1:${upstream.port} within 400 ms`,
      unconnected: true,
    });
  }
  await until("all connections are closed", () => upstream.open === 0);
  assertEquals(upstream.connections, 3);
});
