/**
 * Random frames, and connections of which bytes are changed: whatever comes, the listener ends in a state in which it
 * serves others, and everything that it counts comes back to zero.
 *
 * @module
 */

// @ts-types="../../../types/std/assert.d.ts"
import { assertEquals } from "@std/assert";
import { LISTENER_METRICS } from "../../../lib/listener/own/listener_metrics.ts";
import { seededRandom } from "../../contract/seeded_random.ts";
import { until } from "../../support/condition.ts";
import { Http2Client } from "../../support/http2_client.ts";
import { block, bytesOf, CLIENT_BEGIN, frame, GET, number, POST, settings } from "../../support/http2_frames.ts";
import { writeAll } from "../../support/message_reader.ts";
import { answerOf, ScriptedUpstream } from "../../support/scripted_upstream.ts";
import { OwnListener } from "../own/own_listener.ts";

const ROUNDS = 150;

/** Frames as a client may send them, some of them wrong. */
function randomFrames(random: () => number): Uint8Array<ArrayBuffer> {
  const below = (most: number) => Math.floor(random() * most);
  const pieces: Uint8Array[] = [];
  let id = 1;
  for (let i = below(30); i >= 0; i--) {
    const streamId = random() < 0.9 ? Math.max(1, id - 2 * below(4)) : below(10);
    switch (below(12)) {
      case 0:
      case 1:
        pieces.push(frame(1, 4 | below(2), id, block(GET)));
        id += 2;
        break;
      case 2:
        pieces.push(frame(1, 4, id, block([...POST, "content-length", String(below(200))])));
        id += 2;
        break;
      case 3:
      case 4:
        pieces.push(
          frame(0, below(2) | (below(5) === 0 ? 8 : 0), streamId, new Uint8Array(below(200)).fill(below(256))),
        );
        break;
      case 5:
        pieces.push(frame(3, 0, streamId, number(below(14))));
        break;
      case 6:
        pieces.push(frame(8, 0, random() < 0.5 ? 0 : streamId, number(below(100_000))));
        break;
      case 7:
        pieces.push(frame(4, below(2) * below(2), 0, settings([below(10), below(100_000)])));
        break;
      case 8:
        pieces.push(frame(6, below(2), 0, new Uint8Array(8)));
        break;
      case 9:
        pieces.push(frame(9, below(8), streamId, block(["x-a", "b"])));
        break;
      case 10:
        pieces.push(frame(1, 5, streamId, block(["x-trailer", "b"])));
        break;
      default:
        pieces.push(frame(below(256), below(256), below(20), Uint8Array.from({ length: below(60) }, () => below(256))));
    }
  }
  return bytesOf(...pieces);
}

/** The same bytes with some changed, left out or repeated. */
function mutated(bytes: Uint8Array<ArrayBuffer>, random: () => number): Uint8Array<ArrayBuffer> {
  const changed = bytes.slice();
  for (let i = Math.floor(random() * 4); i > 0; i--) changed[Math.floor(random() * changed.length)] = random() * 256;
  const at = Math.floor(random() * changed.length);
  const what = random();
  if (what < 0.2) return bytesOf(changed.slice(0, at), changed.slice(at + Math.floor(random() * 20)));
  if (what < 0.4) return bytesOf(changed.slice(0, at), changed.slice(Math.max(0, at - 30)));
  return changed;
}

for (const seed of [1, 2, 3]) {
  Deno.test(`random and mutated connections of HTTP/2 leave nothing behind (seed ${seed})`, async () => {
    const random = seededRandom(seed);
    await using upstream = ScriptedUpstream.answering(answerOf("x".repeat(2000)));
    const limits = { header_timeout: 300, body_timeout: 300, write_timeout: 500, idle_timeout: 500, min_rate: 0 };
    await using own = new OwnListener({ upstreams: [upstream.url] }, limits);
    const connections: Promise<void>[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const frames = randomFrames(random);
      const whole = bytesOf(CLIENT_BEGIN, frames);
      const sent = random() < 0.5 ? whole : mutated(whole, random);
      const step = 1 + Math.floor(random() * (random() < 0.5 ? 20 : 2000));
      const leaves = random() < 0.5;
      connections.push(send(own.port, sent, { step, leaves }));
      if (round % 20 === 19) await Promise.all(connections.splice(0));
    }
    await Promise.all(connections);
    await using good = await Http2Client.begun(own.port);
    await good.fields(1, GET);
    assertEquals(await good.status(1), 200);
    // Its own may have been idle for too long by then.
    await until("no other connection is open", () => own.listener.connections <= 1);
    await until("no other stream is open", () => own.listener.metrics.value(LISTENER_METRICS.metrics.streams, 0) === 0);
    await until("no exchange is under way", () => own.generation.underWay === 0);
  });
}

/** Sends bytes, and waits for the server to close unless it leaves. */
async function send(
  port: number,
  bytes: Uint8Array<ArrayBuffer>,
  { step, leaves }: { step: number; leaves: boolean },
): Promise<void> {
  const conn = await Deno.connect({ hostname: "127.0.0.1", port });
  const reading = (async () => {
    const buffer = new Uint8Array(16 * 1024);
    while (await conn.read(buffer).catch(() => null) !== null);
  })();
  for (let at = 0; at < bytes.length; at += step) if (!await writeAll(conn, bytes.slice(at, at + step))) break;
  if (!leaves) await reading;
  conn.close();
  await reading;
}
