// @ts-types="../../types/std/assert.d.ts"
import { assert, assertEquals, assertRejects } from "@std/assert";
import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from "node:zlib";
import type { CompressionInput } from "../../lib/generation/config/config_types.ts";
import { CompressedFiles, compressedFiles } from "../../lib/features/compression/compressed_files.ts";
import { createHandler } from "../../lib/process/create_handler.ts";
import { OwnListener } from "../listener/own/own_listener.ts";
import { until } from "../support/condition.ts";
import { inTemporaryFolder } from "../support/temporary_folder.ts";

const TEXT = Array.from({ length: 4000 }, (_, i) => `line ${i * 7919 % 1000} of a page\n`).join("");

const DECODERS: Record<string, (bytes: Uint8Array) => Uint8Array> = {
  gzip: (bytes) => gunzipSync(bytes),
  br: (bytes) => brotliDecompressSync(bytes),
  zstd: (bytes) => zstdDecompressSync(bytes),
};

type Respond = (request: Request) => Response | Promise<Response>;

/** What a client gets from a site with compression in front of `respond`, without decoding. */
async function through(
  respond: Respond,
  requests: RequestInit[],
  table: CompressionInput = {},
  url = "http://localhost/",
): Promise<{ status: number; headers: Headers; text: string; size: number }[]> {
  const upstream = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, respond);
  const handler = createHandler({
    sites: [{
      compression: table,
      proxy: {
        upstreams: [{ name: "app", url: `http://127.0.0.1:${upstream.addr.port}` }],
        routes: [{ path: "/", upstream: "app" }],
      },
    }],
  });
  try {
    const got = [];
    for (const init of requests) {
      const response = await handler(new Request(url, init));
      const bytes = new Uint8Array(await response.arrayBuffer());
      const coding = response.headers.get("content-encoding");
      const plain = coding === null || bytes.length === 0 ? bytes : DECODERS[coding](bytes);
      const text = new TextDecoder().decode(plain);
      got.push({ status: response.status, headers: response.headers, text, size: bytes.length });
    }
    return got;
  } finally {
    await handler.close();
    await upstream.shutdown();
  }
}

const accepting = (value: string) => ({ headers: { "accept-encoding": value } });
const page = (headers: Record<string, string> = {}) => () =>
  new Response(TEXT, { headers: { "content-type": "text/html; charset=utf-8", ...headers } });

Deno.test("compression takes the coding that the client likes best, and the server's order between equals", async () => {
  const values = ["gzip, br, zstd", "gzip, br", "gzip", "br;q=0.5, gzip;q=0.9", "identity", "gzip;q=0", "x-gzip", "*"];
  const got = await through(page(), values.map(accepting));
  assertEquals(got.map(({ headers }) => headers.get("content-encoding")), [
    ...["zstd", "br", "gzip", "gzip", null, null, "gzip", "zstd"],
  ]);
  for (const { text, headers } of got) {
    assertEquals(text, TEXT);
    assertEquals(headers.get("vary"), "Accept-Encoding");
  }
  assert(got[0].size < TEXT.length / 5);
  assertEquals(got[0].headers.get("content-length"), null);
});

Deno.test("compression leaves alone what has a coding, is a part, must not be transformed, or is small", async () => {
  const responses: [string, Respond][] = [
    ["small", () => new Response("small", { headers: { "content-type": "text/plain" } })],
    ["type", page({ "content-type": "image/png" })],
    ["coding", page({ "content-encoding": "custom" })],
    ["no-transform", page({ "cache-control": "public, no-transform" })],
    [
      "part",
      () =>
        new Response(TEXT, { status: 206, headers: { "content-type": "text/plain", "content-range": "bytes 0-9/10" } }),
    ],
    ["none", () => new Response(null, { status: 204 })],
  ];
  for (const [what, respond] of responses) {
    const upstreamCoding = what === "coding" ? "custom" : null;
    const [{ headers }] = what === "coding"
      ? await withoutDecoding(respond)
      : await through(respond, [accepting("gzip")]);
    assertEquals(headers.get("content-encoding"), upstreamCoding, what);
  }
});

async function withoutDecoding(respond: Respond) {
  DECODERS.custom = (bytes) => bytes;
  try {
    return await through(respond, [accepting("gzip")]);
  } finally {
    delete DECODERS.custom;
  }
}

Deno.test("compression weakens entity tags, and a 304 has the one that the client knows", async () => {
  const respond = (request: Request) =>
    request.headers.has("if-none-match")
      ? new Response(null, { status: 304, headers: { etag: '"v1"' } })
      : page({ etag: '"v1"', "accept-ranges": "bytes", "content-md5": "x" })();
  const ask = (tag: string) => ({ headers: { "accept-encoding": "gzip", "if-none-match": tag } });
  const [whole, weak, strong] = await through(respond, [accepting("gzip"), ask('W/"v1"'), ask('"v1"')]);
  assertEquals(whole.headers.get("etag"), 'W/"v1"');
  assertEquals([whole.headers.get("accept-ranges"), whole.headers.get("content-md5")], [null, null]);
  assertEquals([weak.status, weak.headers.get("etag"), weak.headers.get("vary")], [304, 'W/"v1"', "Accept-Encoding"]);
  assertEquals([strong.status, strong.headers.get("etag")], [304, '"v1"']);
});

Deno.test("compression of pages that set cookies over https is off by default", async () => {
  const respond = page({ "set-cookie": "a=b" });
  const https = "https://localhost/";
  const coding = async (table: CompressionInput, url: string) =>
    (await through(respond, [accepting("gzip")], table, url))[0].headers.get("content-encoding");
  assertEquals(await coding({}, https), null);
  assertEquals(await coding({ cookies: true }, https), "gzip");
  assertEquals(await coding({}, "http://localhost/"), "gzip");
});

Deno.test("compression keeps to paths, types and min_size, and is off where it is not enabled", async () => {
  const coding = async (table: CompressionInput) =>
    (await through(page(), [accepting("gzip")], table, "http://localhost/a/b"))[0].headers.get("content-encoding");
  assertEquals(await coding({ paths: ["/a/"] }), "gzip");
  assertEquals(await coding({ paths: ["/b/"] }), null);
  assertEquals(await coding({ types: ["application/json"] }), null);
  assertEquals(await coding({ types: ["text/*"], level: 9 }), "gzip");
  assertEquals(await coding({ enabled: false }), null);
  assertEquals(await coding({ algorithms: ["br"] }), null);
});

Deno.test("compression passes each piece of a stream on, before the next one is there", async () => {
  for (const coding of ["gzip", "br", "zstd"]) {
    const { promise: firstSeen, resolve: seeFirst } = Promise.withResolvers<void>();
    const upstream = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, () => {
      const body = new ReadableStream<Uint8Array>({
        async start(controller) {
          controller.enqueue(new TextEncoder().encode("data: first\n\n"));
          await firstSeen;
          controller.enqueue(new TextEncoder().encode("data: second\n\n"));
          controller.close();
        },
      });
      return new Response(body, { headers: { "content-type": "text/event-stream" } });
    });
    {
      await using proxy = new OwnListener({
        upstreams: [`http://127.0.0.1:${upstream.addr.port}`],
        site: { compression: { algorithms: [coding] } },
        // deno-lint-ignore no-explicit-any
      } as any);
      const response = await fetch(`http://127.0.0.1:${proxy.port}/`, { headers: { "accept-encoding": coding } });
      // fetch decodes gzip and br, and leaves the field as it was.
      assertEquals(response.headers.get("content-encoding"), coding);
      const reader = response.body!.getReader();
      let text = "";
      const decoder = new TextDecoder();
      const chunks: Uint8Array[] = [];
      for (;;) {
        const { value, done } = await reader.read();
        if (done) break;
        chunks.push(value);
        if (coding !== "zstd") text += decoder.decode(value);
        seeFirst();
      }
      if (coding === "zstd") {
        text = decoder.decode(zstdDecompressSync(await new Blob(chunks as Uint8Array<ArrayBuffer>[]).bytes()));
      }
      assertEquals(text, "data: first\n\ndata: second\n\n");
    }
    await upstream.shutdown();
  }
});

Deno.test("compression of files passes large ones in slices, and answers HEAD as GET", async () => {
  await inTemporaryFolder({ "page.html": TEXT.repeat(20), "small.txt": TEXT.slice(0, 5000) }, async (folder) => {
    const handler = createHandler({ sites: [{ static_dir: folder, compression: {} }] });
    try {
      for (const [path, text] of [["page.html", TEXT.repeat(20)], ["small.txt", TEXT.slice(0, 5000)]]) {
        for (const method of ["GET", "HEAD"]) {
          const request = new Request(`http://localhost/${path}`, { method, ...accepting("gzip") });
          const response = await handler(request);
          assertEquals(response.headers.get("content-encoding"), "gzip", `${method} ${path}`);
          assert(response.headers.get("etag")!.startsWith("W/"));
          const bytes = new Uint8Array(await response.arrayBuffer());
          if (method === "GET") assertEquals(new TextDecoder().decode(gunzipSync(bytes)), text);
        }
      }
    } finally {
      await handler.close();
    }
  });
});

Deno.test("compression of a body that breaks off cuts the client's", async () => {
  const { promise: seen, resolve: see } = Promise.withResolvers<void>();
  let given = false;
  const upstream = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, () => {
    const body = new ReadableStream<Uint8Array>({
      async pull(controller) {
        if (given) {
          await seen;
          throw new Error("broken");
        }
        given = true;
        controller.enqueue(new TextEncoder().encode(TEXT));
      },
    });
    return new Response(body, { headers: { "content-type": "text/plain" } });
  });
  const url = `http://127.0.0.1:${upstream.addr.port}`;
  const handler = createHandler({
    sites: [{
      compression: {},
      proxy: { upstreams: [{ name: "app", url }], routes: [{ path: "/", upstream: "app" }] },
    }],
  });
  try {
    const response = await handler(new Request("http://localhost/", accepting("gzip")));
    assertEquals(response.headers.get("content-encoding"), "gzip");
    const reader = response.body!.getReader();
    await reader.read();
    see();
    await assertRejects(async () => {
      while (!(await reader.read()).done) { /* up to the failure */ }
    });
  } finally {
    see();
    await handler.close();
    await upstream.shutdown();
  }
});

Deno.test("compression of a file is kept until the file changes, and never that of a part or of another coding", async () => {
  await inTemporaryFolder({ "page.html": TEXT.repeat(20), "small.txt": TEXT.slice(0, 5000) }, async (folder) => {
    const handler = createHandler({ sites: [{ static_dir: folder, compression: {} }] });
    const ask = async (path: string, coding: string, lines: Record<string, string> = {}) => {
      const headers = { "accept-encoding": coding, ...lines };
      const response = await handler(new Request(`http://localhost/${path}`, { headers }));
      const bytes = new Uint8Array(await response.arrayBuffer());
      const used = response.headers.get("content-encoding");
      return [response.status, used, new TextDecoder().decode(used === null ? bytes : DECODERS[used](bytes))];
    };
    // A file that was written a moment ago may change without a sign of it.
    const past = new Date(Date.now() - 60_000);
    for (const path of ["page.html", "small.txt"]) await Deno.utime(`${folder}/${path}`, past, past);
    try {
      for (const [path, text] of [["page.html", TEXT.repeat(20)], ["small.txt", TEXT.slice(0, 5000)]]) {
        const before = compressedFiles.bytes;
        for (const coding of ["gzip", "br", "zstd"]) {
          const fresh = compressedFiles.bytes;
          assertEquals(await ask(path, coding), [200, coding, text]);
          const kept = compressedFiles.bytes;
          assert(kept > fresh);
          assertEquals(await ask(path, coding), [200, coding, text]);
          assertEquals(await ask(path, coding, { range: "bytes=0-9" }), [206, null, text.slice(0, 10)]);
          assertEquals(compressedFiles.bytes, kept);
        }
        assert(compressedFiles.bytes > before);
        await Deno.writeTextFile(`${folder}/${path}`, "changed ".repeat(1000));
        const later = new Date(Date.now() - 30_000);
        await Deno.utime(`${folder}/${path}`, later, later);
        await until("the change is seen", async () => (await ask(path, "gzip"))[2] === "changed ".repeat(1000));
      }
    } finally {
      await handler.close();
    }
  });
});

Deno.test("CompressedFiles keeps what was used last, and nothing that is too large", () => {
  const files = new CompressedFiles(10);
  const file = (bytes: number) => ({ content: new Uint8Array(bytes), fullBytes: 99 });
  files.add("a", file(4));
  files.add("b", file(4));
  files.get("a");
  files.add("c", file(4));
  assertEquals([files.get("a")?.content.length, files.get("b"), files.get("c")?.fullBytes, files.bytes], [
    4,
    undefined,
    99,
    8,
  ]);
  files.add("a", file(2));
  assertEquals(files.bytes, 6);
  files.add("d", file(11));
  assertEquals([files.get("d"), files.bytes], [undefined, 0]);
  files.add("e", file(5 * 1024 * 1024));
  assertEquals(files.bytes, 0);
});
