/**
 * Writes requests to the socket of an upstream connection.
 *
 * @module
 */

import type { Ownership } from "../../http/body.ts";
import { HeadWriter } from "../../http1/head_writer.ts";
import type { Socket } from "../../sockets/socket.ts";
import { socketDriver } from "../../sockets/socket_driver.ts";
import type { Deadlines } from "./deadlines.ts";
import type { AskedHead } from "./lent_connection.ts";

/** Writes to one socket, and limits the time in which the upstream accepts nothing. Owned by its connection. */
export class RequestWriter {
  /** Whether bytes are queued: the system has not accepted all of them. */
  blocked = false;
  readonly #socket: Socket;
  readonly #deadlines: Deadlines;
  #queuedBytes = 0;
  /** Whether the whole request was written, at least to the queue. */
  #complete = false;

  /** Writes to `socket`. */
  constructor(socket: Socket, deadlines: Deadlines) {
    this.#socket = socket;
    this.#deadlines = deadlines;
  }

  /**
   * Writes a head and the given bytes of its body, which are copied if they are few, with one system call if possible.
   */
  writeHead(head: AskedHead, body?: Uint8Array<ArrayBuffer>, ownership: Ownership = "shared"): void {
    this.#complete = false;
    const out = headWriter();
    if (typeof head === "string") out.text(head);
    else head.writeHead(out);
    if (body === undefined || body.length <= COPIED_BYTES) {
      if (body !== undefined) out.copy(body);
      this.#written(this.#socket.write(out.written, "lent"));
    } else {
      this.#socket.cork();
      this.#socket.write(out.written, "lent");
      this.#socket.write(body, ownership);
      this.#written(this.#socket.uncork());
    }
    out.trim();
  }

  /** Writes bytes as they are. Returns whether the system has accepted all of them. */
  write(bytes: Uint8Array<ArrayBuffer>, ownership: Ownership): boolean {
    this.#written(this.#socket.write(bytes, ownership));
    return !this.blocked;
  }

  /** Writes bytes as one chunk of a chunked body. Returns whether the system has accepted all of it. */
  writeChunk(bytes: Uint8Array<ArrayBuffer>, ownership: Ownership): boolean {
    const socket = this.#socket;
    socket.cork();
    this.#writeText(bytes.length.toString(16) + "\r\n");
    socket.write(bytes, ownership);
    socket.write(LINE_END, "shared");
    this.#written(socket.uncork());
    return !this.blocked;
  }

  /** The whole request is written: once the system has accepted it, the upstream's silence counts. */
  complete(): void {
    if (this.blocked) this.#complete = true;
    else this.#deadlines.uploaded();
  }

  /** The system has accepted all queued bytes. */
  drained(): void {
    this.blocked = false;
    this.#deadlines.endWrite();
    if (this.#complete) this.#deadlines.uploaded();
    this.#complete = false;
  }

  /** Called on each tick: the deadline begins anew when the system has accepted a part of the queue. */
  tick(): void {
    if (!this.blocked) return;
    const { queuedBytes } = this.#socket;
    if (queuedBytes < this.#queuedBytes) this.#deadlines.awaitWrite();
    this.#queuedBytes = queuedBytes;
  }

  #writeText(text: string): void {
    const out = headWriter();
    out.text(text);
    this.#socket.write(out.written, "lent");
  }

  #written(accepted: boolean): void {
    if (accepted) {
      if (this.blocked) this.drained();
      return;
    }
    this.#queuedBytes = this.#socket.queuedBytes;
    if (this.blocked) return;
    this.blocked = true;
    this.#deadlines.awaitWrite();
  }
}

/** Largest body that is copied behind its head, in bytes: one write costs less than two. */
const COPIED_BYTES = 16 * 1024;
const MEMORY_BYTES = 32 * 1024;
/** Writes requests for all sockets of the thread, into the memory of the driver where it has some: it sends from there without a copy. */
let writer: HeadWriter | undefined;
const LINE_END = new Uint8Array([13, 10]);

/** The writer of the thread, empty. */
function headWriter(): HeadWriter {
  writer ??= new HeadWriter(socketDriver().scratch ?? new Uint8Array(MEMORY_BYTES));
  writer.clear();
  return writer;
}
