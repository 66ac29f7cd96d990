/**
 * One connection to an upstream, and the response that is read from it. A read stays pending while the connection is
 * idle, so that it leaves the pool as soon as the upstream closes it or sends unexpected bytes.
 *
 * @module
 */

import type { CoarseClock, Watched } from "../../state/coarse_clock.ts";
import type { BodyDecoder } from "../../http1/body_decoder.ts";
import { Deadlines, type SilenceLimits } from "./deadlines.ts";
import { closeQuietly, type Wire } from "../../sockets/wire.ts";
import { brokenConnection, type TransportFailure, unusedConnection } from "../../failure/failure.ts";
import type { ConnectionsConfig } from "../config/connections_schema.ts";
import { RequestWriter } from "./request_writer.ts";
import { ResponseInput } from "./response_input.ts";
import type { ResponseHead } from "../../http1/response_head.ts";

/** Limits of silence and size. */
export interface ConnectionLimits extends SilenceLimits, Pick<ConnectionsConfig, "idle_timeout"> {
  /** Largest head of a response, in bytes. */
  readonly maxHeadBytes: number;
}

/** The user of a connection during an exchange. */
export interface ConnectionUser {
  /** Called on each tick of the clock during the exchange: the user checks whether the client has left. */
  onTick(): void;
  /** Called when the connection was aborted during the exchange. */
  onAborted(failure: TransportFailure): void;
}

/** A connection to one upstream. Owned by its pool; lent to one exchange at a time. */
export class Connection implements Watched {
  /** Finished exchanges; 0 on a new connection. */
  exchanges = 0;
  readonly deadlines: Deadlines;
  readonly #wire: Wire;
  readonly #writer: RequestWriter;
  readonly #clock: CoarseClock;
  readonly #limits: ConnectionLimits;
  readonly #onRetired: (connection: Connection) => void;
  readonly #input: ResponseInput;
  #reading = false;
  #ended = false;
  #readError: unknown;
  #user: ConnectionUser | undefined;
  #closed = false;
  #failure: TransportFailure | undefined;
  #idleDeadlineMs = 0;
  #idleTimeoutMs: number;

  // State of the awaited head.
  #method = "";
  #resolve: ((head: ResponseHead) => void) | undefined;
  #reject: ((failure: unknown) => void) | undefined;

  // State of the current response.
  #clean = true;
  #spare: Uint8Array<ArrayBuffer> | undefined;
  #pieceBytes = CHUNK_BYTES;

  /** @param onRetired Called once when the connection closes. */
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
    this.#input = new ResponseInput(limits.maxHeadBytes, () => this.deadlines.endRead());
    this.#writer = new RequestWriter(wire, this.deadlines, (error) => this.#failHead(this.#unwritten(error)));
    this.#idleTimeoutMs = limits.idle_timeout;
    this.#onRetired = onRetired;
    clock.watch(this);
  }

  /** Whether it can no longer be used. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Whether any byte of a response to the current request has arrived. */
  get responseBegun(): boolean {
    return this.#input.begun;
  }

  /** Lends the connection to an exchange, with its limits or those of the connection. */
  begin(user: ConnectionUser, limits: SilenceLimits = this.#limits): void {
    this.#user = user;
    this.deadlines.limits = limits;
    this.#idleDeadlineMs = 0;
    this.#input.begun = false;
    this.#failure = undefined;
    this.#clean = true;
    this.#input.body = undefined;
  }

  /**
   * Sends a whole request and reads the head of its response: {@linkcode sendHead} and {@linkcode readHead} in one
   * step, as most exchanges use it. `body` is copied before this returns.
   *
   * @param head The head as text, one character a byte, with its empty line.
   * @param method The request's method, which decides whether a body follows.
   * @throws {TransportFailure} As the two do.
   */
  ask(head: string, method: string, body?: Uint8Array): Promise<ResponseHead> {
    if (this.#spent) return Promise.reject(unusedConnection());
    this.#writer.post(head, body);
    return this.readHead(method);
  }

  /**
   * Sends a request's head and the bytes of its body that are given, in one write.
   *
   * @param head The head as text, one character a byte, with its empty line.
   * @throws {TransportFailure} `closed_unused`, `closed_unanswered`, `write_timeout`, or as {@linkcode abort}.
   */
  async sendHead(head: string, body?: Uint8Array): Promise<void> {
    if (this.#spent) throw unusedConnection();
    try {
      await this.#writer.sendHead(head, body);
    } catch (error) {
      throw this.#unwritten(error);
    }
  }

  /** Sends `bytes`, which must not change until the promise settles. Throws as {@linkcode sendHead} does. */
  async send(bytes: Uint8Array): Promise<void> {
    try {
      await this.#writer.send(bytes);
    } catch (error) {
      throw this.#unwritten(error);
    }
  }

  /**
   * Reads the head of the response; interim responses (1xx) are skipped.
   *
   * @param method The request's method, which decides whether a body follows.
   * @throws {TransportFailure} `closed_unanswered`, `closed_in_head`, `malformed`, `read_timeout`, or what
   * {@linkcode abort} was given.
   */
  readHead(method: string): Promise<ResponseHead> {
    this.#method = method;
    this.#input.beginHead();
    return new Promise(this.#awaitHead);
  }

  /** The whole body, if it has arrived: null when there is none, undefined when more must be read. */
  wholeBody(): Uint8Array<ArrayBuffer> | null | undefined {
    const input = this.#input;
    const body = input.body as BodyDecoder;
    if (body.kind === "none") return null;
    const payloadEnd = input.takeBody(input.bytes, input.start, input.end);
    if (!body.done) {
      // The bytes that have arrived become the first chunk.
      input.end = payloadEnd;
      return undefined;
    }
    const bytes = input.bytes.slice(input.start, payloadEnd);
    input.start = body.consumed;
    return bytes;
  }

  /** Whether the last piece of the body has been returned. */
  get bodyEnded(): boolean {
    return this.#input.body?.done === true && this.#input.empty;
  }

  /**
   * The next piece of the body, or null after its end. Called after {@linkcode wholeBody} returned undefined.
   *
   * @throws {TransportFailure} `closed_in_body`, `malformed`, `read_timeout`, or what {@linkcode abort} was given.
   */
  async nextChunk(): Promise<Uint8Array<ArrayBuffer> | null> {
    const input = this.#input;
    const body = input.body as BodyDecoder;
    if (!input.empty) {
      const chunk = input.bytes.slice(input.start, input.end);
      input.start = input.end;
      return chunk;
    }
    while (!body.done) {
      const target = this.#spare ?? new Uint8Array(chunkBytes(body, this.#pieceBytes));
      this.#spare = undefined;
      const read = await this.#readInto(target);
      if (read === null) {
        if (body.kind === "close" && this.#readError === undefined && !this.#wire.endUnproven) return null;
        throw this.#lost("closed_in_body", "within its answer's body");
      }
      // Larger pieces after one that was full: 1 MB costs 0.65 of what it costs in pieces of 64 KiB.
      this.#pieceBytes = read === target.length ? LARGE_CHUNK_BYTES : CHUNK_BYTES;
      const payload = input.takeBody(target, 0, read);
      // More bytes than the framing allows: the connection is not used again.
      if (body.consumed < read) this.#clean = false;
      if (payload > 0) return this.#handOver(target, payload);
      this.#spare = target;
    }
    return null;
  }

  /**
   * Ends the exchange.
   *
   * @param sent Whether the whole request was sent.
   * @returns Whether the connection can be used again; otherwise it is closed.
   */
  finish(sent: boolean): boolean {
    this.#user = undefined;
    this.deadlines.endClient();
    this.deadlines.endUpload();
    this.deadlines.uploading = false;
    this.#spare = undefined;
    const { body, persistent, empty } = this.#input;
    const usable = sent && body?.done === true && persistent && this.#clean && empty && !this.#ended && !this.#closed &&
      this.#writer.idle;
    if (!usable) {
      this.close();
      return false;
    }
    this.exchanges++;
    this.#input.clear();
    this.#writer.trim();
    this.rest();
    return true;
  }

  /** Makes the connection idle without an exchange, as one that was dialled and is not needed. */
  rest(): void {
    this.#idleDeadlineMs = this.#clock.nowMs + this.#idleTimeoutMs;
    this.#startRead();
  }

  /** Aborts the exchange: pending reads and writes fail with `failure`. */
  abort(failure: TransportFailure): void {
    const user = this.#user;
    this.#failure ??= failure;
    this.close();
    this.#failHead(this.#failure);
    user?.onAborted(this.#failure);
  }

  /** Closes the connection. */
  close(): void {
    if (!this.#closed) closeQuietly(this.detach());
  }

  /** Returns the open wire to another protocol; the connection itself is closed. */
  detach(): Wire {
    this.#closed = true;
    this.#user = undefined;
    this.#clock.unwatch(this);
    this.#onRetired(this);
    return this.#wire;
  }

  /** Bytes that arrived after the head of the response. */
  get early(): Uint8Array<ArrayBuffer> {
    return this.#input.bytes.slice(this.#input.start, this.#input.end);
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

  // Lent, but not yet used: bytes that arrived in the meantime belong to no request.
  get #spent(): boolean {
    return !this.#input.empty || this.#ended;
  }

  #unwritten(error: unknown): TransportFailure {
    // The system reports a reset once. A body framed by the end of the connection must not end normally then.
    this.#readError ??= error;
    if (this.#failure !== undefined) return this.#failure;
    // With a part of a response the upstream may have processed the request.
    const kind = this.responseBegun ? "closed_in_head" : "closed_unanswered";
    return brokenConnection(kind, "The upstream closed while it was sent to", error);
  }

  readonly #awaitHead = (resolve: (head: ResponseHead) => void, reject: (failure: unknown) => void): void => {
    this.#resolve = resolve;
    this.#reject = reject;
    this.#seekHead();
  };

  // Settles the promise of a head when the head has arrived or can no longer arrive.
  #seekHead(): void {
    try {
      const head = this.#input.takeHead();
      if (head !== undefined) {
        const resolve = this.#resolve;
        this.#frame(head);
        this.#resolve = this.#reject = undefined;
        this.deadlines.endRead();
        return resolve?.(head);
      }
    } catch (error) {
      return this.#failHead(error);
    }
    if (this.#failure !== undefined) return this.#failHead(this.#failure);
    if (this.#ended) {
      // After an interim response the upstream may have processed the request.
      const kind = this.responseBegun ? "closed_in_head" : "closed_unanswered";
      const where = this.responseBegun ? "within its answer's head" : "before it answered";
      return this.#failHead(this.#lost(kind, where));
    }
    this.deadlines.awaitHead();
    if (!this.#reading) this.#startRead();
  }

  #failHead(failure: unknown): void {
    const reject = this.#reject;
    if (reject === undefined) return;
    this.#resolve = this.#reject = undefined;
    this.deadlines.endRead();
    reject(failure);
  }

  #frame(head: ResponseHead): void {
    this.#input.beginBody(head, this.#method);
    if (head.keepAliveMs > 0) {
      // The upstream's Keep-Alive timeout began when it sent the response: subtract a second, at most half.
      const margin = Math.min(1000, head.keepAliveMs / 2);
      this.#idleTimeoutMs = Math.min(this.#limits.idle_timeout, head.keepAliveMs - margin);
    }
  }

  #startRead(): void {
    this.#reading = true;
    this.#wire.read(this.#input.room).then(this.#arrived, this.#broke);
  }

  readonly #arrived = (read: number | null): void => {
    this.#reading = false;
    if (read === null) this.#ended = true;
    else this.#input.end += read;
    if (this.#reject !== undefined) this.#seekHead();
    // No request was sent: the upstream closes, or sends unexpected bytes. The connection is closed either way.
    else if (this.#user === undefined && read !== 0) this.close();
  };

  readonly #broke = (error: unknown): void => {
    this.#reading = false;
    this.#ended = true;
    this.#readError = error;
    if (this.#reject !== undefined) this.#seekHead();
    else if (this.#user === undefined) this.close();
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

  // A well-filled buffer is handed over as it is; a few bytes are copied, so that a small event holds no large buffer.
  #handOver(target: Uint8Array<ArrayBuffer>, payload: number): Uint8Array<ArrayBuffer> {
    if (payload * 4 >= target.length) return target.subarray(0, payload);
    this.#spare = target;
    return target.slice(0, payload);
  }

  #lost(kind: "closed_unanswered" | "closed_in_head" | "closed_in_body", where: string): TransportFailure {
    return this.#failure ?? brokenConnection(kind, `The upstream closed the connection ${where}`, this.#readError);
  }
}

// The last piece needs the missing bytes, and one more to detect that too much was sent.
function chunkBytes(body: BodyDecoder, bytes: number): number {
  return body.kind === "length" ? Math.min(body.remaining + 1, bytes) : bytes;
}

const CHUNK_BYTES = 64 * 1024;
const LARGE_CHUNK_BYTES = 128 * 1024;
