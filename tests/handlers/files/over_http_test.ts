// @ts-types="../../../types/std/assert.d.ts"
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { streamOf } from "../../../lib/listener/runtime/body_stream.ts";
import type { HeaderLines } from "../../../lib/http/message.ts";
import type { FileServer } from "../../../lib/handlers/files/file_server.ts";
import { allClosed, headOf, openFiles, patternBytes, SECRET, SiteFolder } from "./site_folder.ts";

/** A real server in front of a file server: no more than a request needs to become a head, and an answer a response. */
function listen(files: FileServer): Deno.HttpServer<Deno.NetAddr> {
  return Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, async (request) => {
    const target = request.url.slice(request.url.indexOf("/", 8));
    const { status, headers, body } = await files.serve(
      headOf(target, { method: request.method, headers: [...request.headers].flat() }),
    );
    const lines: [string, string][] = [];
    for (let i = 0; i < headers.length; i += 2) lines.push([headers[i], headers[i + 1]]);
    const content = body === null || body instanceof Uint8Array ? body : streamOf(body, true);
    return new Response(content, { status, headers: lines });
  });
}

interface RawAnswer {
  status: number;
  headers: Map<string, string>;
  body: Uint8Array;
}

/** Sends a head byte for byte, as no client library would, and reads until the server closes. */
async function raw(port: number, method: string, target: string, headers: HeaderLines = []): Promise<RawAnswer> {
  using connection = await Deno.connect({ port, hostname: "127.0.0.1" });
  let text = `${method} ${target} HTTP/1.1\r\nHost: example.com\r\nConnection: close\r\n`;
  for (let i = 0; i < headers.length; i += 2) text += `${headers[i]}: ${headers[i + 1]}\r\n`;
  await connection.write(new TextEncoder().encode(`${text}\r\n`));
  const chunks: number[] = [];
  const buffer = new Uint8Array(65536);
  for (let count = await connection.read(buffer); count !== null; count = await connection.read(buffer)) {
    for (const byte of buffer.subarray(0, count)) chunks.push(byte);
  }
  const bytes = new Uint8Array(chunks);
  const end = bytes.findIndex((_, i) =>
    bytes[i] === 13 && bytes[i + 1] === 10 && bytes[i + 2] === 13 && bytes[i + 3] === 10
  );
  const [first, ...lines] = new TextDecoder("latin1").decode(bytes.subarray(0, end)).split("\r\n");
  const fields = lines.map((
    line,
  ) => [line.slice(0, line.indexOf(":")).toLowerCase(), line.slice(line.indexOf(":") + 2)]);
  return {
    status: Number(first.split(" ")[1]),
    headers: new Map(fields as [string, string][]),
    body: bytes.subarray(end + 4),
  };
}

Deno.test("over HTTP: GET, HEAD, ranges and 304 for a file in memory and a file on disk", async () => {
  const big = patternBytes(300_000);
  await using site = await SiteFolder.make({ "big.bin": big, "small.bin": big.slice(0, 1000) });
  await using server = listen(site.serve());
  const { port } = server.addr;
  for (const [path, content] of [["/big.bin", big], ["/small.bin", big.subarray(0, 1000)]] as const) {
    const get = await raw(port, "GET", path);
    assertEquals([get.status, get.headers.get("content-length")], [200, String(content.length)]);
    assertEquals(get.body, content);
    assertStrictEquals(get.headers.get("transfer-encoding"), undefined);
    const head = await raw(port, "HEAD", path);
    assertEquals([head.status, head.headers.get("content-length"), head.body.length], [200, String(content.length), 0]);
    const part = await raw(port, "GET", path, ["Range", "bytes=100-199"]);
    assertEquals([part.status, part.headers.get("content-range")], [206, `bytes 100-199/${content.length}`]);
    assertEquals(part.body, content.slice(100, 200));
    const parts = await raw(port, "GET", path, ["Range", "bytes=0-9,500-599"]);
    assertEquals([parts.status, parts.headers.get("content-length")], [206, String(parts.body.length)]);
    const unchanged = await raw(port, "GET", path, ["If-None-Match", get.headers.get("etag") ?? ""]);
    assertEquals([unchanged.status, unchanged.body.length], [304, 0]);
    const beyond = await raw(port, "GET", path, ["Range", "bytes=900000-"]);
    assertEquals([beyond.status, beyond.headers.get("content-range")], [416, `bytes */${content.length}`]);
  }
});

Deno.test("over HTTP: no raw target leads out of the folder", async () => {
  await using site = await SiteFolder.make({ "a.txt": "inside" });
  await using server = listen(site.serve());
  for (
    const target of [
      ...["/../secret.txt", "/%2e%2e/secret.txt", "/..%2fsecret.txt", "/a/../../secret.txt", "//../secret.txt"],
      ...["/..\\secret.txt", "/%252e%252e/secret.txt", "/%c0%ae%c0%ae/secret.txt", "/a.txt%00", "/.%2e/secret.txt"],
    ]
  ) {
    const got = await raw(server.addr.port, "GET", target);
    assert(got.status === 400 || got.status === 404, `${target} gave ${got.status}`);
    assert(!new TextDecoder().decode(got.body).includes(SECRET));
  }
});

Deno.test("over HTTP: a client that leaves in the middle of a file leaves no file open", async () => {
  await using site = await SiteFolder.make({ "big.bin": patternBytes(20_000_000) });
  await using server = listen(site.serve());
  for (let client = 0; client < 5; client++) {
    using connection = await Deno.connect({ port: server.addr.port, hostname: "127.0.0.1" });
    await connection.write(new TextEncoder().encode("GET /big.bin HTTP/1.1\r\nHost: example.com\r\n\r\n"));
    await connection.read(new Uint8Array(1000));
    if (Deno.build.os === "linux") assert(openFiles(site) > 0);
  }
  await allClosed(site);
});

Deno.test("over HTTP: a file that becomes shorter while it is sent is not passed off as whole", async () => {
  const size = 20_000_000;
  await using site = await SiteFolder.make({ "big.bin": patternBytes(size) });
  await using server = listen(site.serve());
  const response = await fetch(`http://127.0.0.1:${server.addr.port}/big.bin`);
  const reader = response.body?.getReader();
  assert(reader !== undefined);
  let received = (await reader.read()).value?.length ?? 0;
  await Deno.truncate(`${site.root}/big.bin`, 1000);
  let failed = false;
  try {
    for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) received += chunk.value.length;
  } catch {
    failed = true;
  }
  assert(failed && received < size);
});
