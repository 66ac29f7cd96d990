// @ts-types="../../types/std/assert.d.ts"
import { assertEquals } from "@std/assert";
import { ErrorCode } from "../../lib/http2/error_code.ts";
import type { Http2Stream } from "../../lib/http2/stream.ts";
import { block, bytesOf, CLIENT_BEGIN, frame, GET, number, POST, settings } from "../support/http2_frames.ts";
import { CASES, type Expected } from "./connection_cases.ts";
import { MemoryConnection, Recorder } from "./memory_connection.ts";

const PING = frame(6, 0, 0, [7, 7, 7, 7, 7, 7, 7, 7]);

/** A server that responds with 200 once the request has ended, unless it has `x-wait`. */
function server(options: ConstructorParameters<typeof MemoryConnection>[0] = {}): MemoryConnection {
  const made = new MemoryConnection(options);
  made.onRequest = (stream, requested, ended) => {
    const recorder = new Recorder();
    recorder.stream = stream;
    stream.handler = recorder;
    recorder.onEnded = () => respond(stream);
    if (ended && !requested.lines.includes("x-wait")) respond(stream);
  };
  return made;
}

function respond(stream: Http2Stream): void {
  const encoder = stream.beginHeaders();
  encoder?.field(":status", "200");
  stream.sendHeaders(true);
}

function outcome({ connection, sent }: MemoryConnection, streamId: number): Expected {
  if (sent.goAway !== undefined) return { connection: sent.goAway };
  const code = sent.resetOf(streamId);
  if (code !== undefined) return { stream: streamId, code };
  assertEquals(connection.closed, false);
  assertEquals(sent.all.some(({ type, flags }) => type === 6 && flags === 1), true, "the ping was not replied to");
  return "goes on";
}

for (const [section, name, sent, expected] of CASES) {
  Deno.test(`RFC 9113, ${section}: ${name}`, () => {
    for (const step of [1e6, 1, 2, 7, 10]) {
      const made = server();
      made.receive(bytesOf(CLIENT_BEGIN, sent, PING), step);
      assertEquals(outcome(made, 1), expected, `${step} bytes at a time`);
      if (made.connection.closed) continue;
      if (expected === "goes on") assertEquals(made.connection.openStreams, 0);
      assertEquals(made.connection.unconsumedBytes, 0, "bytes of the window were lost");
    }
  });
}

Deno.test("RFC 9113, 3.4: what is no preface, or is not followed by SETTINGS, ends the connection", () => {
  for (
    const begin of [
      new TextEncoder().encode("GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
      bytesOf(CLIENT_BEGIN.slice(0, 24), PING),
      bytesOf(CLIENT_BEGIN.slice(0, 24), frame(4, 1, 0)),
      bytesOf(CLIENT_BEGIN.slice(0, 23), [0x20]),
    ]
  ) {
    for (const step of [1e6, 1]) {
      const made = server();
      made.receive(begin, step);
      assertEquals(made.sent.goAway, ErrorCode.PROTOCOL_ERROR);
    }
  }
});

Deno.test("RFC 9113, 6.5.3: settings are acknowledged in their order, each once", () => {
  const made = server();
  made.receive(bytesOf(CLIENT_BEGIN, frame(4, 0, 0, settings([4, 10])), frame(4, 0, 0)));
  assertEquals(made.sent.all.filter(({ type, flags }) => type === 4 && flags === 1).length, 3);
});

Deno.test("RFC 9113, 5.1.2: a stream above the limit is refused, and those open go on", () => {
  const made = server({ maxStreams: 2 });
  const held = block([...GET, "x-wait", "1"]);
  made.receive(bytesOf(CLIENT_BEGIN, ...[1, 3, 5].map((id) => frame(1, 5, id, held)), PING));
  assertEquals(made.sent.resetOf(5), ErrorCode.REFUSED_STREAM);
  assertEquals(made.connection.openStreams, 2);
  for (const id of [1, 3]) respond(made.streams.get(id) as Http2Stream);
  made.receive(frame(1, 5, 7, block(GET)));
  assertEquals(made.sent.blocksOf(7), [[":status", "200"]]);
});

Deno.test("RFC 9113, 6.9: a response stays within the windows of its stream and of the connection", () => {
  const made = server();
  made.receive(
    bytesOf(CLIENT_BEGIN, frame(4, 0, 0, settings([4, 10])), frame(1, 5, 1, block([...GET, "x-wait", "1"]))),
  );
  const stream = made.streams.get(1) as Http2Stream;
  stream.beginHeaders()?.field(":status", "200");
  stream.sendHeaders(false);
  assertEquals(stream.write(new TextEncoder().encode("0123456789abcdef"), "shared", true), false);
  made.connection.flush();
  const text = () => new TextDecoder().decode(made.sent.dataOf(1));
  assertEquals(text(), "0123456789");
  made.receive(frame(8, 0, 1, number(3)));
  assertEquals(text(), "0123456789abc");
  // A smaller window may become negative (section 6.9.2).
  made.receive(frame(4, 0, 0, settings([4, 5])));
  made.receive(frame(8, 0, 1, number(5)));
  assertEquals(text(), "0123456789abc");
  assertEquals(made.sent.ended(1), false);
  made.receive(frame(4, 0, 0, settings([4, 100])));
  assertEquals(text(), "0123456789abcdef");
  assertEquals(made.sent.ended(1), true);
  assertEquals(made.connection.openStreams, 0);
});

Deno.test("streams take turns, frame by frame, however much each has to send", () => {
  const made = server();
  made.receive(bytesOf(CLIENT_BEGIN, frame(4, 0, 0, settings([4, 2 ** 20]))));
  made.connection.scheduler.windowBytes = 100_000;
  for (const id of [1, 3, 5]) made.receive(frame(1, 5, id, block([...GET, "x-wait", "1"])));
  for (const id of [1, 3, 5]) {
    const stream = made.streams.get(id) as Http2Stream;
    stream.beginHeaders()?.field(":status", "200");
    stream.sendHeaders(false);
    stream.write(new Uint8Array(100_000).fill(id), "given", true);
  }
  made.connection.flush();
  made.receive(frame(8, 0, 0, number(300_000)));
  for (const id of [1, 3, 5]) assertEquals(made.sent.dataOf(id).length, 100_000);
  // The first sent alone until its peer's window was used up; then each had its turn.
  const order = made.sent.all.filter(({ type }) => type === 0).map(({ streamId }) => streamId);
  const turns = order.slice(order.indexOf(3) - 1);
  assertEquals(turns.slice(0, 2), [1, 3]);
  assertEquals(turns.slice(2).some((id, index) => index < 3 && id === 5), true, turns.join(" "));
});

Deno.test("a window grows while all that arrives is used at once, and stays as it is otherwise", () => {
  const grown = (consumes: boolean) => {
    const made = server();
    made.receive(bytesOf(CLIENT_BEGIN, frame(1, 4, 1, block(POST))));
    (made.streams.get(1)?.handler as Recorder).consumes = consumes;
    let window = 64 * 1024;
    for (let i = 0; i < 40 && window >= 16384; i++) {
      made.receive(frame(0, 0, 1, new Uint8Array(16384)));
      window -= 16384;
      for (const { type, streamId, payload } of made.sent.all.splice(0)) {
        if (type === 8 && streamId === 1) {
          window += (payload[0] << 24) | (payload[1] << 16) | (payload[2] << 8) | payload[3];
        }
      }
    }
    return made.streams.get(1)?.receiveWindow.bytes;
  };
  assertEquals(grown(true), 1024 * 1024);
  assertEquals(grown(false), 64 * 1024);
});

Deno.test("RFC 9113, 6.9.1: data beyond a window ends the stream, or the connection", () => {
  const made = server();
  made.receive(bytesOf(CLIENT_BEGIN, frame(1, 4, 1, block(POST))));
  (made.streams.get(1)?.handler as Recorder).consumes = false;
  for (let i = 0; i < 5; i++) made.receive(frame(0, 0, 1, new Uint8Array(16384)));
  assertEquals(made.sent.resetOf(1), ErrorCode.FLOW_CONTROL_ERROR);
  const other = server({ maxStreams: 200 });
  other.receive(CLIENT_BEGIN);
  for (let id = 1; id <= 41 && !other.connection.closed; id += 2) {
    other.receive(frame(1, 4, id, block(POST)));
    (other.streams.get(id)?.handler as Recorder).consumes = false;
    for (let i = 0; i < 4; i++) other.receive(frame(0, 0, id, new Uint8Array(16384)));
  }
  assertEquals(other.sent.goAway, ErrorCode.FLOW_CONTROL_ERROR);
});

Deno.test("RFC 9113, 6.8: an orderly end accepts what is under way, and nothing afterwards", () => {
  const made = server();
  made.receive(CLIENT_BEGIN);
  made.connection.shutdown();
  made.connection.flush();
  const goAways = () => made.sent.all.filter(({ type }) => type === 7).map(({ payload }) => [...payload.slice(0, 8)]);
  assertEquals(goAways(), [[0x7f, 255, 255, 255, 0, 0, 0, 0]]);
  made.receive(frame(1, 5, 1, block(GET)));
  assertEquals(made.sent.blocksOf(1), [[":status", "200"]]);
  const ping = made.sent.all.find(({ type, flags }) => type === 6 && flags === 0);
  made.receive(frame(6, 1, 0, ping?.payload));
  assertEquals(goAways()[1], [0, 0, 0, 1, 0, 0, 0, 0]);
  made.receive(frame(1, 5, 3, block(GET)));
  assertEquals(made.sent.blocksOf(3), []);
  assertEquals(made.sent.resetOf(3), ErrorCode.REFUSED_STREAM);
  assertEquals(made.connection.closed, false);
});

Deno.test("bytes that arrive for a stream that was reset are given back to the connection", () => {
  const made = server();
  made.receive(bytesOf(CLIENT_BEGIN, frame(1, 4, 1, block(POST))));
  const stream = made.streams.get(1) as Http2Stream;
  (stream.handler as Recorder).consumes = false;
  made.receive(frame(0, 0, 1, new Uint8Array(1000)));
  stream.reset(ErrorCode.CANCEL);
  for (let i = 0; i < 100; i++) made.receive(frame(0, 0, 1, new Uint8Array(16384)));
  assertEquals(made.connection.closed, false);
  assertEquals(made.connection.unconsumedBytes, 0);
  assertEquals(made.sent.all.filter(({ type, streamId }) => type === 3 && streamId === 1).length, 1);
});

Deno.test("client and server: requests, bodies both ways, trailers, interim responses, and an orderly end", () => {
  const answered = new MemoryConnection();
  const asking = new MemoryConnection({ role: "client" });
  const toServer: Uint8Array<ArrayBuffer>[] = [];
  const toClient: Uint8Array<ArrayBuffer>[] = [];
  answered.onSent = (bytes) => toClient.push(bytes);
  asking.onSent = (bytes) => toServer.push(bytes);
  const pass = () => {
    for (let i = 0; i < 100; i++) {
      asking.connection.flush();
      answered.connection.flush();
      for (const bytes of toServer.splice(0)) answered.receive(bytes, 1000);
      for (const bytes of toClient.splice(0)) asking.receive(bytes, 1000);
    }
  };
  // What the constructors sent went nowhere.
  const window = frame(8, 0, 0, number(1024 * 1024 - 65_535));
  answered.receive(bytesOf(CLIENT_BEGIN, frame(4, 0, 0, settings([2, 0])), window));
  asking.receive(bytesOf(frame(4, 0, 0), window));
  const atServer = new Recorder();
  answered.onRequest = (stream) => {
    atServer.stream = stream;
    stream.handler = atServer;
    atServer.onEnded = () => {
      stream.beginHeaders()?.field(":status", "103");
      stream.sendHeaders(false);
      stream.beginHeaders()?.field(":status", "200");
      stream.sendHeaders(false);
      stream.write(new TextEncoder().encode(atServer.text), "given");
      stream.end(["X-Sum", "1"]);
    };
  };
  const atClient = new Recorder();
  const stream = asking.connection.open(atClient) as Http2Stream;
  atClient.stream = stream;
  const encoder = stream.beginHeaders();
  for (let i = 0; i < POST.length; i += 2) encoder?.field(POST[i], POST[i + 1]);
  stream.sendHeaders(false);
  const text = "abcdefgh".repeat(50_000);
  for (let at = 0; at < text.length; at += 50_000) {
    stream.write(new TextEncoder().encode(text.slice(at, at + 50_000)), "given");
  }
  stream.end(["x-end", "yes"]);
  pass();
  assertEquals(atServer.text === text, true);
  assertEquals(atServer.blocks, [{ fields: ["x-end", "yes"], ended: true }]);
  assertEquals(atClient.text === text, true);
  assertEquals(atClient.blocks.map(({ fields }) => fields), [[":status", "103"], [":status", "200"], ["x-sum", "1"]]);
  assertEquals([asking.connection.openStreams, answered.connection.openStreams], [0, 0]);
  asking.connection.ping();
  answered.connection.shutdown();
  pass();
  assertEquals(asking.pongs, 1);
  assertEquals(asking.goAways, [[2 ** 31 - 1, 0], [1, 0]]);
  assertEquals(asking.connection.open(atClient), undefined);
});

Deno.test("RFC 9113, 6.8: streams above the last one of GOAWAY were not acted on", () => {
  const asking = new MemoryConnection({ role: "client" });
  asking.receive(frame(4, 0, 0));
  const recorders = [1, 3, 5].map(() => new Recorder());
  for (const recorder of recorders) {
    const stream = asking.connection.open(recorder) as Http2Stream;
    stream.beginHeaders()?.field(":method", "GET");
    stream.sendHeaders(true);
  }
  asking.receive(frame(7, 0, 0, [...number(1), ...number(0)]));
  assertEquals(recorders.map(({ resets }) => resets), [[], [[0, "unprocessed"]], [[0, "unprocessed"]]]);
  assertEquals(asking.connection.openStreams, 1);
  asking.connection.lost("The socket broke");
  assertEquals(recorders[0].resets, [[0, "connection"]]);
});
