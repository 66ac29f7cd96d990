/**
 * Sends the responses of one connection: a small one in one write, a large one piece by piece, as fast as the client
 * takes it.
 *
 * @module
 */

import { type BodySink, type BodySource, type FileSink, type Ownership, release } from "../../http/body.ts";
import type { HeaderLines, HttpResponse } from "../../http/message.ts";
import { CHUNK_OVERHEAD_BYTES, LAST_CHUNK, lastChunk, putChunk } from "../../http1/chunked_encoder.ts";
import type { FrontViews } from "../../http1/front_views.ts";
import { putText } from "../../http1/head_bytes.ts";
import type { Socket } from "../../sockets/socket.ts";
import { bufferIndex, releaseBuffer, takeBuffer } from "../../sockets/socket_buffers.ts";
import type { BodyFraming, OutgoingHead } from "./outgoing_head.ts";

/** The connection of a sender. */
export interface SenderHost {
  readonly socket: Socket;
  /**
   * A response was sent.
   *
   * @param whole Whether all of it was. If not, the connection must be closed: the client would take what it has for
   * the whole.
   */
  responseSent(whole: boolean): void;
}

/** Sends one response at a time. Owned by its connection. */
export class ResponseSender implements BodySink, FileSink {
  /** Bytes that were written in total. */
  writtenBytes = 0;
  /** How the end of the last body is told. */
  framing: BodyFraming = "none";
  readonly #host: SenderHost;
  /** Where messages are composed: a driver sends from it without a copy. Its content is lost with each write. */
  readonly #memory: Uint8Array<ArrayBuffer>;
  readonly #views: FrontViews;
  #source: BodySource | undefined;
  /** The head, while it waits for the first piece of the body: the first `#headBytes` of it. */
  #head: Uint8Array<ArrayBuffer> = NOTHING;
  #headBytes = 0;
  /** Bytes of the body that are left, for framing `length`. */
  #leftBytes = 0;
  #takesTrailers = false;
  /** Whether a piece was pulled and has not arrived. */
  #pulled = false;
  #pulling = false;
  #corked = false;
  #probes = 0;
  /** The file of which a range is being sent; -1 while there is none. */
  #file = -1;
  /** The part of that range that is not sent. */
  #fileStart = 0;
  #fileEnd = 0;
  #probedBytes = 0;
  /** Made for the first chunked body. */
  #uncorkLater: (() => void) | undefined;

  constructor(host: SenderHost, views: FrontViews) {
    this.#host = host;
    this.#memory = views.memory;
    this.#views = views;
  }

  /** Whether a head waits for the first piece of its body. */
  get headWaits(): boolean {
    return this.#headBytes > 0;
  }

  /** Bytes of a range of a file that wait to be accepted by the system. */
  get fileBytes(): number {
    return this.#file < 0 ? 0 : this.#fileEnd - this.#fileStart;
  }

  /** Sends a response. */
  send(head: OutgoingHead, { body, lent }: HttpResponse, takesTrailers: boolean): void {
    const { framing, closing } = head;
    this.framing = framing;
    if (body === null || body instanceof Uint8Array || framing === "none") {
      if (framing === "bytes") {
        this.#sendWhole(head, body as Uint8Array<ArrayBuffer>, lent === true ? "lent" : "shared");
      } else this.#write(this.#views.frontOf(head.bytes, head.end), "lent", closing);
      if (body !== null && !(body instanceof Uint8Array)) body.cancel("The response has no body");
      return this.#host.responseSent(true);
    }
    this.#holdHead(head);
    this.#leftBytes = head.length;
    this.#takesTrailers = takesTrailers;
    this.#pulled = false;
    this.#probes = 0;
    this.#source = body;
    body.start(this);
    if (this.#source === body) this.#pull();
  }

  /** Sends text, one byte a character. */
  sendText(text: string): void {
    const target = text.length <= this.#memory.length ? this.#memory : new Uint8Array(text.length);
    const end = putText(text, target);
    this.#write(this.#views.frontOf(target, end), "lent");
  }

  /** Sends a head that still waits for the first piece of its body. */
  flushHead(): void {
    if (this.#headBytes === 0) return;
    const head = this.#head;
    const bytes = this.#headBytes;
    this.#head = NOTHING;
    this.#headBytes = 0;
    this.#write(head.subarray(0, bytes), "lent");
    releaseBuffer(head);
  }

  /** All written bytes were accepted. */
  drained(): void {
    if (this.#file >= 0) return this.#sendFile();
    if (this.#source !== undefined && !this.#pulled) this.#pull();
  }

  /** The client is gone, or takes nothing: cancels the body that is being sent. */
  abandon(reason: string): void {
    const source = this.#source;
    this.#source = undefined;
    this.#dropHead();
    this.#file = -1;
    source?.cancel(reason);
  }

  /**
   * Writes a zero in front of the size of the next chunk, which means nothing to a client that is there, and makes the
   * system of one that has left reset the connection. Other bodies have no such place.
   *
   * @returns Whether that was done, or a piece was sent since the last call.
   */
  probe(): boolean {
    const silent = this.writtenBytes === this.#probedBytes;
    this.#probedBytes = this.writtenBytes;
    if (!silent || this.#host.socket.queuedBytes > 0) return true;
    if (this.framing !== "chunked" || this.headWaits) return false;
    if (this.#probes++ >= MAX_PROBES) return true;
    this.#write(ZERO, "shared");
    this.#probedBytes = this.writtenBytes;
    return true;
  }

  piece(bytes: Uint8Array<ArrayBuffer>, ownership: Ownership): void {
    this.#pulled = false;
    if (this.#source === undefined) return release(bytes, ownership);
    if (this.framing === "chunked") this.#sendChunk(bytes, ownership);
    else {
      // A body that differs from its Content-Length would run into the next response.
      if (this.framing === "length" && (this.#leftBytes -= bytes.length) < 0) {
        release(bytes, ownership);
        return this.#tooLong();
      }
      this.#sendPlain(bytes, ownership);
    }
    if (this.#source !== undefined && this.#host.socket.queuedBytes < MAX_QUEUED_BYTES) this.#pull();
  }

  /** A range of a file is sent by the system, if it is sure where the body ends. */
  get fileSink(): FileSink | undefined {
    return this.framing === "length" && this.#host.socket.sendFile !== undefined ? this : undefined;
  }

  fileRange(descriptor: number, start: number, end: number): void {
    this.#pulled = false;
    if (this.#source === undefined) return;
    if ((this.#leftBytes -= end - start) < 0) return this.#tooLong();
    this.#file = descriptor;
    this.#fileStart = start;
    this.#fileEnd = end;
    this.#sendFile();
  }

  end(trailers?: readonly string[]): void {
    if (this.#source === undefined) return;
    this.#source = undefined;
    if (this.framing === "chunked") this.#sendLastChunk(trailers);
    else {
      this.flushHead();
      if (this.framing === "length" && this.#leftBytes > 0) return this.#host.responseSent(false);
    }
    this.#host.responseSent(true);
  }

  fail(): void {
    if (this.#source === undefined) return;
    this.#source = undefined;
    this.#file = -1;
    // A client whose connection closes without a byte of a response may send its request again. But a body that ends with
    // the connection would look whole.
    if (this.framing === "close") this.#dropHead();
    else this.flushHead();
    this.#uncork();
    this.#host.responseSent(false);
  }

  // The source may deliver within the pull, and the sink pull again within the piece: a loop, not a recursion.
  #pull(): void {
    if (this.#pulling) return;
    this.#pulling = true;
    do {
      this.#pulled = true;
      this.#source?.pull();
    } while (
      !this.#pulled && this.#file < 0 && this.#source !== undefined &&
      this.#host.socket.queuedBytes < MAX_QUEUED_BYTES
    );
    this.#pulling = false;
  }

  #tooLong(): void {
    this.abandon("The body is longer than its Content-Length");
    this.#host.responseSent(false);
  }

  /** Sends as much of the current range as the system takes, with the head in front of it. */
  #sendFile(): void {
    const { socket } = this.#host;
    if (this.headWaits) {
      socket.cork();
      this.flushHead();
    }
    const source = this.#source as BodySource;
    const bytes = this.#fileEnd - this.#fileStart;
    const taken = socket.sendFile?.(this.#file, this.#fileStart, bytes) ?? -1;
    if (taken < 0) {
      this.#file = -1;
      this.#leftBytes += bytes;
      this.#pulled = true;
      return source.fileRefused?.(this.#fileStart);
    }
    this.#fileStart += taken;
    this.writtenBytes += taken;
    if (taken === bytes) this.#file = -1;
    if (taken > 0) source.fileTaken?.(taken);
    if (taken === bytes && this.#source === source) this.#pull();
  }

  #sendWhole({ bytes, end, closing }: OutgoingHead, body: Uint8Array<ArrayBuffer>, ownership: Ownership): void {
    const { socket } = this.#host;
    if (bytes === this.#memory && end + body.length <= Math.min(MAX_COPIED_BYTES, bytes.length)) {
      bytes.set(body, end);
      this.#write(this.#views.of(end + body.length), "lent", closing);
      return;
    }
    socket.cork();
    this.#write(this.#views.frontOf(bytes, end), "lent");
    this.#write(body, ownership);
    socket.uncork();
  }

  #sendPlain(bytes: Uint8Array<ArrayBuffer>, ownership: Ownership): void {
    if (!this.headWaits) return this.#write(bytes, ownership);
    if (this.#headBytes + bytes.length <= Math.min(MAX_COPIED_BYTES, this.#memory.length)) {
      const end = this.#putHead();
      this.#memory.set(bytes, end);
      this.#write(this.#views.of(end + bytes.length), "lent");
      return release(bytes, ownership);
    }
    const { socket } = this.#host;
    socket.cork();
    this.flushHead();
    this.#write(bytes, ownership);
    socket.uncork();
  }

  #sendChunk(bytes: Uint8Array<ArrayBuffer>, ownership: Ownership): void {
    // Before the chunk is composed: the memory is the driver's.
    this.#cork();
    const total = this.#headBytes + CHUNK_OVERHEAD_BYTES + bytes.length;
    if (total <= Math.min(MAX_COPIED_BYTES, this.#memory.length)) {
      const end = putChunk(this.#memory, this.#putHead(), bytes);
      this.#write(this.#views.of(end), "lent");
      return release(bytes, ownership);
    }
    this.flushHead();
    this.sendText(`${bytes.length.toString(16)}\r\n`);
    this.#write(bytes, ownership);
    this.#write(LINE_END, "shared");
  }

  #sendLastChunk(trailers: readonly string[] | undefined): void {
    const last = trailers === undefined || !this.#takesTrailers ? undefined : checkedTrailers(trailers);
    if (this.headWaits) {
      this.#cork();
      this.flushHead();
    }
    if (last === undefined) this.#write(LAST_CHUNK, "shared");
    else this.sendText(lastChunk(last));
    this.#uncork();
  }

  #holdHead({ bytes, end }: OutgoingHead): void {
    const index = bufferIndex(end);
    const head = index < 0 ? new Uint8Array(end) : takeBuffer(index);
    head.set(bytes.subarray(0, end));
    this.#head = head;
    this.#headBytes = end;
  }

  /** Moves the head that waits, if one does, to the front of the memory. Returns where it ends. */
  #putHead(): number {
    const end = this.#headBytes;
    if (end > 0) this.#memory.set(this.#head.subarray(0, end));
    this.#dropHead();
    return end;
  }

  #dropHead(): void {
    if (this.#headBytes === 0) return;
    releaseBuffer(this.#head);
    this.#head = NOTHING;
    this.#headBytes = 0;
  }

  // The last chunk usually follows within the same turn: it goes out with the piece before.
  #cork(): void {
    if (this.#corked) return;
    this.#corked = true;
    this.#host.socket.cork();
    queueMicrotask(this.#uncorkLater ??= () => this.#uncork());
  }

  #uncork(): void {
    if (!this.#corked) return;
    this.#corked = false;
    // A socket that accepts all at once reports no drain.
    if (!this.#host.socket.closed && this.#host.socket.uncork()) this.drained();
  }

  #write(bytes: Uint8Array<ArrayBuffer>, ownership: Ownership, last = false): void {
    this.writtenBytes += bytes.length;
    this.#host.socket.write(bytes, ownership, last);
  }
}

/** Trailer lines that cannot break out of their lines, nor change how the message is framed or read. */
function checkedTrailers(lines: readonly string[]): HeaderLines | undefined {
  const kept: HeaderLines = [];
  for (let i = 0; i < lines.length; i += 2) {
    if (FORBIDDEN_TRAILERS.has(lines[i].toLowerCase()) || /[\r\n\0]/.test(lines[i] + lines[i + 1])) continue;
    kept.push(lines[i], lines[i + 1]);
  }
  return kept.length === 0 ? undefined : kept;
}

/** Fields that are none in a trailer section (RFC 9110, section 6.5.1): framing, routing, and the connection's own. */
const FORBIDDEN_TRAILERS: ReadonlySet<string> = new Set([
  "connection",
  "content-encoding",
  "content-length",
  "content-range",
  "content-type",
  "host",
  "keep-alive",
  "set-cookie",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** Larger messages are not put together by copying: the copy would cost more than it saves. */
const MAX_COPIED_BYTES = 16 * 1024;
/** Bytes that may wait to be accepted by the system before the next piece is pulled. */
const MAX_QUEUED_BYTES = 128 * 1024;
/** More zeros could be more digits than a client takes. */
const MAX_PROBES = 2;
const ZERO = new TextEncoder().encode("0");
const NOTHING = new Uint8Array(0);
const LINE_END = new TextEncoder().encode("\r\n");
