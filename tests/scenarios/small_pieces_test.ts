// @ts-types="../../types/std/assert.d.ts"
import { assertEquals, assertLess, assertMatch, assertStringIncludes } from "@std/assert";
import { within } from "../support/condition.ts";
import { OWN } from "../support/listener_in_use.ts";
import { ProxyProcess } from "../support/proxy_process.ts";

/** An upstream that reads bodies, and says how long they were. */
function countingUpstream(): Deno.HttpServer<Deno.NetAddr> {
  return Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
    // One that is cut has no end.
    const bytes = await request.arrayBuffer().catch(() => undefined);
    return new Response(String(bytes?.byteLength));
  });
}

/** Sends a body in chunks of `size` bytes, a hundred in a write, and gives the head of what is answered. */
async function upload(port: number, count: number, size: number): Promise<string> {
  const conn = await Deno.connect({ hostname: "127.0.0.1", port });
  const encoder = new TextEncoder();
  const write = async (bytes: Uint8Array) => {
    for (let rest = bytes; rest.length > 0;) rest = rest.subarray(await conn.write(rest));
  };
  const sending = (async () => {
    try {
      await write(encoder.encode("POST /up HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n"));
      const chunk = `${size.toString(16)}\r\n${"x".repeat(size)}\r\n`;
      const hundred = encoder.encode(chunk.repeat(100));
      for (let sent = 0; sent < count; sent += 100) await write(hundred);
      await write(encoder.encode("0\r\n\r\n"));
    } catch {
      // The proxy has answered and closed.
    }
  })();
  let answer = "";
  const buffer = new Uint8Array(4096);
  while (!answer.includes("\r\n\r\n")) {
    const read = await conn.read(buffer);
    if (read === null) break;
    answer += new TextDecoder().decode(buffer.subarray(0, read));
  }
  conn.close();
  await sending;
  return answer;
}

/** Asks again and again while `busy` lasts, and gives the longest that an answer took, in milliseconds. */
async function longestMs(port: number, busy: Promise<unknown>): Promise<number> {
  let over = false;
  busy.finally(() => over = true);
  let longest = 0;
  while (!over) {
    using client = Deno.createHttpClient({ poolMaxIdlePerHost: 0 });
    const startMs = performance.now();
    await (await fetch(`http://127.0.0.1:${port}/`, { client })).text();
    longest = Math.max(longest, performance.now() - startMs);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return longest;
}

Deno.test("an upload in chunks of one byte holds nobody up, and is refused where it would", async () => {
  const upstream = countingUpstream();
  {
    await using proxy = await ProxyProcess.start({ upstreams: [`http://127.0.0.1:${upstream.addr.port}`] });
    const uploading = upload(proxy.port, 1_000_000, 1);
    // It took 67 s for all together, in which nobody was answered.
    assertLess(await within(120_000, "the upload is answered", longestMs(proxy.port, uploading)), 5000);
    const answer = await uploading;
    if (OWN) assertMatch(answer, /^HTTP\/1.1 200 [^]*1000000$/);
    else assertStringIncludes(answer, "HTTP/1.1 413 ");
  }
  await upstream.shutdown();
});

Deno.test("an upload in small chunks arrives whole, and holds nobody up", async () => {
  const upstream = countingUpstream();
  {
    await using proxy = await ProxyProcess.start({ upstreams: [`http://127.0.0.1:${upstream.addr.port}`] });
    const uploading = upload(proxy.port, 5000, 50);
    assertLess(await within(120_000, "the upload is answered", longestMs(proxy.port, uploading)), 5000);
    const answer = await uploading;
    assertStringIncludes(answer, "HTTP/1.1 200 ");
    assertEquals(answer.includes("\r\n\r\n"), true);
  }
  await upstream.shutdown();
});
