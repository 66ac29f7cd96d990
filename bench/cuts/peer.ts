/**
 * One end of a connection to the proxy: reads messages, and writes them in pieces, with a cut every now and then.
 *
 * @module
 */

import type { Socket, SocketHandler } from "../../lib/sockets/socket.ts";
import { below, joined, type Message, oneOf, parseMessage } from "./message.ts";

/** One of so many messages is cut. */
const CUT_EVERY = 25;
/** A message goes out in so many pieces at most. */
const MAX_PIECES = 4;

const NOTHING = new Uint8Array();

/** What it did to its connection. */
export type Cut = "reset" | "close" | "end";

/** One end. */
export abstract class Peer implements SocketHandler {
  /** What it did to its connection itself. */
  cut: Cut | undefined;
  #input: Uint8Array = NOTHING;
  #socket: Socket | undefined;

  /** Begins to use a connection. */
  begin(socket: Socket): void {
    this.#socket = socket;
    this.#input = NOTHING;
    this.cut = undefined;
    socket.handler = this;
  }

  /** A message has arrived whole. */
  protected abstract arrived(message: Message): void;

  /** The connection is over, by whomever. Called once. */
  protected abstract over(): void;

  /** Writes a message in pieces; `written` is called behind the last one, unless the connection is over by then. */
  protected send(message: Uint8Array<ArrayBuffer>, written: () => void = () => {}): void {
    const pieces = 1 + (oneOf(2) ? 0 : below(MAX_PIECES));
    const cutAt = oneOf(CUT_EVERY) ? below(pieces + 1) : -1;
    const socket = this.#socket;
    let at = 0;
    let piece = 0;
    const go = () => {
      if (this.#socket !== socket || socket === undefined) return;
      if (piece === cutAt) return this.#cut(written, at === message.length);
      if (piece === pieces) return written();
      piece++;
      const end = piece === pieces ? message.length : at + below(message.length - at);
      if (end > at) socket.write(message.slice(at, end), oneOf(2) ? "lent" : "given");
      at = end;
      if (piece === pieces && cutAt !== pieces) written();
      else setImmediate(go);
    };
    go();
  }

  /** Closes the connection. */
  protected close(): void {
    this.#socket?.close();
    this.#finish();
  }

  received(bytes: Uint8Array<ArrayBuffer>, start: number, end: number): void {
    this.#input = joined([this.#input, bytes.subarray(start, end)]);
    const socket = this.#socket;
    for (let message; this.#socket === socket && (message = parseMessage(this.#input)) !== undefined;) {
      this.#input = this.#input.subarray(message.bytes);
      this.arrived(message);
    }
  }

  drained(): void {}

  ended(): void {
    this.close();
  }

  failed(): void {
    this.#finish();
  }

  #cut(written: () => void, whole: boolean): void {
    this.cut = (["reset", "close", "end"] as const)[below(3)];
    if (this.cut === "end") {
      this.#socket?.end();
      // Who has written everything waits for the response.
      return whole ? written() : undefined;
    }
    this.#socket?.[this.cut]();
    this.#finish();
  }

  #finish(): void {
    if (this.#socket === undefined) return;
    this.#socket = undefined;
    this.over();
  }
}
