/**
 * Clients that send anything, in any pieces, and leave at any moment, over scripted sockets.
 *
 * @module
 */

// @ts-types="../../../types/std/assert.d.ts"
import { assert, assertEquals } from "@std/assert";
import type { ClientSide } from "../../../lib/exchange/exchange.ts";
import type { HttpResponse } from "../../../lib/http/message.ts";
import { choose, seededRandom, testSeed } from "../../contract/seeded_random.ts";
import { mutated, REQUESTS } from "../../http1/corpus.ts";
import { UNUSUAL } from "../../http1/hostile_requests.ts";
import { until } from "../../support/condition.ts";
import { get, post } from "../../support/raw_client.ts";
import { CollectingSink, responseOf, ScriptedBody, ScriptedClients } from "./scripted_clients.ts";

const ROUNDS = 500;
const CHUNKED = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-T: u\r\n\r\n";

Deno.test("clients that send anything and leave at any moment leave nothing behind", async () => {
  const seed = testSeed();
  const random = seededRandom(seed);
  const short = REQUESTS.filter((text) => text.length < 1000);
  const valid = [...UNUSUAL.filter((text) => text.length < 1000), post("/", "hello"), get("/"), CHUNKED];
  let begun = 0;
  let made = 0;

  const respond = (client: ClientSide): HttpResponse => {
    made++;
    if (client.body !== null && random() < 0.5) client.body.cancel("not wanted");
    if (random() < 0.5) return responseOf("x".repeat(Math.floor(random() * 30_000)));
    const body = new ScriptedBody(
      Array.from({ length: 1 + Math.floor(random() * 4) }, () => "y".repeat(1 + random() * 9000)),
    );
    return { status: 200, headers: [], body };
  };
  await using clients = new ScriptedClients((_head, client) => {
    begun++;
    // The signal of some is asked for.
    if (random() < 0.3) client.signal.addEventListener("abort", () => {});
    if (client.body !== null && random() < 0.5) new CollectingSink(client.body);
    if (random() < 0.5) return respond(client);
    return new Promise((resolve) => {
      if (random() < 0.5) queueMicrotask(() => resolve(respond(client)));
      else setTimeout(() => resolve(respond(client)), random() * 3);
    });
  });
  for (let round = 0; round < ROUNDS; round++) {
    let stream = "";
    for (let i = 0; i <= random() * 4; i++) {
      const text = choose(random, random() < 0.8 ? valid : short);
      stream += random() < 0.2 ? mutated(random, text) : text;
    }
    const socket = clients.connect();
    if (random() < 0.1) socket.block();
    for (let at = 0; at < stream.length && !socket.closed;) {
      const count = 1 + Math.floor(random() ** 3 * stream.length);
      socket.arrive(stream.slice(at, at + count));
      at += count;
      if (random() < 0.3) await Promise.resolve();
    }
    const end = random();
    if (end < 0.3 && !socket.closed) socket.fail();
    else if (end < 0.9 && !socket.closed) socket.finish();
    if (random() < 0.5 && !socket.closed) socket.unblock();
    if (round % 100 === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await until("all responses are made", () => made === begun);
  clients.listener.abort();
  assertEquals(clients.listener.connections, 0, `seed ${seed}`);
  assert(begun > ROUNDS / 2, `only ${begun} requests began`);
  // Only faults in BWS are responded to with 500.
  const faults = clients.responder.refused.filter(({ refusal }) => refusal.status === 500);
  assertEquals(faults.map(({ refusal }) => refusal.cause), [], `seed ${seed}`);
});
