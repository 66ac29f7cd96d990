/**
 * One connection to an upstream, and the answer that is being read from it. While the connection idles a read stays
 * open on it, so that an upstream that closes, or says something unasked, takes itself out of the pool at once rather
 * than under the next request.
 *
 * @module
 */

import type { CoarseClock, Watched } from "../state/coarse_clock.ts";
import { AnswerFraming } from "./answer_framing.ts";
import { Deadlines, type SilenceLimits } from "./deadlines.ts";
import { closeQuietly, type Wire } from "./dial.ts";
import { TransportFailure } from "./failure.ts";
import { findHeadEnd, type HeadScan, malformed, parseHead, type UpstreamHead } from "./response_head.ts";

/** Bounds on silence and size. */
export interface ConnectionLimits extends SilenceLimits {
  /** Longest rest between two exchanges, in milliseconds. */
  readonly idleTimeoutMs: number;
  /** Largest head of an answer, in bytes. */
  readonly maxHeadBytes: number;
}

/** Whoever uses a connection for an exchange. */
export interface ConnectionUser {
  /** Called on each tick of the clock while the exchange lasts: time to look whether the client is still there. */
  onTick(): void;
  /** Called when the connection was aborted under the exchange. */
  onAborted(failure: TransportFailure): void;
}

/** A connection to one upstream. Owned by its pool; lent to one exchange at a time. */
export class Connection implements Watched {
  /** Exchanges that were finished on it. 0 means that it is fresh. */
  exchanges = 0;
  /** What is being waited for. */
  readonly deadlines: Deadlines;
  readonly #wire: Wire;
  readonly #clock: CoarseClock;
  readonly #limits: ConnectionLimits;
  readonly #onRetired: (connection: Connection) => void;

  #buffer = new Uint8Array(BUFFER_BYTES);
  #start = 0;
  #end = 0;
  #reading: Promise<void> | undefined;
  #ended = false;
  #readError: unknown;
  #out = new Uint8Array(OUT_BYTES);

  #user: ConnectionUser | undefined;
  #closed = false;
  #failure: TransportFailure | undefined;
  #idleDeadlineMs = 0;
  #idleTimeoutMs: number;

  // The answer that is being read.
  #framing: AnswerFraming | undefined;
  #clean = true;
  #answered = false;
  #spare: Uint8Array<ArrayBuffer> | undefined;

  /** @param onRetired Called once when the connection closes, for whatever reason. */
  constructor(
    wire: Wire,
    clock: CoarseClock,
    limits: ConnectionLimits,
    onRetired: (connection: Connection) => void,
  ) {
    this.#wire = wire;
    this.#clock = clock;
    this.#limits = limits;
    this.deadlines = new Deadlines(clock, limits);
    this.#idleTimeoutMs = limits.idleTimeoutMs;
    this.#onRetired = onRetired;
    clock.watch(this);
  }

  /** Whether it is of no more use. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Whether any byte of an answer to the current request has arrived. */
  get answered(): boolean {
    return this.#answered;
  }

  /** Lends the connection to an exchange. */
  begin(user: ConnectionUser): void {
    this.#user = user;
    this.#idleDeadlineMs = 0;
    this.#answered = false;
    this.#failure = undefined;
    this.#clean = true;
    this.#framing = undefined;
  }

  /**
   * Sends a request's head, and what of its body is at hand, in one write.
   *
   * @param head The head as text, one character a byte, with its empty line.
   * @throws {TransportFailure} `closed_unanswered`, `write_timeout`, or what {@linkcode abort} was given.
   */
  sendHead(head: string, body?: Uint8Array): Promise<void> {
    // Lent, but not yet used: what came in the meantime answers nothing that was asked.
    if (this.#end > this.#start || this.#ended) {
      return Promise.reject(new TransportFailure("closed_unused", "The kept connection ended before it was used"));
    }
    const size = head.length + (body?.length ?? 0);
    if (this.#out.length < size) this.#out = new Uint8Array(size + OUT_BYTES);
    // Heads are almost always ASCII, where the encoder is fastest; other bytes are written one by one. A head that
    // fills the buffer may be cut off there, with as many bytes written as it should have.
    const { read, written } = encoder.encodeInto(head, this.#out);
    if (read !== head.length || written !== head.length) writeLatin1(head, this.#out);
    if (body !== undefined) this.#out.set(body, head.length);
    return this.send(this.#out.subarray(0, size));
  }

  /** Sends bytes as they are. `bytes` must not change until the promise settles. Throws as {@linkcode sendHead} does. */
  async send(bytes: Uint8Array): Promise<void> {
    let rest = bytes;
    try {
      while (rest.length > 0) {
        this.deadlines.awaitWrite();
        const taken = await this.#wire.write(rest);
        if (taken === rest.length) break;
        rest = rest.subarray(taken);
      }
    } catch (error) {
      // The system tells of a reset once. A body that lasts until the end must not take what follows for its end.
      this.#readError ??= error;
      throw this.#failure ??
        new TransportFailure("closed_unanswered", "The upstream closed while it was sent to", error);
    } finally {
      this.deadlines.endWrite();
    }
  }

  /**
   * Reads the head of the answer; interim answers (1xx) are passed over.
   *
   * @param method The request's method, which decides whether a body follows.
   * @throws {TransportFailure} `closed_unanswered`, `closed_in_head`, `malformed`, `read_timeout`, or what
   * {@linkcode abort} was given.
   */
  async readHead(method: string): Promise<UpstreamHead> {
    const scan: HeadScan = { at: this.#start, lineStart: this.#start, high: false };
    let interim = 0;
    for (;;) {
      if (this.#end > scan.at) {
        this.#answered = true;
        const headEnd = findHeadEnd(this.#buffer, this.#end, scan);
        if (headEnd >= 0) {
          const head = parseHead(this.#buffer, this.#start, headEnd, scan.high);
          this.#start = headEnd;
          if (head.status >= 200 || head.status === 101) {
            this.#frame(head, method);
            return head;
          }
          if (++interim > INTERIM_LIMIT) throw malformed("it sends interim answers without end");
          scan.at = scan.lineStart = headEnd;
          scan.high = false;
          continue;
        }
      }
      this.#makeRoom(scan);
      this.deadlines.awaitRead();
      await (this.#reading ??= this.#startRead());
      this.deadlines.endRead();
      if (this.#failure !== undefined) throw this.#failure;
      if (!this.#ended) continue;
      // An interim answer is an answer: the upstream may have acted.
      const kind = this.#answered ? "closed_in_head" : "closed_unanswered";
      throw this.#lost(kind, kind === "closed_in_head" ? "within its answer's head" : "before it answered");
    }
  }

  /** The whole body, if all of it is here already: null when there is none, undefined when more must be read. */
  wholeBody(): Uint8Array<ArrayBuffer> | null | undefined {
    const framing = this.#framing as AnswerFraming;
    if (framing.kind === "none") return null;
    const payloadEnd = framing.take(this.#buffer, this.#start, this.#end);
    if (!framing.done) {
      // What is taken waits as the first chunk.
      this.#end = payloadEnd;
      return undefined;
    }
    const body = this.#buffer.slice(this.#start, payloadEnd);
    this.#start = framing.consumed;
    return body;
  }

  /** Whether the last piece of the body has been handed out. */
  get bodyEnded(): boolean {
    return this.#framing?.done === true && this.#start === this.#end;
  }

  /**
   * The next piece of the body, or null behind its end. Call after {@linkcode wholeBody} gave undefined.
   *
   * @throws {TransportFailure} `closed_in_body`, `malformed`, `read_timeout`, or what {@linkcode abort} was given.
   */
  async nextChunk(): Promise<Uint8Array<ArrayBuffer> | null> {
    const framing = this.#framing as AnswerFraming;
    if (this.#start < this.#end) {
      const chunk = this.#buffer.slice(this.#start, this.#end);
      this.#start = this.#end;
      return chunk;
    }
    while (!framing.done) {
      const target = this.#spare ?? new Uint8Array(CHUNK_BYTES);
      this.#spare = undefined;
      const read = await this.#readInto(target);
      if (read === null) {
        if (framing.kind === "close" && this.#readError === undefined && !this.#wire.endUnproven) return null;
        throw this.#lost("closed_in_body", "within its answer's body");
      }
      const payload = framing.take(target, 0, read);
      // More than it said: the rest belongs to nobody, and the connection is not used again.
      if (framing.consumed < read) this.#clean = false;
      if (payload > 0) return this.#handOver(target, payload);
      this.#spare = target;
    }
    return null;
  }

  /**
   * Ends the exchange.
   *
   * @param sent Whether the whole request was sent.
   * @returns Whether the connection can be used again; if not it is closed.
   */
  finish(sent: boolean): boolean {
    this.#user = undefined;
    this.deadlines.endClient();
    this.deadlines.endUpload();
    this.deadlines.uploading = false;
    this.#spare = undefined;
    const usable = sent && this.#framing?.done === true && this.#framing.persistent && this.#clean &&
      this.#start === this.#end && !this.#ended && !this.#closed;
    if (!usable) {
      this.close();
      return false;
    }
    this.exchanges++;
    this.#start = 0;
    this.#end = 0;
    this.#idleDeadlineMs = this.#clock.nowMs + this.#idleTimeoutMs;
    if (this.#buffer.length > BUFFER_BYTES) this.#buffer = new Uint8Array(BUFFER_BYTES);
    if (this.#out.length > 4 * OUT_BYTES) this.#out = new Uint8Array(OUT_BYTES);
    this.#reading = this.#startRead();
    return true;
  }

  /** Ends the exchange by force: reads and writes under way fail with `failure`. */
  abort(failure: TransportFailure): void {
    const user = this.#user;
    this.#failure ??= failure;
    this.close();
    user?.onAborted(this.#failure);
  }

  /** Closes the connection. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#user = undefined;
    this.#clock.unwatch(this);
    closeQuietly(this.#wire);
    this.#onRetired(this);
  }

  /** Enforces the deadlines. */
  tick(nowMs: number): void {
    if (this.#user === undefined) {
      if (this.#idleDeadlineMs !== 0 && nowMs > this.#idleDeadlineMs) this.close();
      return;
    }
    const failure = this.deadlines.expired(nowMs);
    if (failure !== undefined) return this.abort(failure);
    this.#user.onTick();
  }

  #frame(head: UpstreamHead, method: string): void {
    this.#framing = new AnswerFraming(head, method);
    if (head.keepAliveMs > 0) {
      // The upstream counts from when it sent, so its word is undercut by a second, or by half where it gives less.
      const margin = Math.min(1000, head.keepAliveMs / 2);
      this.#idleTimeoutMs = Math.min(this.#limits.idleTimeoutMs, head.keepAliveMs - margin);
    }
  }

  // A head that does not fit goes to the front of the buffer, or into a larger one.
  #makeRoom(scan: HeadScan): void {
    if (this.#end < this.#buffer.length) return;
    if (this.#end - this.#start >= this.#limits.maxHeadBytes) {
      throw malformed(`its head is larger than ${this.#limits.maxHeadBytes} bytes`);
    }
    const shift = this.#start;
    if (shift > 0) {
      this.#buffer.copyWithin(0, shift, this.#end);
    } else {
      const larger = new Uint8Array(Math.min(this.#buffer.length * 2, this.#limits.maxHeadBytes + BUFFER_BYTES));
      larger.set(this.#buffer);
      this.#buffer = larger;
    }
    this.#start -= shift;
    this.#end -= shift;
    scan.at -= shift;
    scan.lineStart -= shift;
  }

  #startRead(): Promise<void> {
    return this.#wire.read(this.#buffer.subarray(this.#end)).then(this.#arrived, this.#broke);
  }

  readonly #arrived = (read: number | null): void => {
    this.#reading = undefined;
    if (read === null) this.#ended = true;
    else this.#end += read;
    // Nothing was asked: the upstream closes, or speaks out of turn. Either way the connection is spent.
    if (this.#user === undefined && read !== 0) this.close();
  };

  readonly #broke = (error: unknown): void => {
    this.#reading = undefined;
    this.#ended = true;
    this.#readError = error;
    if (this.#user === undefined) this.close();
  };

  async #readInto(target: Uint8Array): Promise<number | null> {
    this.deadlines.awaitRead();
    try {
      for (;;) {
        const read = await this.#wire.read(target);
        if (this.#failure !== undefined) throw this.#failure;
        if (read !== 0) return read;
      }
    } catch (error) {
      if (error === this.#failure) throw error;
      this.#readError = error;
      if (this.#failure !== undefined) throw this.#failure;
      return null;
    } finally {
      this.deadlines.endRead();
    }
  }

  // A well-filled buffer is handed over as it is; a few bytes are copied out, so that small events do not pin memory.
  #handOver(target: Uint8Array<ArrayBuffer>, payload: number): Uint8Array<ArrayBuffer> {
    if (payload * 4 >= target.length) return target.subarray(0, payload);
    this.#spare = target;
    return target.slice(0, payload);
  }

  #lost(kind: "closed_unanswered" | "closed_in_head" | "closed_in_body", where: string): TransportFailure {
    return this.#failure ?? new TransportFailure(kind, `The upstream closed the connection ${where}`, this.#readError);
  }
}

const BUFFER_BYTES = 16 * 1024;
const OUT_BYTES = 2 * 1024;
const CHUNK_BYTES = 64 * 1024;
const INTERIM_LIMIT = 32;
const encoder = new TextEncoder();

function writeLatin1(text: string, target: Uint8Array): void {
  for (let i = 0; i < text.length; i++) target[i] = text.charCodeAt(i);
}
