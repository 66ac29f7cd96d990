/**
 * An end of a relay over a plain connection, with frames of our own: what the upstream's end is, where the proxy is the
 * WebSocket client. It has what the runtime's own client hides: back-pressure, every close code, and strictness.
 *
 * @module
 */

import type { CoarseClock } from "../../state/coarse_clock.ts";
import { closeQuietly, type Wire } from "../../sockets/wire.ts";
import type { FailureOwner } from "../../failure/failure.ts";
import { detachBuffer } from "../../http/detach_buffer.ts";
import type { CloseStatus } from "./close_status.ts";
import { closePayload, encodeFrame, Opcode } from "./frame.ts";
import { FrameDecoder, FrameError, type FrameSink } from "./frame_decoder.ts";
import type { Message, SocketEnd, SocketEndListener } from "./socket_end.ts";

/** How a framed socket behaves. */
export interface FramedSocketOptions {
  /** Whether it is the client of the two: a client masks what it sends, a server does not. */
  readonly client: boolean;
  /** Who the peer is, for messages and blame. */
  readonly peer: FailureOwner;
  /** Bytes that were read before: they come first. */
  readonly early: Uint8Array;
  /** The clock that deadlines go by. */
  readonly clock: CoarseClock;
  /** Largest message that the peer may send, in bytes. */
  readonly maxMessageBytes: number;
  /** Time between two pings, in milliseconds; 0 for none. */
  readonly pingIntervalMs: number;
  /** Longest silence of the peer, pongs included, in milliseconds; 0 for no limit. */
  readonly idleTimeoutMs: number;
  /** Longest time for the peer's Close frame once ours is sent, in milliseconds. */
  readonly closeTimeoutMs: number;
}

/** A WebSocket over a {@linkcode Wire}, which it owns. */
export class FramedSocket implements SocketEnd, FrameSink {
  /** Bytes that wait to be written, frame heads included, and what each frame takes besides. */
  bufferedBytes = 0;
  readonly #wire: Wire;
  readonly #options: FramedSocketOptions;
  readonly #decoder: FrameDecoder;
  #listener: SocketEndListener | undefined;
  #queue: Uint8Array<ArrayBuffer>[] = [];
  #writing = false;
  #closeSent = false;
  #closeReceived = false;
  #readEnded = false;
  #writeBroken = false;
  #discarding = false;
  #ended = false;
  #paused = false;
  #resumed: (() => void) | undefined;
  #heardMs = 0;
  #pingedMs = 0;
  #deadlineMs = 0;

  /** Takes over a connection on which the handshakes are done. */
  constructor(wire: Wire, options: FramedSocketOptions) {
    this.#wire = wire;
    this.#options = options;
    const { client, maxMessageBytes } = options;
    this.#decoder = new FrameDecoder(this, { masked: !client, maxMessageBytes });
  }

  /** Begins to read. */
  start(listener: SocketEndListener): void {
    this.#listener = listener;
    this.#heardMs = this.#pingedMs = this.#options.clock.nowMs;
    listener.onOpen();
    this.#read();
  }

  /** Sends a message as one frame. */
  send({ text, bytes }: Message): void {
    if (!this.#closeSent) this.#enqueue(text ? Opcode.TEXT : Opcode.BINARY, bytes);
  }

  /** Sends a Close frame. With the peer's own it ends the connection. */
  close(status: CloseStatus): void {
    if (this.#closeSent || this.#ended) return;
    this.#enqueue(Opcode.CLOSE, closePayload(status));
    this.#closeSent = true;
    this.#deadlineMs = this.#options.clock.nowMs + this.#options.closeTimeoutMs;
    this.resume();
    this.#closing();
  }

  /** Stops reading. */
  pause(): boolean {
    if (!this.#closeSent) this.#paused = true;
    return true;
  }

  /** Reads on. */
  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    // While nothing was read, nothing could be heard.
    this.#heardMs = this.#options.clock.nowMs;
    this.#resumed?.();
  }

  /** Closes the connection. */
  destroy(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#queue = [];
    this.bufferedBytes = 0;
    this.#resumed?.();
    closeQuietly(this.#wire);
    this.#listener?.onEnded();
  }

  /** Sends pings, and finds out about peers that are gone. */
  tick(): void {
    if (this.#ended || this.#listener === undefined) return;
    const { clock: { nowMs }, pingIntervalMs, idleTimeoutMs } = this.#options;
    if (this.#closeSent) {
      if (nowMs > this.#deadlineMs) this.destroy();
      return;
    }
    if (idleTimeoutMs > 0 && !this.#paused && !this.#closeReceived && nowMs - this.#heardMs > idleTimeoutMs) {
      this.#lose(`was silent for ${idleTimeoutMs} ms`);
      this.destroy();
    } else if (pingIntervalMs > 0 && nowMs - this.#pingedMs >= pingIntervalMs) {
      this.#pingedMs = nowMs;
      // What waits to be written draws answers enough.
      if (this.bufferedBytes === 0) this.#enqueue(Opcode.PING, NOTHING);
    }
  }

  /** From the decoder: a whole message. */
  onMessage(message: Message): void {
    this.#listener?.onMessage(message);
  }

  /** From the decoder: answered here, as it asks after this hop. */
  onPing(payload: Uint8Array<ArrayBuffer>): void {
    // Pings without end from a peer that reads nothing must not fill the memory; not each needs an answer (section 5.5.3).
    if (!this.#closeSent && this.bufferedBytes < PONG_LIMIT_BYTES) this.#enqueue(Opcode.PONG, payload);
  }

  /** From the decoder: that something was heard is noted already. */
  onPong(): void {}

  /** From the decoder: the peer closes. */
  onClose(status: CloseStatus): void {
    this.#closeReceived = true;
    this.#listener?.onClose(status);
    this.#closing();
  }

  async #read(): Promise<void> {
    let buffer = new Uint8Array(SMALL_READ_BYTES);
    try {
      await this.#decodeAll(this.#options.early);
      for (;;) {
        while (this.#paused) await new Promise<void>((resolve) => this.#resumed = resolve);
        if (this.#ended) return;
        const count = await this.#wire.read(buffer);
        if (count === null) break;
        this.#heardMs = this.#options.clock.nowMs;
        const rest = this.#decode(buffer.subarray(0, count));
        if (rest.length > 0) await this.#decodeAll(rest);
        // Thousands of sockets that say little need little room.
        const size = count === buffer.length ? LARGE_READ_BYTES : count < SMALL_READ_BYTES ? SMALL_READ_BYTES : 0;
        if (size > 0 && size !== buffer.length) buffer = new Uint8Array(size);
      }
    } catch (error) {
      if (this.#ended) return;
      if (!this.#closeReceived) this.#lose(`broke the connection: ${reasonOf(error)}`);
      return this.destroy();
    }
    if (this.#ended) return;
    if (!this.#closeReceived) this.#lose("closed the connection without a Close frame");
    this.#readEnded = true;
    this.#closing();
  }

  // Thousands of frames fit into one read. Others are served in between.
  async #decodeAll(bytes: Uint8Array): Promise<void> {
    let startMs = performance.now();
    for (let rest = this.#decode(bytes); rest.length > 0 && !this.#ended; rest = this.#decode(rest)) {
      await new Promise((resolve) => setTimeout(resolve, performance.now() - startMs));
      while (this.#paused) await new Promise<void>((resolve) => this.#resumed = resolve);
      startMs = performance.now();
    }
  }

  /** What is left once there have been many frames. */
  #decode(bytes: Uint8Array): Uint8Array {
    if (this.#discarding) return NOTHING;
    try {
      return bytes.subarray(this.#decoder.push(bytes, TURN_FRAMES));
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      // Read on, to the end or the deadline: to close with bytes unread would take the Close frame from the peer.
      this.#discarding = true;
      this.#lose(`broke the WebSocket protocol: it sends ${error.message}`);
      this.close({ code: error.code, reason: "" });
      return NOTHING;
    }
  }

  #lose(what: string): void {
    if (this.#closeReceived) return;
    this.#closeReceived = true;
    this.#listener?.onLost({ cause: `The ${this.#options.peer} ${what}`, owner: this.#options.peer });
  }

  // When both have closed, the connection ends; the server of the two closes it first (RFC 6455, section 7.1.1).
  #closing(): void {
    if (this.#ended || !this.#closeSent || !this.#closeReceived || this.#writing) return;
    if (this.#readEnded || this.#writeBroken || !this.#options.client) return this.destroy();
    this.#deadlineMs = this.#options.clock.nowMs + LINGER_MS;
  }

  #enqueue(opcode: number, payload: Uint8Array): void {
    if (this.#writeBroken || this.#ended) return;
    const frame = encodeFrame(opcode, payload, { masked: this.#options.client });
    this.#queue.push(frame);
    this.bufferedBytes += frame.length + FRAME_OVERHEAD;
    if (!this.#writing) this.#write();
  }

  async #write(): Promise<void> {
    this.#writing = true;
    try {
      while (this.#queue.length > 0) {
        const frames = this.#queue;
        this.#queue = [];
        for (const batch of batches(frames, (count) => this.bufferedBytes -= count * FRAME_OVERHEAD)) {
          await this.#writeAll(batch);
          detachBuffer(batch);
        }
      }
    } catch {
      // Reading goes on: what the peer sent before it closed is still to come, and tells why.
      this.#writeBroken = true;
      this.#queue = [];
      this.bufferedBytes = 0;
    }
    this.#writing = false;
    this.#closing();
  }

  async #writeAll(bytes: Uint8Array): Promise<void> {
    let rest = bytes;
    while (rest.length > 0) {
      const count = await this.#wire.write(rest);
      rest = rest.subarray(count);
      if (this.#ended) return;
      this.bufferedBytes -= count;
      // As long as the peer takes bytes, its Close frame may be on its way behind what it is given.
      if (this.#closeSent) this.#deadlineMs = this.#options.clock.nowMs + this.#options.closeTimeoutMs;
    }
  }
}

/** What a frame that waits takes besides its bytes. */
const FRAME_OVERHEAD = 256;
const NOTHING = new Uint8Array(0);
/** Frames that are taken apart in a turn of the event loop. */
const TURN_FRAMES = 512;
const SMALL_READ_BYTES = 4 * 1024;
const LARGE_READ_BYTES = 64 * 1024;
const PONG_LIMIT_BYTES = 64 * 1024;
const BATCH_BYTES = 64 * 1024;
/** How long the server of the two is given to close the connection first. */
const LINGER_MS = 1000;

// Small frames go out together: a system call costs more than a copy.
function* batches(
  frames: Uint8Array<ArrayBuffer>[],
  onTaken: (count: number) => void,
): Generator<Uint8Array<ArrayBuffer>> {
  for (let from = 0; from < frames.length;) {
    let to = from + 1;
    let size = frames[from].length;
    while (to < frames.length && size + frames[to].length <= BATCH_BYTES) size += frames[to++].length;
    onTaken(to - from);
    if (to === from + 1) {
      yield frames[from];
    } else {
      const batch = new Uint8Array(size);
      let at = 0;
      for (; from < to; from++) {
        batch.set(frames[from], at);
        at += frames[from].length;
      }
      yield batch;
    }
    from = to;
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
