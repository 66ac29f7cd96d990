/**
 * The upstream's end of a relay, with the frame codec of BWS: the proxy is the WebSocket client. It provides what the
 * runtime's own client lacks: back-pressure, every close code, and strict checks.
 *
 * @module
 */

import type { WebSocketConfig } from "../proxy/config/websocket_schema.ts";
import type { CoarseClock } from "../../state/coarse_clock.ts";
import type { Socket, SocketHandler } from "../../sockets/socket.ts";
import type { CloseStatus } from "./close_status.ts";
import { closePayload, encodeFrame, Opcode } from "./frame.ts";
import { FrameDecoder, FrameError, type FrameSink } from "./frame_decoder.ts";
import type { Message, SocketEnd, SocketEndListener } from "./socket_end.ts";

/** Options of an upstream's WebSocket. */
export interface UpstreamSocketOptions {
  /** Bytes that were received with the handshake; they are decoded first. */
  readonly early: Uint8Array<ArrayBuffer>;
  /** The clock for deadlines. */
  readonly clock: CoarseClock;
  /** Limits of the peer; pongs count as a sign of life. */
  readonly config: Pick<WebSocketConfig, "max_message" | "ping_interval" | "idle_timeout">;
  /** Longest wait for the peer's Close frame after one was sent, in milliseconds. */
  readonly closeTimeoutMs: number;
}

/** The WebSocket of an upstream. Owns its socket. */
export class UpstreamSocket implements SocketEnd, SocketHandler, FrameSink {
  readonly #socket: Socket;
  readonly #options: UpstreamSocketOptions;
  readonly #decoder: FrameDecoder;
  #listener: SocketEndListener | undefined;
  /** Bytes that arrived and are decoded in a later turn of the event loop. */
  #rest: Uint8Array<ArrayBuffer> = NOTHING;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #failure: Error | undefined;
  #closeSent = false;
  #closeReceived = false;
  #readEnded = false;
  #discarding = false;
  #ended = false;
  #paused = false;
  #heardMs = 0;
  #pingedMs = 0;
  #deadlineMs = 0;
  #queuedBytes = 0;

  /** Takes over a socket after its handshake. */
  constructor(socket: Socket, options: UpstreamSocketOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#decoder = new FrameDecoder(this, { masked: false, maxMessageBytes: options.config.max_message });
    socket.handler = this;
    socket.pause();
  }

  /** Bytes that the upstream's connection has not accepted, with frame heads. */
  get bufferedBytes(): number {
    return this.#socket.queuedBytes;
  }

  /** Starts reading. */
  start(listener: SocketEndListener): void {
    this.#listener = listener;
    this.#heardMs = this.#pingedMs = this.#options.clock.nowMs;
    listener.onOpen();
    if (this.#socket.closed) return this.failed(this.#failure ?? new Error("it is closed"));
    if (this.#options.early.length > 0) this.#decode(this.#options.early);
    this.#readOn();
  }

  /** Sends a message as one frame. */
  send({ text, bytes }: Message): void {
    if (!this.#closeSent) this.#write(text ? Opcode.TEXT : Opcode.BINARY, bytes);
  }

  /** Sends a Close frame. The connection ends when the peer's Close frame has arrived too. */
  close(status: CloseStatus): void {
    if (this.#closeSent || this.#ended) return;
    this.#write(Opcode.CLOSE, closePayload(status));
    this.#closeSent = true;
    this.#deadlineMs = this.#options.clock.nowMs + this.#options.closeTimeoutMs;
    this.resume();
    this.#endIfClosed();
  }

  /** Stops reading. */
  pause(): boolean {
    if (this.#closeSent) return true;
    this.#paused = true;
    this.#socket.pause();
    return true;
  }

  /** Resumes reading. */
  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    // Nothing could arrive while reading was paused.
    this.#heardMs = this.#options.clock.nowMs;
    this.#readOn();
  }

  /** Closes the connection. */
  destroy(): void {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#timer);
    this.#rest = NOTHING;
    this.#socket.close();
    this.#listener?.onEnded();
  }

  /** Sends pings, and detects peers that are gone. */
  tick(): void {
    if (this.#ended || this.#listener === undefined) return;
    const { clock: { nowMs }, config: { ping_interval, idle_timeout }, closeTimeoutMs } = this.#options;
    const { queuedBytes } = this.#socket;
    // As long as the peer accepts bytes, its Close frame may still follow.
    if (queuedBytes > 0 && queuedBytes < this.#queuedBytes) this.#deadlineMs = nowMs + closeTimeoutMs;
    this.#queuedBytes = queuedBytes;
    // A peer that accepts bytes is not dead; one that does not is the relay's concern.
    if (queuedBytes > 0 && ping_interval > 0) this.#heardMs = nowMs;
    if (this.#closeSent) {
      if (nowMs > this.#deadlineMs) this.destroy();
    } else if (idle_timeout > 0 && !this.#paused && !this.#closeReceived && nowMs - this.#heardMs > idle_timeout) {
      this.#lose(`was silent for ${idle_timeout} ms`);
      this.destroy();
    } else if (ping_interval > 0 && nowMs - Math.max(this.#heardMs, this.#pingedMs) >= ping_interval) {
      this.#pingedMs = nowMs;
      this.#write(Opcode.PING, NOTHING);
    }
  }

  /** From the socket: bytes of the upstream. */
  received(bytes: Uint8Array<ArrayBuffer>, start: number, end: number): void {
    this.#heardMs = this.#options.clock.nowMs;
    this.#decode(bytes.subarray(start, end));
  }

  /** From the socket: nothing is queued. */
  drained(): void {
    this.#endIfClosed();
  }

  /** From the socket: the upstream sends no more. */
  ended(): void {
    this.#lose("closed the connection without a Close frame");
    this.#readEnded = true;
    this.#endIfClosed();
  }

  /** From the socket: the connection broke. */
  failed(error: Error): void {
    this.#failure = error;
    if (this.#listener === undefined) return;
    this.#lose(`broke the connection: ${error.message}`);
    this.destroy();
  }

  /** From the decoder: a complete message. */
  onMessage(message: Message): void {
    this.#listener?.onMessage(message);
  }

  /** From the decoder: a ping, which applies to this hop only, so the pong is sent here. */
  onPing(payload: Uint8Array<ArrayBuffer>): void {
    // Endless pings from a peer that reads nothing must not fill the memory; not every ping needs a pong (section
    // 5.5.3).
    if (!this.#closeSent && this.#socket.queuedBytes < PONG_LIMIT_BYTES) this.#write(Opcode.PONG, payload);
  }

  /** From the decoder: a pong; the time of arrival is already recorded. */
  onPong(): void {}

  /** From the decoder: a Close frame. */
  onClose(status: CloseStatus): void {
    this.#closeReceived = true;
    this.#listener?.onClose(status);
    this.#endIfClosed();
  }

  #readOn(): void {
    if (this.#paused || this.#ended || this.#timer !== undefined) return;
    const rest = this.#rest;
    this.#rest = NOTHING;
    if (rest.length > 0) this.#decode(rest);
    if (!this.#paused && this.#timer === undefined && !this.#ended) this.#socket.resume();
  }

  #decode(bytes: Uint8Array<ArrayBuffer>): void {
    if (this.#discarding) return;
    const startMs = performance.now();
    try {
      const count = this.#decoder.push(bytes, TURN_FRAMES);
      if (count < bytes.length && !this.#ended) this.#decodeLater(bytes.slice(count), performance.now() - startMs);
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      // Continue reading, to the end or the deadline: if the connection were closed with unread bytes, the peer might
      // not receive the Close frame.
      this.#discarding = true;
      this.#lose(`broke the WebSocket protocol: it sends ${error.message}`);
      this.close({ code: error.code, reason: "" });
    }
  }

  // One read may contain thousands of frames. Other connections are served in between.
  #decodeLater(bytes: Uint8Array<ArrayBuffer>, delayMs: number): void {
    this.#rest = bytes;
    this.#socket.pause();
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#readOn();
    }, delayMs);
  }

  #lose(what: string): void {
    if (this.#closeReceived) return;
    this.#closeReceived = true;
    this.#listener?.onLost({ cause: `The upstream ${what}`, owner: "upstream" });
  }

  // After both Close frames the connection ends; the server closes it first (RFC 6455, section 7.1.1).
  #endIfClosed(): void {
    if (this.#ended || !this.#closeSent || !this.#closeReceived || this.#socket.queuedBytes > 0) return;
    if (this.#readEnded) return this.destroy();
    this.#deadlineMs = this.#options.clock.nowMs + LINGER_MS;
  }

  #write(opcode: number, payload: Uint8Array): void {
    if (!this.#ended) this.#socket.write(encodeFrame(opcode, payload, { masked: true }), "given");
  }
}

const NOTHING = new Uint8Array(0);
/** Frames that are decoded in one turn of the event loop. */
const TURN_FRAMES = 512;
const PONG_LIMIT_BYTES = 64 * 1024;
/** How long to wait for the server to close the connection first. */
const LINGER_MS = 1000;
