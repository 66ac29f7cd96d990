/**
 * Sending responses: a small one in one write, a large one as it comes, at the speed of the client.
 *
 * @module
 */

import { type BodySource, release } from "../../http/body.ts";
import { BodyReader, type Piece } from "../../http/body_reader.ts";
import type { HttpResponse } from "../../http/message.ts";
import { CHUNK_OVERHEAD_BYTES, LAST_CHUNK, putChunk } from "../../http1/chunked_encoder.ts";
import { putText } from "../../http1/head_writer.ts";
import type { CoarseClock, Watched } from "../../state/coarse_clock.ts";
import type { Wire } from "../../sockets/wire.ts";
import type { OutgoingHead } from "./outgoing_head.ts";
import { type BufferPool, PIECE_BYTES } from "./buffer_pool.ts";
import type { ClientDeadlines } from "./client_deadlines.ts";

/** What a writer works with. */
export interface WriterParts {
  /** The client's socket. */
  readonly wire: Wire;
  /** Told of each wait for the client. */
  readonly deadlines: ClientDeadlines;
  /** Where write buffers come from. */
  readonly pool: BufferPool;
  /** Tells when a head has waited long enough for its body. */
  readonly clock: CoarseClock;
}

/** Sends the responses of one connection, one at a time. */
export class ResponseWriter implements Watched {
  readonly #parts: WriterParts;
  #reader: BodyReader | undefined;
  #flushHead: ((late: "late") => void) | undefined;

  /** Sends over `parts.wire`. */
  constructor(parts: WriterParts) {
    this.#parts = parts;
  }

  /**
   * Sends a whole response. Never rejects.
   *
   * @returns Whether all of it was sent; if not, the client must be cut off, or it might take what it has for the whole.
   */
  async send(head: OutgoingHead, body: HttpResponse["body"]): Promise<boolean> {
    const { framing } = head;
    try {
      if (body === null || body instanceof Uint8Array) {
        await this.#sendBytes(head.text, framing === "bytes" ? body : null);
        return true;
      }
      if (framing === "none") {
        body.cancel("The response has no body");
        await this.#sendBytes(head.text, null);
        return true;
      }
      return await this.#sendStream(head, body);
    } catch {
      // Either the client is gone, or the stream failed and whoever made it has said why in the log.
      return false;
    }
  }

  /** Sends bytes between responses. Rejects when the client is gone. */
  async sendRaw(bytes: Uint8Array): Promise<void> {
    const { wire, deadlines } = this.#parts;
    let rest = bytes;
    for (;;) {
      deadlines.awaitWrite();
      const taken = await wire.write(rest);
      deadlines.endWrite();
      if (taken === rest.length) return;
      rest = rest.subarray(taken);
    }
  }

  /** The client is gone: the source of the body that is being sent is told. */
  abandon(): void {
    this.#reader?.cancel("The client left");
  }

  /** The body has had its time to come along with the head. */
  tick(): void {
    this.#flushHead?.("late");
  }

  async #sendBytes(text: string, body: Uint8Array | null): Promise<void> {
    const { pool } = this.#parts;
    const bodyBytes = body?.length ?? 0;
    const along = Math.min(bodyBytes, PIECE_BYTES);
    const buffer = pool.take(text.length + along);
    putText(text, buffer);
    if (body !== null) buffer.set(along === bodyBytes ? body : body.subarray(0, along), text.length);
    await this.sendRaw(buffer.subarray(0, text.length + along));
    // Only after a write that ended well: one that failed may still hold the buffer.
    pool.give(buffer);
    if (body !== null && along < bodyBytes) await this.sendRaw(body.subarray(along));
  }

  async #sendStream(head: OutgoingHead, body: BodySource): Promise<boolean> {
    const reader = this.#reader = new BodyReader(body);
    try {
      let leftBytes = head.framing === "length" ? head.length : Infinity;
      let text = head.text;
      let pending = reader.read();
      let piece: Piece | "late" | undefined = await this.#soon(pending);
      if (piece === "late") {
        await this.#sendBytes(text, null);
        text = "";
        piece = await pending;
      }
      while (piece !== undefined) {
        const { bytes: value, ownership }: Piece = piece;
        leftBytes -= value.length;
        // A body that differs from its Content-Length would run into the next response.
        if (leftBytes < 0) throw new RangeError("The body is longer than its Content-Length");
        if (value.length > 0) {
          if (head.framing === "chunked") await this.#sendChunk(text, value);
          else if (text !== "") await this.#sendBytes(text, value);
          else await this.sendRaw(value);
          text = "";
          release(value, ownership);
        }
        pending = reader.read();
        piece = await pending;
      }
      if (head.framing === "chunked") await this.#sendBytes(text, LAST_CHUNK);
      else if (text !== "") await this.#sendBytes(text, null);
      return head.framing !== "length" || leftBytes === 0;
    } catch (error) {
      reader.cancel(error);
      throw error;
    } finally {
      this.#reader = undefined;
    }
  }

  // The head waits for the first piece until the next tick: together they are one write, and one packet if small.
  async #soon(pending: Promise<Piece | undefined>): Promise<Piece | "late" | undefined> {
    const { clock } = this.#parts;
    clock.watch(this);
    try {
      return await new Promise((resolve, reject) => {
        this.#flushHead = resolve;
        pending.then(resolve, reject);
      });
    } finally {
      this.#flushHead = undefined;
      clock.unwatch(this);
    }
  }

  // Chunks are cut to fit a buffer, so that each is one write.
  async #sendChunk(text: string, value: Uint8Array): Promise<void> {
    const { pool } = this.#parts;
    for (let at = 0; at < value.length; at += PIECE_BYTES) {
      const piece = value.length <= PIECE_BYTES ? value : value.subarray(at, at + PIECE_BYTES);
      const lead = at === 0 ? text : "";
      const buffer = pool.take(lead.length + CHUNK_OVERHEAD_BYTES + piece.length);
      await this.sendRaw(buffer.subarray(0, putChunk(buffer, putText(lead, buffer), piece)));
      pool.give(buffer);
    }
  }
}
