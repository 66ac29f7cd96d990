// @ts-types="../../types/std/assert.d.ts"
import { assert, assertEquals, assertRejects } from "@std/assert";
import type { ConfigInput } from "../../lib/generation/config/config_types.ts";
import { resolveConfig } from "../../lib/generation/config/resolve_config.ts";
import { Generation } from "../../lib/generation/generation.ts";
import type { BodySource } from "../../lib/http/body.ts";
import { BodyReader } from "../../lib/http/body_reader.ts";
import type { HttpResponse, RequestHead } from "../../lib/http/message.ts";
import { streamOf } from "../../lib/listener/runtime/body_stream.ts";
import { FILTERS, OWNERSHIPS, StrictSink, StrictSource, type TestFilter } from "../contract/body_contract.ts";
import { BodyClient } from "../support/body_client.ts";
import { bytesOf } from "../support/response_bytes.ts";

const PIECE_BYTES = 20_000;
const LARGE_BYTES = 3_000_000;

/** Bytes that differ from place to place. */
function pattern(length: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(length).map((_, at) => (at * 31 + (at >> 8) * 17 + (at >> 16)) & 255);
}

/** As assertEquals, which takes too much memory to show where megabytes differ. */
function assertSame(found: Uint8Array, expected: Uint8Array, what: string): void {
  const differs = found.length === expected.length ? found.findIndex((byte, at) => byte !== expected[at]) : -1;
  assertEquals([found.length, differs], [expected.length, -1], what);
}

/** A client that sends `content` in pieces. */
function clientOf(content: Uint8Array<ArrayBuffer>): BodyClient {
  const client = new BodyClient();
  for (let at = 0; at < content.length; at += PIECE_BYTES) client.send(content.slice(at, at + PIECE_BYTES));
  client.end();
  return client;
}

/** A generation of `config`, and one way to ask it. */
class Asked implements Disposable {
  readonly #generation: Generation;

  constructor(input: ConfigInput) {
    this.#generation = new Generation(resolveConfig(input).config);
    this.#generation.activate();
  }

  async ask(head: Partial<RequestHead>, body: BodySource | null = null): Promise<HttpResponse> {
    const plain = { authority: "a", host: "a", scheme: "http", query: "", headers: [], via: "", upgrade: "" } as const;
    const peer = { address: "127.0.0.1", port: 1 };
    return await this.#generation.listeners[0].responder.respond(
      { method: "GET", path: "/", ...plain, peer, ...head },
      { body, signal: new AbortController().signal },
    );
  }

  [Symbol.dispose](): void {
    this.#generation.close();
  }
}

/** What a client of the runtime's server receives of `source`. */
async function received(source: BodySource): Promise<Uint8Array> {
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    () => new Response(streamOf(source, true)),
  );
  const whole = await (await fetch(`http://127.0.0.1:${server.addr.port}/`)).bytes();
  await server.shutdown();
  return whole;
}

function upstreamOf(handler: (request: Request) => Response | Promise<Response>) {
  return Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, handler);
}

function proxyTo({ addr }: Deno.HttpServer<Deno.NetAddr>): NonNullable<ConfigInput["sites"]>[number]["proxy"] {
  return {
    upstreams: [{ name: "u", url: `http://127.0.0.1:${addr.port}` }],
    routes: [{ path: "/", upstream: "u" }],
    retries: { retry_buffer: 100_000, retry_on: [503], attempts: 2, backoff: "1ms" },
  };
}

for (const [what, filterOf] of Object.entries(FILTERS)) {
  Deno.test(`a filter that ${what} has and passes on what came, whoever owns it`, async () => {
    const content = pattern(25 * PIECE_BYTES + 7);
    for (const ownership of OWNERSHIPS) {
      const source = new StrictSource(clientOf(content), ownership);
      const filter = filterOf(source);
      assertEquals(await new StrictSink(filter).whole, content, ownership);
      if (filter.kept !== undefined) assertEquals(filter.kept, content, ownership);
      source.verify();
    }
  });

  Deno.test(`a filter that ${what} stands in the way of proxied responses and files`, async () => {
    const content = pattern(LARGE_BYTES);
    const upstream = upstreamOf(({ url }) =>
      new Response(url.endsWith("/chunked") ? new Blob([content]).stream() : content)
    );
    const folder = await Deno.makeTempDir();
    await Deno.writeFile(`${folder}/large.bin`, content);
    try {
      using proxied = new Asked({ sites: [{ proxy: proxyTo(upstream) }] });
      using served = new Asked({ sites: [{ static_dir: folder }] });
      for (
        const [asked, path] of [[proxied, "/sized"], [proxied, "/chunked"], [served, "/large.bin"]] as const
      ) {
        const { status, body } = await asked.ask({ path });
        assertEquals(status, 200);
        assert(body !== null && !(body instanceof Uint8Array), `${path} came whole`);
        const filter: TestFilter = filterOf(body);
        assertSame(await received(filter), content, path);
        if (filter.kept !== undefined) assertSame(filter.kept, content, path);
      }
    } finally {
      await upstream.shutdown();
      await Deno.remove(folder, { recursive: true });
    }
  });

  Deno.test(`a filter that ${what} stands in the way of uploads, which are sent again out of the retry buffer`, async () => {
    let refusals = 0;
    const upstream = upstreamOf(async (request) => {
      const body = await request.bytes();
      return refusals-- > 0 ? new Response("later", { status: 503 }) : new Response(body);
    });
    try {
      using proxied = new Asked({ sites: [{ proxy: proxyTo(upstream) }] });
      for (const [bytes, refused] of [[500, 1], [90_000, 1], [LARGE_BYTES, 0]]) {
        for (const ownership of OWNERSHIPS) {
          for (const announced of [true, false]) {
            refusals = refused;
            const content = pattern(bytes);
            const source = new StrictSource(clientOf(content), ownership);
            const filter = filterOf(source);
            const headers = announced ? ["content-length", String(bytes)] : ["transfer-encoding", "chunked"];
            const { status, body } = await proxied.ask({ method: "PUT", headers }, filter);
            assertEquals(status, 200);
            assertSame(await bytesOf(body), content, `${bytes} ${ownership} ${announced}`);
            if (filter.kept !== undefined) assertSame(filter.kept, content, "kept");
            source.verify();
          }
        }
      }
    } finally {
      await upstream.shutdown();
    }
  });
}

Deno.test("BodyReader gives a failure to the read that waits, or to the next", async () => {
  const failing = (later: boolean): BodySource => ({
    start: (sink) => later ? undefined : sink.fail("broken"),
    pull: () => {},
    cancel: () => {},
  });
  await assertRejects(() => new BodyReader(failing(false)).read().catch((reason) => Promise.reject(new Error(reason))));
  const reader = new BodyReader(failing(true));
  const read = reader.read();
  reader.fail(new Error("broken"));
  await assertRejects(() => read, Error, "broken");
});
