// @ts-types="../../types/std/assert.d.ts"
import { assertEquals, assertStringIncludes } from "@std/assert";
import { until } from "../support/condition.ts";
import { Http2Upstream } from "../support/http2_upstream.ts";
import { LineProgram } from "../support/line_program.ts";
import { LoggedProxy } from "../support/logged_proxy.ts";
import { freePort } from "../support/port.ts";
import { exchange } from "../support/raw_client.ts";
import { RunningProxy } from "../support/running_proxy.ts";
import type { RunningProxyOptions } from "../support/running_proxy.ts";

/** What a call came to. */
interface CallOutcome {
  readonly code: number;
  readonly details: string;
  readonly replies: number[];
  readonly name?: string;
  readonly data: number[];
}

/** A client of gRPC that speaks with BWS. */
class GrpcClient {
  readonly #program: LineProgram;

  constructor(port: number) {
    this.#program = LineProgram.startOwn("grpc_program.ts", ["client", String(port)]);
  }

  /** Makes a call, with a message of so many bytes. */
  async call(name: string, size = 5, deadlineMs = 0): Promise<CallOutcome> {
    await this.#program.tell(`${name} ${size} ${deadlineMs}`);
    return JSON.parse(await this.#program.line());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#program[Symbol.asyncDispose]();
  }
}

async function startServer(): Promise<{ program: LineProgram; url: string }> {
  const program = LineProgram.startOwn("grpc_program.ts", ["server"]);
  return { program, url: `h2c://127.0.0.1:${await program.line()}` };
}

function proxyOf(url: string, options: Partial<RunningProxyOptions> = {}): Promise<LoggedProxy> {
  return LoggedProxy.start({ upstreams: [url], ...options });
}

Deno.test("calls of gRPC of all four kinds pass, with metadata, messages of 16 MB, errors, deadlines and cancels", async () => {
  const { program, url } = await startServer();
  await using _ = program;
  await using proxy = await proxyOf(url);
  await using client = new GrpcClient(proxy.port);
  const unary = await client.call("unary");
  assertEquals(unary, { code: 0, details: "OK", replies: [5, 65], name: "ann", data: [0, 255, 10] });
  assertEquals((await client.call("unary", 16_000_000)).replies, [16_000_000, 65]);
  assertEquals((await client.call("down")).replies, Array.from({ length: 100 }, () => 1));
  const up = await client.call("up", 1000);
  assertEquals([up.code, up.replies], [0, [5, 49]]);
  // The server's metadata come first, then a message at a time: nothing waits for anything else.
  const both = await client.call("both", 7);
  assertEquals([both.code, both.replies], [0, [7, 7, 7, 7, 7]]);
  const failed = await client.call("fail");
  assertEquals([failed.code, failed.details], [9, "not now, é"]);
  // Long enough for the call to reach the server, which is to be told.
  assertEquals((await client.call("hang", 1, 2000)).code, 4);
  assertEquals((await client.call("leave")).code, 1);
  let cancelled = 0;
  await until("both calls are cancelled", async () => {
    cancelled = (await client.call("cancelled")).replies[1];
    return cancelled === 2;
  });
});

Deno.test("a call that fails in the proxy is a response of Trailers-Only with the status of gRPC", async () => {
  const port = freePort();
  await using silent = Http2Upstream.start(async (peer) => {
    while (await peer.request() !== undefined);
  });
  await using proxy = await proxyOf("", {
    upstreams: [{ url: `h2c://127.0.0.1:${port}` }],
    proxy: {
      upstreams: [{ name: "gone", url: `h2c://127.0.0.1:${port}` }, { name: "silent", url: silent.url }],
      routes: [
        { path: "/test.Test/Unary", upstream: "gone" },
        { path: "/test.Test/Hang", upstream: "silent" },
        { path: "/test.Test/Up", upstream: "silent", max_body_size: 100 },
      ],
      timeout: { read: "200ms" },
      retries: { attempts: 1 },
    },
  });
  await using client = new GrpcClient(proxy.port);
  const gone = await client.call("unary");
  assertEquals([gone.code, gone.details], [14, "Bad Gateway"]);
  assertStringIncludes(String((await proxy.accessLine("/test.Test/Unary")).cause), "Cannot connect");
  assertEquals((await client.call("hang")).code, 4, "a timeout");
  assertEquals((await client.call("up", 1000)).code, 8, "a body that is too large");
  assertEquals((await client.call("fail")).code, 12, "no route");
});

Deno.test("gRPC-Web passes over HTTP/1.1, and failures of the proxy are told in its way", async () => {
  const message = "\0\0\0\0\x05hello";
  const answer = "\0\0\0\0\x02ok\x80\0\0\0\x10grpc-status: 0\r\n";
  await using upstream = Http2Upstream.start(async (peer) => {
    for (let request = await peer.request(); request !== undefined; request = await peer.request()) {
      const { streamId, fields } = request;
      assertEquals(fields["content-type"], "application/grpc-web+proto");
      assertEquals(String.fromCharCode(...await peer.body(streamId)), message);
      await peer.respond(streamId, [":status", "200", "content-type", "application/grpc-web+proto"], answer);
    }
  });
  await using proxy = await RunningProxy.start({
    upstreams: [upstream.url],
    proxy: {
      upstreams: [{ name: "app", url: upstream.url }, { name: "gone", url: `h2c://127.0.0.1:${freePort()}` }],
      routes: [{ path: "/", upstream: "app" }, { path: "/gone", upstream: "gone" }],
    },
  });
  const ask = (path: string) =>
    exchange(
      proxy.port,
      `POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Type: application/grpc-web+proto\r\nContent-Length: 10\r\n\r\n${message}`,
      "POST",
    );
  const response = await ask("/test.Test/Unary");
  assertEquals(String.fromCharCode(...response.body), answer);
  const failed = await ask("/gone");
  assertEquals([failed.firstLine, failed.body.length], ["HTTP/1.1 200 OK", 0]);
  assertStringIncludes(failed.head, "content-type: application/grpc-web+proto\r\ngrpc-status: 14\r\n");
});

Deno.test("an upstream is probed by the gRPC health protocol: of the server, or of a service", async () => {
  const { program, url } = await startServer();
  await using _ = program;
  const verdicts: Record<string, string> = {};
  for (const service of ["", "well", "ill", "unknown"]) {
    await using proxy = await proxyOf(url, {
      proxy: {
        health_check: {
          ...{ kind: "grpc", interval: "50ms", initial: "unhealthy", healthy_after: 1, unhealthy_after: 1 },
          ...(service === "" ? {} : { service }),
        },
      },
    });
    const found = () => proxy.lines.find(({ message }) => /^upstream (?:un)?healthy$/.test(String(message)));
    await until(`a verdict on ${service}`, () => found() !== undefined);
    verdicts[service] = String(found()?.reason ?? found()?.message);
  }
  assertEquals(verdicts, {
    "": "upstream healthy",
    well: "upstream healthy",
    ill: 'grpc.health.v1.Health/Check of ill says that service "ill" is NOT_SERVING, expected SERVING',
    unknown: "grpc.health.v1.Health/Check of unknown got grpc-status 5 (no such service), expected 0",
  });
});

Deno.test("an upstream of h2c:// is probed by a request over HTTP/2; one that does not speak it is unhealthy", async () => {
  await using upstream = Http2Upstream.answering(({ fields }) => `${fields[":method"]} ${fields[":path"]}`);
  await using other = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  (async () => {
    for await (const conn of other) {
      conn.write(new TextEncoder().encode("HTTP/1.1 400 Bad Request\r\n\r\n")).catch(() => {}).finally(() =>
        conn.close()
      );
    }
  })();
  const check = { path: "/health", expect_body: "GET /health", interval: "50ms", initial: "unhealthy" as const };
  await using proxy = await RunningProxy.start({
    upstreams: [upstream.url, `h2c://127.0.0.1:${other.addr.port}`],
    proxy: { health_check: { ...check, unhealthy_after: 1 } },
  });
  await until("the first is healthy", () => proxy.upstreams[0].available);
  await until("the second is not", () => proxy.upstreams[1].state === "unhealthy");
});
