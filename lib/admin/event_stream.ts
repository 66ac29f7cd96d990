/**
 * Streams of server-sent events for clients that watch the server: a snapshot a second.
 *
 * @module
 */

// @ts-types="../../types/std/server-sent-event-stream.d.ts"
import { type ServerSentEventMessage, ServerSentEventStream } from "@std/http/server-sent-event-stream";
import { AdminRefusal, response } from "./admin_response.ts";
import type { SnapshotMaker } from "./snapshot_maker.ts";

const MOST_WATCHERS = 64;
/** A client that reads nothing for this number of snapshots is disconnected. */
const MOST_SKIPPED = 30;

interface Watcher {
  readonly controller: ReadableStreamDefaultController<ServerSentEventMessage>;
  skipped: number;
}

/** The streams of all watching clients. Owned by the management listener. */
export class EventStream {
  readonly #maker: Pick<SnapshotMaker, "make">;
  readonly #watchers = new Set<Watcher>();
  #closed = false;

  constructor(maker: Pick<SnapshotMaker, "make">) {
    this.#maker = maker;
  }

  /** The number of watching clients. */
  get watching(): number {
    return this.#watchers.size;
  }

  /**
   * Opens a stream, which begins with a snapshot with history.
   *
   * @throws {AdminRefusal} 503 when there are too many streams.
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
    return response(body.pipeThrough(new ServerSentEventStream()), "text/event-stream", {
      headers: { "x-accel-buffering": "no" },
    });
  }

  /** Sends a snapshot on all streams; does nothing if there are none. */
  send(): void {
    if (this.#watchers.size === 0) return;
    const event = this.#event(false);
    for (const watcher of this.#watchers) {
      // A slow client misses some snapshots, which is no loss: each snapshot is complete.
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
