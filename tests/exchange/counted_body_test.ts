// @ts-types="../../types/std/assert.d.ts"
import { assertEquals, assertRejects } from "@std/assert";
import { countedBody } from "../../lib/exchange/counted_body.ts";
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

function endless(): { stream: ReadableStream<Uint8Array<ArrayBuffer>>; cancelled: Promise<void> } {
  const { promise, resolve } = Promise.withResolvers<void>();
  const stream = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull: (controller) => controller.enqueue(new Uint8Array(10)),
    cancel: () => resolve(),
  }, { highWaterMark: 0 });
  return { stream, cancelled: promise };
}

Deno.test("countedBody() lets go of a file whose client takes nothing", async () => {
  let ended = 0;
  const client = { body: null, signal: new AbortController().signal };
  const exchange = new Exchange(HEAD, client, { exchangeEnded: () => ended++ });
  const { stream, cancelled } = endless();
  const alive = setTimeout(() => {}, 5000);
  const body = countedBody(stream, exchange, { clock: new CoarseClock(5), timeoutMs: 40 }).getReader();
  assertEquals((await body.read()).value?.length, 10);
  await cancelled;
  clearTimeout(alive);
  assertEquals([ended, exchange.status, exchange.bytes, exchange.causeOwner], [1, 499, 10, "client"]);
  await assertRejects(() => body.closed.then(() => {}));
});

Deno.test("countedBody() counts to the end, once, and holds no timer then", async () => {
  let ended = 0;
  const client = { body: null, signal: new AbortController().signal };
  const exchange = new Exchange(HEAD, client, { exchangeEnded: () => ended++ });
  const whole = new Blob([new Uint8Array(100_000)]).stream();
  const body = countedBody(whole, exchange, { clock: new CoarseClock(5), timeoutMs: 1000 });
  assertEquals((await new Response(body).bytes()).length, 100_000);
  assertEquals([ended, exchange.bytes, exchange.cause], [1, 100_000, ""]);
});
