/**
 * Those who watch: a stream of server-sent events for each, with a snapshot a second.
 *
 * @module
 */

// @ts-types="../../types/std/server-sent-event-stream.d.ts"
import { type ServerSentEventMessage, ServerSentEventStream } from "@std/http/server-sent-event-stream";
import { AdminRefusal, answer } from "./admin_response.ts";
import type { SnapshotMaker } from "./snapshot_maker.ts";

const MOST_WATCHERS = 64;
/** One that takes nothing for so many snapshots is gone. */
const MOST_SKIPPED = 30;

interface Watcher {
  readonly controller: ReadableStreamDefaultController<ServerSentEventMessage>;
  skipped: number;
}

/** All who watch. Owned by the management listener. */
export class EventStream {
  readonly #maker: Pick<SnapshotMaker, "make">;
  readonly #watchers = new Set<Watcher>();
  #closed = false;

  /** Nobody watches yet. */
  constructor(maker: Pick<SnapshotMaker, "make">) {
    this.#maker = maker;
  }

  /** How many watch. */
  get watching(): number {
    return this.#watchers.size;
  }

  /**
   * One more watches: it gets the last minutes at once.
   *
   * @throws {AdminRefusal} 503 when there are too many.
   */
  open(): Response {
    if (this.#closed || this.#watchers.size >= MOST_WATCHERS) {
      throw new AdminRefusal(503, `${this.#watchers.size} watch already`, { headers: { "retry-after": "5" } });
    }
    let watcher: Watcher;
    const body = new ReadableStream<ServerSentEventMessage>({
      start: (controller) => {
        this.#watchers.add(watcher = { controller, skipped: 0 });
        controller.enqueue(this.#event(true));
      },
      cancel: () => void this.#watchers.delete(watcher),
    });
    return answer(body.pipeThrough(new ServerSentEventStream()), "text/event-stream", {
      headers: { "x-accel-buffering": "no" },
    });
  }

  /** Tells all how things are. Nothing is made when nobody watches. */
  tell(): void {
    if (this.#watchers.size === 0) return;
    const event = this.#event(false);
    for (const watcher of this.#watchers) {
      // Who is slow misses some: a later snapshot says all that an earlier one said.
      if ((watcher.controller.desiredSize ?? 0) > 0) {
        watcher.skipped = 0;
        watcher.controller.enqueue(event);
      } else if (++watcher.skipped > MOST_SKIPPED) {
        this.#watchers.delete(watcher);
        watcher.controller.error("The watcher takes nothing");
      }
    }
  }

  /** Ends all streams. */
  close(): void {
    this.#closed = true;
    for (const { controller } of this.#watchers) controller.close();
    this.#watchers.clear();
  }

  #event(history: boolean): ServerSentEventMessage {
    return { event: "snapshot", data: JSON.stringify(this.#maker.make({ history })) };
  }
}
