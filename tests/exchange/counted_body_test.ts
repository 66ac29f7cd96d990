// @ts-types="../../types/std/assert.d.ts"
import { assertEquals, assertRejects } from "@std/assert";
import type { BodySink, BodySource } from "../../lib/http/body.ts";
import { BodyReader, readWhole } from "../../lib/http/body_reader.ts";
import { CountedBody } from "../../lib/exchange/counted_body.ts";
import type { RequestHead } from "../../lib/http/message.ts";
import { Exchange } from "../../lib/exchange/exchange.ts";
import { CoarseClock } from "../../lib/state/coarse_clock.ts";

const HEAD: RequestHead = {
  method: "GET",
  path: "/",
  query: "",
  authority: "a",
  host: "a",
  scheme: "http",
  headers: [],
  peer: { address: "1.2.3.4", port: 1 },
};

const DELIVERY = { ended: (exchange: Exchange) => exchange.end() };

/** A body of so many pieces of 10 bytes. */
function pieces(count: number): { source: BodySource; cancelled: Promise<void> } {
  const { promise, resolve } = Promise.withResolvers<void>();
  let sink: BodySink | undefined;
  const source: BodySource = {
    start: (taker) => void (sink = taker),
    pull: () => count-- > 0 ? sink?.piece(new Uint8Array(10), "given") : sink?.end(),
    cancel: () => resolve(),
  };
  return { source, cancelled: promise };
}

Deno.test("CountedBody lets go of a file whose client takes nothing", async () => {
  let ended = 0;
  const client = { body: null, signal: new AbortController().signal };
  const exchange = new Exchange(HEAD, client, { exchangeEnded: () => ended++ });
  const { source, cancelled } = pieces(Infinity);
  const alive = setTimeout(() => {}, 5000);
  const body = new BodyReader(
    new CountedBody(source, exchange, DELIVERY, { clock: new CoarseClock(5), timeoutMs: 40 }),
  );
  assertEquals((await body.read())?.bytes.length, 10);
  await cancelled;
  clearTimeout(alive);
  assertEquals([ended, exchange.status, exchange.bytes, exchange.causeOwner], [1, 499, 10, "client"]);
  await assertRejects(() => body.read());
});

Deno.test("CountedBody counts to the end, once, and holds no timer then", async () => {
  let ended = 0;
  const client = { body: null, signal: new AbortController().signal };
  const exchange = new Exchange(HEAD, client, { exchangeEnded: () => ended++ });
  const { source } = pieces(10_000);
  const body = new CountedBody(source, exchange, DELIVERY, { clock: new CoarseClock(5), timeoutMs: 1000 });
  assertEquals((await readWhole(body)).length, 100_000);
  assertEquals([ended, exchange.bytes, exchange.cause], [1, 100_000, ""]);
});
