/**
 * A body stream that ends its exchange when it ends itself.
 *
 * @module
 */

import type { Exchange } from "../proxy/exchange.ts";

/** `body`, with its bytes counted into `exchange`, which ends with it. */
export function countedBody(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
  exchange: Exchange,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const reader = body.getReader();
  return new ReadableStream({
    async pull(controller) {
      try {
        const { value, done } = await reader.read();
        if (value !== undefined) {
          exchange.bytes += value.length;
          controller.enqueue(value);
        }
        if (!done) return;
        controller.close();
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        exchange.failed(reason, "proxy");
        controller.error(`bws: ${exchange.requestId}: answer cut short: ${reason}`);
      }
      exchange.end();
    },
    async cancel(reason) {
      exchange.status = 499;
      exchange.failed("The client left before it had the whole answer", "client");
      exchange.end();
      await reader.cancel(reason);
    },
  }, { highWaterMark: 0 });
}
