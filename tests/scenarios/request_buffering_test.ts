/**
 * Request bodies that are read whole before an upstream is asked, over real sockets.
 *
 * @module
 */

// @ts-types="../../types/std/assert.d.ts"
import { assertEquals } from "@std/assert";
import { buffered } from "../../lib/features/request_buffering/body_store.ts";
import { until } from "../support/condition.ts";
import { Http2Client } from "../support/http2_client.ts";
import { header, type ReceivedMessage, statusOf } from "../support/message_reader.ts";
import { exchange, post, RawClient } from "../support/raw_client.ts";
import { RunningProxy } from "../support/running_proxy.ts";
import { answerOf, ScriptedUpstream } from "../support/scripted_upstream.ts";
import { inTemporaryFolder } from "../support/temporary_folder.ts";

const POST = "POST /x HTTP/1.1\r\nHost: site.test\r\n";
const CHUNKED = `${POST}Transfer-Encoding: chunked\r\n\r\n`;

/** Bytes that differ from place to place, as text. */
function numbered(length: number): string {
  let text = "";
  for (let i = 0; text.length < length; i++) text += `${i}\n`;
  return text.slice(0, length);
}

function chunk(data: string): string {
  return `${data.length.toString(16)}\r\n${data}\r\n`;
}

/** What upstream got: the framing, the length of the body and whether it is `body`. */
function got(request: ReceivedMessage, body: string): unknown[] {
  return [
    header(request, "content-length"),
    header(request, "transfer-encoding"),
    new TextDecoder().decode(request.body) === body,
  ];
}

async function freed(folder?: string): Promise<void> {
  await until("all bodies are freed", () => buffered.memoryBytes === 0 && buffered.fileBytes === 0);
  if (folder !== undefined) assertEquals(await Array.fromAsync(Deno.readDir(folder)), []);
}

Deno.test("request_buffering asks no upstream before the whole body is there", async () => {
  await inTemporaryFolder({}, async (folder) => {
    await using upstream = ScriptedUpstream.answering(answerOf("ok"));
    await using proxy = await RunningProxy.start({
      upstreams: [upstream.url],
      site: { request_buffering: { folder } },
      proxy: {
        routes: [{ path: "/", upstream: "app" }, {
          path: "/streamed/",
          upstream: "app",
          request_buffering: false,
        }],
      },
    });
    for (const length of [40_000, 700_000]) {
      const body = numbered(length);
      using client = await RawClient.connect(proxy.port);
      const { connections } = upstream;
      await client.send(CHUNKED + chunk(body.slice(0, length - 10)));
      const kept = () => buffered.memoryBytes + buffered.fileBytes;
      await until("the body is kept", () => kept() === length - 10);
      // The file has no name.
      assertEquals([proxy.inFlight, upstream.connections, await Array.fromAsync(Deno.readDir(folder))], [
        0,
        connections,
        [],
      ]);
      await client.send(chunk(body.slice(length - 10)) + "0\r\n\r\n");
      assertEquals(statusOf(await client.answer()), 200);
      assertEquals(got(upstream.requests.at(-1) as ReceivedMessage, body), [String(length), undefined, true]);
      await freed(folder);
    }

    // A client that leaves costs the upstream nothing.
    const { connections, requests: { length: before } } = upstream;
    for (const bytes of [1000, 400_000]) {
      using leaving = await RawClient.connect(proxy.port);
      await leaving.send(`${POST}Content-Length: 500000\r\n\r\n${numbered(bytes)}`);
      await until("the body is kept", () => buffered.memoryBytes + buffered.fileBytes === bytes);
      leaving.close();
      await freed(folder);
    }
    assertEquals([upstream.connections, upstream.requests.length], [connections, before]);

    // Trailers need chunks; 100 (Continue) is sent by the proxy; a body of no bytes is none.
    using client = await RawClient.connect(proxy.port);
    await client.send(`${POST}Expect: 100-continue\r\nContent-Length: 5\r\n\r\n`);
    assertEquals(statusOf(await client.reader.answer() as ReceivedMessage), 100);
    await client.send("hello");
    assertEquals(statusOf(await client.answer()), 200);
    assertEquals(got(upstream.requests.at(-1) as ReceivedMessage, "hello"), ["5", undefined, true]);
    await client.send(`${CHUNKED}${chunk("abc")}0\r\nX-Sum: 7\r\n\r\n`);
    assertEquals(statusOf(await client.answer()), 200);
    const trailed = upstream.requests.at(-1) as ReceivedMessage;
    assertEquals([...got(trailed, "abc"), trailed.trailers], [undefined, "chunked", true, ["X-Sum: 7"]]);
    await client.send(`${CHUNKED}0\r\n\r\n`);
    assertEquals(statusOf(await client.answer()), 200);
    assertEquals(got(upstream.requests.at(-1) as ReceivedMessage, ""), ["0", undefined, true]);

    // HTTP/2, without a length.
    await using http2 = await Http2Client.begun(proxy.port);
    await http2.fields(1, [":method", "POST", ":scheme", "http", ":authority", "site.test", ":path", "/x"], false);
    const { requests } = upstream;
    const sent = requests.length;
    await http2.data(1, "first ");
    await until("the body is kept", () => buffered.memoryBytes === 6);
    assertEquals(requests.length, sent);
    await http2.data(1, "second", true);
    assertEquals(await http2.status(1), 200);
    assertEquals(got(requests.at(-1) as ReceivedMessage, "first second"), ["12", undefined, true]);

    // A route may do without.
    using streaming = await RawClient.connect(proxy.port);
    await streaming.send(CHUNKED.replace("/x", "/streamed/") + chunk("abc"));
    await until("the upstream is asked", () => proxy.inFlight === 1);
    await streaming.send("0\r\n\r\n");
    assertEquals(statusOf(await streaming.answer()), 200);
    assertEquals(got(requests.at(-1) as ReceivedMessage, "abc"), [undefined, "chunked", true]);
    await freed(folder);
  });
});

Deno.test("request_buffering: a body is sent again from its file, where the method is idempotent", async () => {
  const body = numbered(1_000_000);
  await using upstream = ScriptedUpstream.start(async (peer, index) => {
    const request = await peer.request();
    // The first two get the whole body and leave without a response.
    if (request !== undefined && index > 1) await peer.send(answerOf("ok"));
  });
  await using proxy = await RunningProxy.start({
    upstreams: [upstream.url],
    site: { request_buffering: true },
    proxy: { retries: { attempts: 3, backoff: 0, max_backoff: 0 }, passive_health: { enabled: false } },
  });
  const put = await exchange(proxy.port, post("/x", body).replace("POST", "PUT"));
  assertEquals([statusOf(put), upstream.requests.length], [200, 3]);
  for (const request of upstream.requests) assertEquals(got(request, body), ["1000000", undefined, true]);
  await freed();
});

Deno.test("request_buffering: a POST is not sent again, and what cannot be kept is refused by the proxy's own fault", async () => {
  await inTemporaryFolder({}, async (folder) => {
    await using upstream = ScriptedUpstream.start(async (peer) => void await peer.request());
    const other = `${folder}/other`;
    await Deno.mkdir(other);
    const buffering = { folder: other, max_memory: 1000, max_size: 500_000, max_total: 450_000 };
    await using proxy = await RunningProxy.start({
      upstreams: [upstream.url],
      site: { request_buffering: buffering, max_body_size: 400_000 },
      proxy: {
        timeout: { client: "300ms" },
        passive_health: { enabled: false },
        routes: [{ path: "/", upstream: "app" }, { path: "/all/", upstream: "app", max_body_size: 900_000 }],
      },
    });
    assertEquals(statusOf(await exchange(proxy.port, post("/x", numbered(50_000)))), 502);
    assertEquals(upstream.requests.length, 1);

    const chunked = (path: string, length: number) => CHUNKED.replace("/x", path) + chunk(numbered(length));
    const refused: [number, string][] = [
      [413, post("/x", numbered(400_001))],
      [413, chunked("/x", 400_001)],
      [413, post("/all/", numbered(500_001))],
      [507, post("/all/", numbered(460_000))],
      [507, `${chunked("/all/", 460_000)}0\r\n\r\n`],
      // It ends nowhere.
      [408, chunked("/x", 10_000)],
    ];
    for (const [status, request] of refused) assertEquals(statusOf(await exchange(proxy.port, request)), status);
    await freed(other);

    // A full disk.
    const { write } = Deno.FsFile.prototype;
    Deno.FsFile.prototype.write = () =>
      Promise.reject(Object.assign(new Error("No space left on device"), { code: "ENOSPC" }));
    try {
      assertEquals(statusOf(await exchange(proxy.port, post("/x", numbered(5000)))), 507);
    } finally {
      Deno.FsFile.prototype.write = write;
    }
    await freed(other);
    await Deno.remove(other);
    assertEquals(statusOf(await exchange(proxy.port, post("/x", numbered(5000)))), 503);
    // Small bodies need no file.
    assertEquals(statusOf(await exchange(proxy.port, post("/x", "small"))), 502);
    assertEquals(upstream.requests.length, 2);
    await freed();
  });
});
