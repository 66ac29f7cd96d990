/**
 * A body stream that ends its exchange when it ends itself.
 *
 * @module
 */

import type { CoarseClock } from "../state/coarse_clock.ts";
import type { Exchange } from "./exchange.ts";
import { detachBuffer } from "../http/detach_buffer.ts";

/** Who looks after a body whose client takes nothing. */
export interface StallWatch {
  /** The clock that the deadline goes by. */
  readonly clock: CoarseClock;
  /** Longest time that the client takes nothing, in milliseconds. */
  readonly timeoutMs: number;
}

/** `body`, with its bytes counted into `exchange`, which ends with it, or when the client takes nothing for too long. */
export function countedBody(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
  exchange: Exchange,
  { clock, timeoutMs }: StallWatch,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const reader = body.getReader();
  let cut = (_reason: string): void => {};
  let deadlineMs = clock.nowMs + timeoutMs;
  const watched = {
    tick: (nowMs: number) => {
      if (deadlineMs !== 0 && nowMs > deadlineMs) cut(`The client took nothing for ${timeoutMs} ms`);
    },
  };
  clock.watch(watched);
  return new ReadableStream({
    start(controller) {
      cut = (reason) => {
        clock.unwatch(watched);
        exchange.failed(reason, "client");
        exchange.status = 499;
        // The file is let go of even if letting go fails.
        reader.cancel(reason).catch(() => {});
        controller.error(`bws: ${exchange.requestId}: answer cut short: ${reason}`);
        exchange.end();
      };
    },
    async pull(controller) {
      deadlineMs = 0;
      try {
        const { value, done } = await reader.read();
        if (value !== undefined) {
          exchange.sent(value.length);
          controller.enqueue(value);
          // There is no queue: it was waited for, and taken at once.
          if (exchange.ownsBodies) detachBuffer(value);
          deadlineMs = clock.nowMs + timeoutMs;
        }
        if (!done) return;
        controller.close();
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        exchange.failed(reason, "proxy");
        controller.error(`bws: ${exchange.requestId}: answer cut short: ${reason}`);
      }
      clock.unwatch(watched);
      exchange.end();
    },
    async cancel(reason) {
      clock.unwatch(watched);
      exchange.status = 499;
      exchange.failed("The client left before it had the whole answer", "client");
      exchange.end();
      await reader.cancel(reason);
    },
  }, { highWaterMark: 0 });
}
