/**
 * A socket over a wire of the runtime: TCP, TLS or unix. At most one read and one write are pending. A read stays
 * pending while nothing arrives, so that the end of the connection is noticed at once; it keeps the process alive, as
 * pending reads of the runtime do.
 *
 * @module
 */

import type { Ownership } from "../http/body.ts";
import { StallTolerantTimer } from "../state/stall_tolerant_timer.ts";
import { notifyFailed } from "./notify_failed.ts";
import type { Socket, SocketHandler } from "./socket.ts";
import { BUFFER_BYTES, returnBuffer, takeBuffer } from "./socket_buffers.ts";
import type { TlsSession } from "./tls_session.ts";
import { closeQuietly, type Wire } from "./wire.ts";
import { WriteQueue } from "./write_queue.ts";

/** How long bytes that had arrived before a write failed may take to be read. */
const LAST_READ_MS = 100;

const NOTHING = new Uint8Array(0);

/** Placeholder until the owner has set its handler. */
const NO_HANDLER: SocketHandler = { received() {}, drained() {}, ended() {}, failed() {} };

/** A connection of the runtime. */
export class RuntimeSocket implements Socket {
  handler: SocketHandler = NO_HANDLER;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly endUnproven: boolean;
  readonly tls: TlsSession | undefined;
  readonly #wire: Wire;
  #closed = false;

  // State of reading.
  #begun = false;
  #paused = false;
  #reading = false;
  #receiving = false;
  #ended = false;
  #buffer: Uint8Array<ArrayBuffer> | undefined;
  /** Size of the next buffer, as an index of {@linkcode BUFFER_BYTES}. */
  #size = 0;
  /** Bytes in {@linkcode #buffer} that arrived during a pause. */
  #heldBytes = 0;
  #passing = false;

  // State of writing.
  readonly #queue = new WriteQueue();
  #writing = false;
  #corked = false;
  #drainAwaited = false;
  #ending = false;
  #unwritten: Error | undefined;
  #checking = false;
  #lastRead: StallTolerantTimer | undefined;

  /**
   * Takes over an open wire. Nothing is read before {@linkcode begin}.
   *
   * @param remoteAddress IP address of the peer without brackets; empty for a unix socket.
   */
  constructor(wire: Wire, remoteAddress = "", remotePort = 0, tls?: TlsSession) {
    this.#wire = wire;
    this.remoteAddress = remoteAddress;
    this.remotePort = remotePort;
    this.endUnproven = wire.endUnproven === true;
    this.tls = tls;
  }

  get queuedBytes(): number {
    return this.#queue.bytes;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Begins to read, once the owner has set its handler. */
  begin(): void {
    this.#begun = true;
    this.#continue();
  }

  /** Ends the socket with an error, which the handler gets. */
  fail(error: unknown): void {
    if (this.#closed) return;
    this.close();
    notifyFailed(this.handler, error);
  }

  /** Returns the open wire of a socket on which nothing was read or written. The socket itself is closed. */
  detach(): Wire {
    this.#closed = true;
    return this.#wire;
  }

  write(bytes: Uint8Array<ArrayBuffer>, ownership: Ownership): boolean {
    if (this.#closed || this.#ending || this.#unwritten !== undefined) return false;
    if (bytes.length > 0) this.#queue.add(bytes, ownership, this.#corked);
    return this.#flush();
  }

  cork(): void {
    this.#corked = true;
  }

  uncork(): boolean {
    this.#corked = false;
    return this.#flush();
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#continue();
  }

  // The end of the peer is not known before the bytes in front of it are read. A reset is: it fails a write, one of no
  // bytes too.
  checkPeer(): boolean {
    if (!this.#closed && this.#paused && !this.#writing && !this.#checking && !this.#ending) {
      this.#checking = true;
      this.#wire.write(NOTHING).then(this.#checked, this.#checkFailed);
    }
    return this.#ended;
  }

  end(): void {
    if (this.#closed || this.#ending) return;
    this.#ending = true;
    this.#corked = false;
    if (this.#flush()) this.#shutdown();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#lastRead?.stop();
    closeQuietly(this.#wire);
    // The runtime may still use the buffers of a pending read and a pending write.
    if (!this.#reading && !this.#receiving) this.#releaseRead();
    if (!this.#writing) this.#queue.clear();
  }

  // The runtime cannot send a reset.
  reset(): void {
    this.close();
  }

  #continue(): void {
    if (!this.#begun || this.#paused || this.#closed || this.#reading || this.#receiving) return;
    if (this.#heldBytes === 0) return this.#read();
    if (this.#passing) return;
    this.#passing = true;
    queueMicrotask(this.#passHeld);
  }

  readonly #passHeld = (): void => {
    this.#passing = false;
    if (this.#paused || this.#closed) return;
    const count = this.#heldBytes;
    this.#heldBytes = 0;
    this.#receive(count);
  };

  #read(): void {
    if (this.#ended) return;
    this.#reading = true;
    this.#buffer ??= takeBuffer(this.#size);
    this.#wire.read(this.#buffer).then(this.#arrived, this.#broke);
  }

  readonly #arrived = (count: number | null): void => {
    this.#reading = false;
    if (this.#closed) return this.#releaseRead();
    if (count === null) return this.#end();
    if (count === 0) return this.#continue();
    if (this.#paused) this.#heldBytes = count;
    else this.#receive(count);
  };

  readonly #broke = (error: unknown): void => {
    this.#reading = false;
    if (this.#closed) return this.#releaseRead();
    this.fail(this.#unwritten ?? error);
  };

  #receive(count: number): void {
    const buffer = this.#buffer as Uint8Array<ArrayBuffer>;
    this.#receiving = true;
    try {
      this.handler.received(buffer, 0, count);
    } catch (error) {
      this.fail(error);
    }
    this.#receiving = false;
    if (this.#closed) return this.#releaseRead();
    this.#resize(count, buffer.length);
    this.#continue();
  }

  // A pending read cannot be taken back, and holds its buffer for as long as the connection idles: so buffers become
  // larger only while they are filled.
  #resize(count: number, length: number): void {
    if (count === length) {
      if (this.#size === BUFFER_BYTES.length - 1) return;
      this.#size++;
    } else if (this.#size > 0 && count < length / 2) {
      this.#size = count <= BUFFER_BYTES[0] ? 0 : this.#size - 1;
    } else {
      return;
    }
    this.#releaseRead();
  }

  #releaseRead(): void {
    if (this.#buffer !== undefined) returnBuffer(this.#buffer);
    this.#buffer = undefined;
    this.#heldBytes = 0;
  }

  #end(): void {
    this.#ended = true;
    this.#releaseRead();
    if (this.#unwritten !== undefined) return this.fail(this.#unwritten);
    try {
      this.handler.ended();
    } catch (error) {
      this.fail(error);
    }
  }

  /** Sends what is queued. Returns whether nothing is. */
  #flush(): boolean {
    if (this.#queue.bytes === 0) return true;
    this.#drainAwaited = true;
    if (!this.#writing && !this.#corked) this.#send();
    return false;
  }

  #send(): void {
    this.#writing = true;
    this.#wire.write(this.#queue.front()).then(this.#wrote, this.#failed);
  }

  readonly #wrote = (count: number): void => {
    this.#writing = false;
    if (this.#closed) return this.#queue.clear();
    this.#queue.taken(count);
    if (this.#queue.bytes > 0) {
      if (!this.#corked) this.#send();
      return;
    }
    if (this.#ending) this.#shutdown();
    if (!this.#drainAwaited) return;
    this.#drainAwaited = false;
    try {
      this.handler.drained();
    } catch (error) {
      this.fail(error);
    }
  };

  // Bytes that arrived before the connection broke are passed on first: a server may respond, close, and not read the
  // rest of the request.
  readonly #failed = (error: unknown): void => {
    this.#writing = false;
    this.#queue.clear();
    if (this.#closed) return;
    if (!this.#reading || this.#paused) return this.fail(error);
    this.#unwritten = error instanceof Error ? error : new Error(String(error));
    this.#lastRead = new StallTolerantTimer(() => this.fail(error), LAST_READ_MS);
  };

  readonly #checked = (): void => {
    this.#checking = false;
  };

  readonly #checkFailed = (error: unknown): void => {
    this.#checking = false;
    if (this.#paused) this.fail(error);
  };

  #shutdown(): void {
    // A connection that is broken already shows in the read.
    this.#wire.closeWrite?.().catch(ignore);
  }
}

function ignore(): void {}
