/**
 * An end of a relay over a plain connection, with the frame codec of BWS: the upstream's end, for which the proxy is
 * the WebSocket client. It provides what the runtime's own client lacks: back-pressure, every close code, and strict
 * checks.
 *
 * @module
 */

import type { WebSocketConfig } from "../proxy/config/websocket_schema.ts";
import type { CoarseClock } from "../../state/coarse_clock.ts";
import { closeQuietly, type Wire } from "../../sockets/wire.ts";
import type { FailureOwner } from "../../failure/failure.ts";
import { detachBuffer } from "../../http/detach_buffer.ts";
import type { CloseStatus } from "./close_status.ts";
import { closePayload, encodeFrame, Opcode } from "./frame.ts";
import { FrameDecoder, FrameError, type FrameSink } from "./frame_decoder.ts";
import type { Message, SocketEnd, SocketEndListener } from "./socket_end.ts";

/** Options of a framed socket. */
export interface UpstreamSocketOptions {
  /** Whether this end is the client: a client masks the frames that it sends, a server does not. */
  readonly client: boolean;
  /** The peer, for messages and as the owner of failures. */
  readonly peer: FailureOwner;
  /** Bytes that were received with the handshake; they are decoded first. */
  readonly early: Uint8Array;
  /** The clock for deadlines. */
  readonly clock: CoarseClock;
  /** Limits of the peer; pongs count as a sign of life. */
  readonly config: Pick<WebSocketConfig, "max_message" | "ping_interval" | "idle_timeout">;
  /** Longest wait for the peer's Close frame after one was sent, in milliseconds. */
  readonly closeTimeoutMs: number;
}

/** A WebSocket over a {@linkcode Wire}, which it owns. */
export class UpstreamSocket implements SocketEnd, FrameSink {
  /** Bytes that are queued for writing, with frame headers and the overhead of each frame. */
  bufferedBytes = 0;
  readonly #wire: Wire;
  readonly #options: UpstreamSocketOptions;
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
  #receivedMs = 0;
  #pingedMs = 0;
  #deadlineMs = 0;

  /** Takes ownership of a connection after its handshake. */
  constructor(wire: Wire, options: UpstreamSocketOptions) {
    this.#wire = wire;
    this.#options = options;
    const { client, config } = options;
    this.#decoder = new FrameDecoder(this, { masked: !client, maxMessageBytes: config.max_message });
  }

  /** Starts reading. */
  start(listener: SocketEndListener): void {
    this.#listener = listener;
    this.#receivedMs = this.#pingedMs = this.#options.clock.nowMs;
    listener.onOpen();
    this.#read();
  }

  /** Sends a message as one frame. */
  send({ text, bytes }: Message): void {
    if (!this.#closeSent) this.#enqueue(text ? Opcode.TEXT : Opcode.BINARY, bytes);
  }

  /** Sends a Close frame. The connection ends when the peer's Close frame has arrived too. */
  close(status: CloseStatus): void {
    if (this.#closeSent || this.#ended) return;
    this.#enqueue(Opcode.CLOSE, closePayload(status));
    this.#closeSent = true;
    this.#deadlineMs = this.#options.clock.nowMs + this.#options.closeTimeoutMs;
    this.resume();
    this.#endIfClosed();
  }

  /** Stops reading. */
  pause(): boolean {
    if (!this.#closeSent) this.#paused = true;
    return true;
  }

  /** Resumes reading. */
  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    // Nothing could arrive while reading was paused.
    this.#receivedMs = this.#options.clock.nowMs;
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

  /** Sends pings, and detects peers that are gone. */
  tick(): void {
    if (this.#ended || this.#listener === undefined) return;
    const { clock: { nowMs }, config: { ping_interval, idle_timeout } } = this.#options;
    if (this.#closeSent) {
      if (nowMs > this.#deadlineMs) this.destroy();
      return;
    }
    if (idle_timeout > 0 && !this.#paused && !this.#closeReceived && nowMs - this.#receivedMs > idle_timeout) {
      this.#lose(`was silent for ${idle_timeout} ms`);
      this.destroy();
    } else if (ping_interval > 0 && nowMs - this.#pingedMs >= ping_interval) {
      this.#pingedMs = nowMs;
      // Queued messages make the peer's TCP respond, so no ping is needed.
      if (this.bufferedBytes === 0) this.#enqueue(Opcode.PING, NOTHING);
    }
  }

  /** From the decoder: a complete message. */
  onMessage(message: Message): void {
    this.#listener?.onMessage(message);
  }

  /** From the decoder: a ping, which applies to this hop only, so the pong is sent here. */
  onPing(payload: Uint8Array<ArrayBuffer>): void {
    // Endless pings from a peer that reads nothing must not fill the memory; not every ping needs a pong (section
    // 5.5.3).
    if (!this.#closeSent && this.bufferedBytes < PONG_LIMIT_BYTES) this.#enqueue(Opcode.PONG, payload);
  }

  /** From the decoder: a pong; the time of arrival is already recorded. */
  onPong(): void {}

  /** From the decoder: a Close frame. */
  onClose(status: CloseStatus): void {
    this.#closeReceived = true;
    this.#listener?.onClose(status);
    this.#endIfClosed();
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
        this.#receivedMs = this.#options.clock.nowMs;
        const rest = this.#decode(buffer.subarray(0, count));
        if (rest.length > 0) await this.#decodeAll(rest);
        // A small buffer is enough for a socket with little traffic; there may be thousands of them.
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
    this.#endIfClosed();
  }

  // One read may contain thousands of frames. Other connections are served in between.
  async #decodeAll(bytes: Uint8Array): Promise<void> {
    let startMs = performance.now();
    for (let rest = this.#decode(bytes); rest.length > 0 && !this.#ended; rest = this.#decode(rest)) {
      await new Promise((resolve) => setTimeout(resolve, performance.now() - startMs));
      while (this.#paused) await new Promise<void>((resolve) => this.#resumed = resolve);
      startMs = performance.now();
    }
  }

  /** Decodes a limited number of frames, and returns the remaining bytes. */
  #decode(bytes: Uint8Array): Uint8Array {
    if (this.#discarding) return NOTHING;
    try {
      return bytes.subarray(this.#decoder.push(bytes, TURN_FRAMES));
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      // Continue reading, to the end or the deadline: if the connection were closed with unread bytes, the peer might
      // not receive the Close frame.
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

  // After both Close frames the connection ends; the server closes it first (RFC 6455, section 7.1.1).
  #endIfClosed(): void {
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
      // Reading continues: what the peer sent before it closed may still arrive, and may explain the close.
      this.#writeBroken = true;
      this.#queue = [];
      this.bufferedBytes = 0;
    }
    this.#writing = false;
    this.#endIfClosed();
  }

  async #writeAll(bytes: Uint8Array): Promise<void> {
    let rest = bytes;
    while (rest.length > 0) {
      const count = await this.#wire.write(rest);
      rest = rest.subarray(count);
      if (this.#ended) return;
      this.bufferedBytes -= count;
      // As long as the peer accepts bytes, its Close frame may still follow.
      if (this.#closeSent) this.#deadlineMs = this.#options.clock.nowMs + this.#options.closeTimeoutMs;
    }
  }
}

/** Memory that a queued frame takes besides its bytes. */
const FRAME_OVERHEAD = 256;
const NOTHING = new Uint8Array(0);
/** Frames that are decoded in one turn of the event loop. */
const TURN_FRAMES = 512;
const SMALL_READ_BYTES = 4 * 1024;
const LARGE_READ_BYTES = 64 * 1024;
const PONG_LIMIT_BYTES = 64 * 1024;
const BATCH_BYTES = 64 * 1024;
/** How long to wait for the server to close the connection first. */
const LINGER_MS = 1000;

// Small frames are sent together: a system call costs more than a copy.
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
