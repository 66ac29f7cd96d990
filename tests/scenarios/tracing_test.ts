// @ts-types="../../types/std/assert.d.ts"
import { assert, assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { BwsProcess } from "../cli/bws_process.ts";
import { FramePeer, SocketUpstream } from "../support/frame_peer.ts";
import { header, statusOf } from "../support/message_reader.ts";
import { OtlpReceiver, type ReceivedSpan } from "../support/otlp_receiver.ts";
import { exchange, get, RawClient } from "../support/raw_client.ts";
import { deadPort } from "../support/replying_upstream.ts";
import { answerOf, ScriptedUpstream } from "../support/scripted_upstream.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const CALLER = "b7ad6b7169203331";
const RECORDED = `traceparent: 00-${TRACE}-${CALLER}-01\r\ntracestate: vendor=1\r\n`;

/** BWS in a process of its own that exports its traces. */
class TracedBws {
  readonly port: number;
  readonly #process: BwsProcess;
  readonly #folder: string;

  private constructor(process: BwsProcess, folder: string, port: number) {
    this.#process = process;
    this.#folder = folder;
    this.port = port;
  }

  /** Starts one with a site for these upstreams. */
  static async start(
    upstreams: readonly string[],
    { env, server = "", proxy = "" }: TracedOptions,
  ): Promise<TracedBws> {
    const folder = await Deno.makeTempDir();
    const lines = ["[server]", server, "[[sites]]", 'name = "shop"', 'listen = "127.0.0.1"', "port = 0"];
    lines.push("[sites.proxy]", "[[sites.proxy.routes]]", 'path = "/api"', 'upstream = "app"', "websocket = true");
    for (const url of upstreams) lines.push("[[sites.proxy.upstreams]]", 'name = "app"', `url = "${url}"`);
    await Deno.writeTextFile(`${folder}/config.toml`, [...lines, proxy, ""].join("\n"));
    const process = new BwsProcess(["run", `${folder}/config.toml`], { env });
    const [, port] = await process.until(/listening on http:\/\/\S+:(\d+)/);
    return new TracedBws(process, folder, Number(port));
  }

  /** Stops it in order, so that it exports all that it has. */
  async stop(): Promise<void> {
    this.#process.signal("SIGTERM");
    await this.#process.ended();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process[Symbol.asyncDispose]();
    await Deno.remove(this.#folder, { recursive: true });
  }
}

interface TracedOptions {
  env: Record<string, string>;
  /** Lines of `[server]`. */
  server?: string;
  /** What follows in the config. */
  proxy?: string;
}

function ofServer({ kind }: ReceivedSpan): boolean {
  return kind === "server";
}

function answering(): ScriptedUpstream {
  return ScriptedUpstream.answering(answerOf("hello"));
}

Deno.test("A traced exchange has one span of kind server, and one of kind client below it, which the upstream gets in traceparent", async () => {
  await using receiver = OtlpReceiver.start();
  await using upstream = answering();
  await using bws = await TracedBws.start([upstream.url], receiver);
  const answer = await exchange(bws.port, get("/api/x?y=1", "User-Agent: probe\r\n"));
  assertEquals(statusOf(answer), 200);
  await bws.stop();
  const server = await receiver.span("the exchange", ofServer);
  assertEquals(server.attributes, {
    "http.request.method": "GET",
    "url.scheme": "http",
    "url.path": "/api/x",
    "url.query": "y=1",
    "server.address": "site.test",
    "client.address": "127.0.0.1",
    "user_agent.original": "probe",
    "http.route": "/api",
    "http.response.status_code": 200,
    "bws.site": "shop",
    "bws.request_id": header(answer, "x-request-id") ?? "",
    "bws.attempts": 1,
  });
  assertEquals([server.name, server.scope, server.parentSpanId, server.status], ["GET /api", "bws", "", "unset"]);
  const [client, ...others] = receiver.below(server);
  assertEquals(others, []);
  assertEquals([client.name, client.kind, client.traceId, client.status], ["GET", "client", server.traceId, "unset"]);
  assertEquals(client.attributes, {
    "http.request.method": "GET",
    "url.full": `${upstream.url}/api/x?y=1`,
    "server.address": "127.0.0.1",
    "server.port": upstream.port,
    "http.response.status_code": 200,
  });
  assertEquals(header(upstream.requests[0], "traceparent"), `00-${client.traceId}-${client.spanId}-01`);
  assertEquals(receiver.spans.length, 2);
});

Deno.test("A client's trace goes on, with its state, even where the client's Connection names its fields", async () => {
  await using receiver = OtlpReceiver.start();
  await using upstream = answering();
  await using bws = await TracedBws.start([upstream.url], receiver);
  await exchange(bws.port, get("/api/x", RECORDED));
  await exchange(bws.port, get("/api/y", RECORDED + "Connection: traceparent\r\n"));
  await bws.stop();
  const server = await receiver.span("/api/x", (span) => ofServer(span) && span.attributes["url.path"] === "/api/x");
  assertEquals([server.traceId, server.parentSpanId], [TRACE, CALLER]);
  for (const request of upstream.requests) {
    const [, version, traceId, spanId] = /^(00)-(\w{32})-(\w{16})-01$/.exec(header(request, "traceparent") ?? "") ?? [];
    assertEquals([version, traceId], ["00", TRACE]);
    assert(receiver.spans.some((span) => span.kind === "client" && span.spanId === spanId));
    assertEquals(header(request, "tracestate"), "vendor=1");
  }
});

Deno.test("A trace that the client does not record is not recorded, and passes as it came", async () => {
  await using receiver = OtlpReceiver.start();
  await using upstream = answering();
  await using bws = await TracedBws.start([upstream.url], receiver);
  await exchange(bws.port, get("/api/x", RECORDED.replace("-01\r\n", "-00\r\n")));
  await bws.stop();
  assertEquals(header(upstream.requests[0], "traceparent"), `00-${TRACE}-${CALLER}-00`);
  assertEquals(header(upstream.requests[0], "tracestate"), "vendor=1");
  assertEquals(receiver.spans, []);
});

Deno.test("OTEL_TRACES_SAMPLER decides where it is set, and the upstream gets its decision", async () => {
  for (const [sampler, flags, count] of [["always_on", "01", 2], ["always_off", "00", 0]] as const) {
    await using receiver = OtlpReceiver.start();
    await using upstream = answering();
    const env = { ...receiver.env, OTEL_TRACES_SAMPLER: sampler };
    await using bws = await TracedBws.start([upstream.url], { env });
    await exchange(bws.port, get("/api/x", RECORDED.replace("-01\r\n", "-00\r\n")));
    await bws.stop();
    assertMatch(header(upstream.requests[0], "traceparent") ?? "", new RegExp(`^00-${TRACE}-\\w{16}-${flags}$`));
    assertEquals(receiver.spans.length, count);
  }
});

Deno.test("A broken traceparent begins a new trace, and its state goes no further", async () => {
  await using receiver = OtlpReceiver.start();
  await using upstream = answering();
  await using bws = await TracedBws.start([upstream.url], receiver);
  await exchange(bws.port, get("/api/x", RECORDED.replace("00-", "zz-")));
  await bws.stop();
  const server = await receiver.span("the exchange", ofServer);
  assertEquals(server.parentSpanId, "");
  assertNotEquals(server.traceId, TRACE);
  assertMatch(header(upstream.requests[0], "traceparent") ?? "", new RegExp(`^00-${server.traceId}-`));
  assertEquals(header(upstream.requests[0], "tracestate"), undefined);
});

Deno.test("OTEL_PROPAGATORS=none: client's fields pass as they came, and spans are of a trace of their own", async () => {
  await using receiver = OtlpReceiver.start();
  await using upstream = answering();
  await using bws = await TracedBws.start([upstream.url], { env: { ...receiver.env, OTEL_PROPAGATORS: "none" } });
  await exchange(bws.port, get("/api/x", RECORDED));
  await bws.stop();
  assertNotEquals((await receiver.span("the exchange", ofServer)).traceId, TRACE);
  assertEquals(header(upstream.requests[0], "traceparent"), `00-${TRACE}-${CALLER}-01`);
  assertEquals(header(upstream.requests[0], "tracestate"), "vendor=1");
});

Deno.test("A retry over two upstreams is two spans below that of the exchange, which is no error", async () => {
  await using receiver = OtlpReceiver.start();
  await using upstream = answering();
  const proxy = `[sites.proxy.load_balancing]\nmethod = "first"`;
  const dead = deadPort();
  await using bws = await TracedBws.start([`http://127.0.0.1:${dead}`, upstream.url], { env: receiver.env, proxy });
  assertEquals(statusOf(await exchange(bws.port, get("/api/x"))), 200);
  await bws.stop();
  const server = await receiver.span("the exchange", ofServer);
  assertEquals([server.status, server.attributes["error.type"], server.attributes["bws.attempts"]], [
    "unset",
    undefined,
    2,
  ]);
  const [first, second] = receiver.below(server);
  assertEquals([first.status, first.attributes["error.type"], first.attributes["server.port"]], [
    "error",
    "connect",
    dead,
  ]);
  assertEquals(first.attributes["http.request.resend_count"], undefined);
  assertEquals([second.status, second.attributes["http.response.status_code"]], ["unset", 200]);
  assertEquals(second.attributes["http.request.resend_count"], 1);
  assertEquals(header(upstream.requests[0], "traceparent"), `00-${server.traceId}-${second.spanId}-01`);
});

Deno.test("An upstream that fails makes both spans errors, with what kind of failure it was", async () => {
  await using receiver = OtlpReceiver.start();
  await using upstream = ScriptedUpstream.answering("nonsense\r\n\r\n");
  await using bws = await TracedBws.start([upstream.url], receiver);
  assertEquals(statusOf(await exchange(bws.port, get("/api/x"))), 502);
  await bws.stop();
  const server = await receiver.span("the exchange", ofServer);
  assertEquals([server.name, server.status, server.attributes["error.type"]], ["GET /api", "error", "502"]);
  assertEquals(server.attributes["http.response.status_code"], 502);
  const [client] = receiver.below(server);
  assertEquals([client.status, client.attributes["error.type"]], ["error", "malformed"]);
});

Deno.test("A response that breaks off is an error, though its status was 200", async () => {
  await using receiver = OtlpReceiver.start();
  const passedOn = Promise.withResolvers<void>();
  await using upstream = ScriptedUpstream.start(async (peer) => {
    await peer.request();
    await peer.send("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\nsome");
    await passedOn.promise;
  });
  await using bws = await TracedBws.start([upstream.url], receiver);
  using client = await RawClient.connect(bws.port);
  await client.send(get("/api/x"));
  await client.reader.head();
  passedOn.resolve();
  await client.reader.end();
  await bws.stop();
  const server = await receiver.span("the exchange", ofServer);
  assertEquals([server.status, server.attributes["error.type"]], ["error", "closed_in_body"]);
  assertEquals(server.attributes["http.response.status_code"], 200);
  assertEquals(receiver.below(server).map(({ status }) => status), ["error"]);
});

Deno.test("A client that leaves ends both spans, and is no error of the server", async () => {
  await using receiver = OtlpReceiver.start();
  const asked = Promise.withResolvers<void>();
  await using upstream = ScriptedUpstream.start(async (peer) => {
    await peer.request();
    asked.resolve();
    await peer.closed();
  });
  await using bws = await TracedBws.start([upstream.url], receiver);
  const client = await RawClient.connect(bws.port);
  await client.send(get("/api/x"));
  await asked.promise;
  client.close();
  const server = await receiver.span("the exchange", ofServer);
  assertEquals([server.status, server.attributes["error.type"]], ["unset", "client_left"]);
  assertEquals(server.attributes["http.response.status_code"], 499);
  const attempts = receiver.below(server).map(({ status, attributes }) => [status, attributes["error.type"]]);
  assertEquals(attempts, [["unset", "client_left"]]);
});

Deno.test("A client that leaves within the response ends both spans, and is no error either", async () => {
  await using receiver = OtlpReceiver.start();
  await using upstream = ScriptedUpstream.start(async (peer) => {
    await peer.request();
    await peer.send("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\nsome");
    await peer.closed();
  });
  await using bws = await TracedBws.start([upstream.url], receiver);
  const client = await RawClient.connect(bws.port);
  await client.send(get("/api/x"));
  await client.reader.head();
  client.close();
  const server = await receiver.span("the exchange", ofServer);
  assertEquals([server.status, server.attributes["error.type"]], ["unset", "client_left"]);
  const attempts = receiver.below(server).map(({ status, attributes }) => [status, attributes["error.type"]]);
  assertEquals(attempts, [["unset", "client_left"]]);
});

Deno.test("The spans of a WebSocket end when the socket does", async () => {
  await using receiver = OtlpReceiver.start();
  await using upstream = SocketUpstream.echoing();
  await using bws = await TracedBws.start([upstream.url], receiver);
  const peer = await FramePeer.connect(bws.port, "/api/socket", RECORDED);
  await peer.send(1, "over it");
  await peer.data();
  // An exchange after it: what the socket's spans had to say is out before these are.
  await exchange(bws.port, get("/none"));
  await receiver.span("the other exchange", ({ attributes }) => attributes["url.path"] === "/none");
  assertEquals(receiver.spans.length, 1);
  await peer.send(8, new Uint8Array([3, 232]));
  await peer.data();
  peer.close();
  const server = await receiver.span("the socket", ({ attributes }) => attributes["bws.websocket.close_code"] === 1000);
  await bws.stop();
  assertEquals([server.name, server.status, server.parentSpanId], ["GET /api", "unset", CALLER]);
  assertEquals(server.attributes["http.response.status_code"], 101);
  const [client] = receiver.below(server);
  assertEquals([client.kind, client.status, client.attributes["http.response.status_code"]], ["client", "unset", 101]);
  assertEquals(header(upstream.heads[0], "traceparent"), `00-${TRACE}-${client.spanId}-01`);
  assertEquals(receiver.spans.length, 3);
});

Deno.test("What belongs to no route, or is refused, has its span too, and a name of few words", async () => {
  await using receiver = OtlpReceiver.start();
  await using upstream = answering();
  await using bws = await TracedBws.start([upstream.url], receiver);
  await exchange(bws.port, get("/none"));
  await exchange(bws.port, "BREW /api/pot HTTP/1.1\r\nHost: a.test:81\r\nContent-Length: 0\r\n\r\n");
  await exchange(bws.port, "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n");
  await bws.stop();
  const spans = receiver.spans.filter(ofServer);
  assertEquals(spans.map(({ name }) => name).toSorted(), ["GET", "GET", "HTTP /api"]);
  assertEquals(spans.map(({ status }) => status), ["unset", "unset", "unset"]);
  assertEquals(spans.map(({ attributes }) => attributes["http.response.status_code"]).toSorted(), [200, 400, 404]);
  const brew = spans.find(({ name }) => name === "HTTP /api");
  assertEquals(brew?.attributes["http.request.method"], "_OTHER");
  assertEquals(brew?.attributes["http.request.method_original"], "BREW");
  assertEquals(brew?.attributes["server.port"], 81);
});

Deno.test("Workers export their spans", async () => {
  await using receiver = OtlpReceiver.start();
  await using upstream = answering();
  await using bws = await TracedBws.start([upstream.url], { env: receiver.env, server: "workers = 2" });
  for (let n = 0; n < 6; n++) await exchange(bws.port, get(`/api/${n}`, "Connection: close\r\n"));
  await bws.stop();
  const servers = receiver.spans.filter(ofServer);
  assertEquals(
    servers.map(({ attributes }) => attributes["url.path"]).toSorted(),
    [0, 1, 2, 3, 4, 5].map((n) => `/api/${n}`),
  );
  assertEquals(servers.flatMap((server) => receiver.below(server)).length, 6);
  assertEquals(receiver.spans.length, 12);
});

Deno.test("Without OTEL_DENO, a client's traceparent passes as it came, and nothing is exported", async () => {
  await using receiver = OtlpReceiver.start();
  await using upstream = answering();
  await using bws = await TracedBws.start([upstream.url], { env: { ...receiver.env, OTEL_DENO: "false" } });
  await exchange(bws.port, get("/api/x", RECORDED));
  await bws.stop();
  assertEquals(header(upstream.requests[0], "traceparent"), `00-${TRACE}-${CALLER}-01`);
  assertEquals(receiver.spans, []);
});

Deno.test("Within another program, an exchange is part of that program's span", async () => {
  await using receiver = OtlpReceiver.start();
  await using upstream = answering();
  const module = await Deno.makeTempFile({ suffix: ".ts" });
  await Deno.writeTextFile(
    module,
    `import { createHandler } from "@bws/bws";
    const upstreams = [{ name: "app", url: ${JSON.stringify(upstream.url)} }];
    const handler = createHandler({ sites: [{ proxy: { upstreams, routes: [{ path: "/api", upstream: "app" }] } }] });
    Deno.serve({ port: 0, hostname: "127.0.0.1" }, handler);
    Deno.addSignalListener("SIGTERM", () => Deno.exit(0));`,
  );
  await using bws = new BwsProcess([], { module, env: receiver.env });
  const [, port] = await bws.until(/http:\/\/127\.0\.0\.1:(\d+)/);
  await exchange(Number(port), get("/api/x", RECORDED));
  bws.signal("SIGTERM");
  await bws.ended();
  await Deno.remove(module);
  const server = await receiver.span("the program's server", ofServer);
  assertEquals([server.scope, server.parentSpanId], ["deno", CALLER]);
  const [internal, ...others] = receiver.below(server);
  assertEquals(others, []);
  assertEquals([internal.name, internal.kind, internal.scope], ["GET /api", "internal", "bws"]);
  const [client] = receiver.below(internal);
  assertEquals(header(upstream.requests[0], "traceparent"), `00-${TRACE}-${client.spanId}-01`);
  assertEquals(header(upstream.requests[0], "tracestate"), "vendor=1");
});
