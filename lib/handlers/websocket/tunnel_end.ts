/**
 * One end of a tunnel: the socket of the client or of the upstream after the handshake, with its back-pressure, its pings
 * and its close. Frames of the proxy itself (pings, Close) are written between two frames of the other end.
 *
 * @module
 */

import type { Socket, SocketHandler } from "../../sockets/socket.ts";
import type { WebSocketConfig } from "../proxy/config/websocket_schema.ts";
import type { CoarseClock } from "../../state/coarse_clock.ts";
import { type CloseStatus, NO_CODE } from "./close_status.ts";
import { closePayload, encodeFrame, Opcode } from "./frame.ts";
import type { FrameError } from "./frame_decoder.ts";
import { FramePassage, type FrameReceiver, type FrameSender, PING_PAYLOAD } from "./frame_passage.ts";
import { LastView } from "./last_view.ts";
import { AWAY } from "./open_websocket.ts";
import { tunnelBudget } from "./tunnel_budget.ts";

/** Bounds of a tunnel's ends. */
export interface TunnelEndOptions {
  /** The clock for deadlines. */
  readonly clock: CoarseClock;
  /** Limits of both ends. Of a compressed message, the compressed bytes count. */
  readonly config: Pick<WebSocketConfig, "max_buffered" | "max_message" | "ping_interval" | "idle_timeout">;
  /** Longest wait for the peer's Close frame after one was sent, in milliseconds. */
  readonly closeTimeoutMs: number;
}

/** Notified of the events at both ends. */
export interface TunnelEndOwner {
  /** Messages, and bytes of messages, of the peer were passed on. */
  onPassed(end: TunnelEnd, bytes: number, messages: number): void;
  /** The peer's Close frame arrived. It was passed on, unless the other end had been sent one. */
  onClose(end: TunnelEnd, status: CloseStatus): void;
  /** The peer is gone without a Close frame. `what` fits after "The client". */
  onLost(end: TunnelEnd, what: string): void;
  /** The peer broke the protocol; what it sends is discarded from now on. */
  onViolation(end: TunnelEnd, error: FrameError): void;
  /** The peer has accepted nothing of what is queued for too long. */
  onStalled(end: TunnelEnd): void;
  /** The end has become {@linkcode TunnelEnd.unsettled}. */
  onUnsettled(): void;
  /** The connection has ended. Called once, and always last. */
  onEnded(end: TunnelEnd): void;
}

/** One end of a tunnel. Owns its socket. */
export class TunnelEnd implements SocketHandler, FrameSender, FrameReceiver {
  readonly peer: "client" | "upstream";
  /** Whether the connection has ended. */
  over = false;
  readonly #socket: Socket;
  readonly #options: TunnelEndOptions;
  readonly #owner: TunnelEndOwner;
  #other: TunnelEnd = this;
  /** What arrives here, on its way to the other end. */
  #passage: FramePassage | undefined;
  /** Whether a Close frame was written, or cannot be: nothing else is written. */
  #closeSent = false;
  /** Whether the peer's Close frame has arrived, or will not: what the peer sends is discarded. */
  #closeReceived = false;
  /** Status of a Close frame that waits for the end of a frame of the other end. */
  #closeDue: CloseStatus | undefined;
  /** Whether only the end of the connection is awaited. */
  #lingering = false;
  #paused = false;
  /** Bytes of this peer that are queued at the other end, as they were last counted. */
  #countedBytes = 0;
  #readEnded = false;
  #writeEnded = false;
  #writtenBytes = 0;
  #acceptedBytes = 0;
  #progressMs: number;
  #heardMs: number;
  #pingedMs: number;
  #deadlineMs = 0;

  /** @param socket The socket after its handshake. */
  constructor(peer: "client" | "upstream", socket: Socket, options: TunnelEndOptions, owner: TunnelEndOwner) {
    this.peer = peer;
    this.#socket = socket;
    this.#options = options;
    this.#owner = owner;
    this.#progressMs = this.#heardMs = this.#pingedMs = options.clock.nowMs;
  }

  /** Whether the end may change within one tick: it is paused, or about to close. */
  get unsettled(): boolean {
    return this.#paused || this.#closeSent || this.closeDue;
  }

  /** Whether a Close frame waits for the end of a frame of the other end. */
  get closeDue(): boolean {
    return this.#closeDue !== undefined;
  }

  /** Whether the other end's last frame is complete. */
  get #betweenFrames(): boolean {
    return this.#other.#passage?.betweenFrames ?? true;
  }

  /** Takes the socket over; {@linkcode begin} follows. */
  join(other: TunnelEnd): void {
    this.#other = other;
    this.#passage = new FramePassage(this, other, {
      masked: this.peer === "client",
      maxMessageBytes: this.#options.config.max_message,
    });
    this.#socket.handler = this;
  }

  /**
   * Begins to read.
   *
   * @param early Bytes that have arrived already.
   */
  begin(early: Uint8Array<ArrayBuffer>): void {
    // It broke after the handshake, when nobody was told.
    if (this.#socket.closed) return this.failed(new Error("it is closed"));
    if (early.length > 0) this.received(early, 0, early.length);
    if (!this.#paused && !this.over) this.#socket.resume();
  }

  /** From the socket: bytes of the peer. */
  received(bytes: Uint8Array<ArrayBuffer>, start: number, end: number): void {
    this.#heardMs = this.#options.clock.nowMs;
    const passage = this.#passage;
    if (this.#closeReceived || passage === undefined) return;
    const other = this.#other;
    const passing = !other.#closeSent;
    passage.push(bytes, start, end);
    const { payloadBytes, messages } = passage;
    if (payloadBytes > 0 || messages > 0) {
      passage.resetCounts();
      if (passing) this.#owner.onPassed(this, payloadBytes, messages);
    }
    if (passage.pinged) {
      passage.pinged = false;
      other.#owePong();
    }
    const queuedBytes = this.#count();
    if (this.#closeReceived) {
      this.#settle();
      other.#settle();
    } else if (queuedBytes > 0 && !other.#closeSent && queuedBytes > this.#allowance) {
      this.#pause();
    }
  }

  /** From the socket: nothing is queued. */
  drained(): void {
    this.#other.#count();
    this.#other.#resume();
    if (this.#lingering && this.#readEnded) this.finish();
  }

  /** From the socket: the peer sends no more. */
  ended(): void {
    this.#readEnded = true;
    if (!this.#closeReceived) this.#lose("closed the connection without a Close frame");
    else if (this.#lingering && this.#socket.queuedBytes === 0) this.finish();
  }

  /** From the socket: the connection broke. */
  failed(error: Error): void {
    if (this.#closeReceived) this.finish();
    else this.#lose(`broke the connection: ${error.message}`);
  }

  /** From the passage: the peer's Close frame. */
  closeArrived(payload: Uint8Array): void {
    this.#closeReceived = true;
    this.#other.#closeWasSent();
    this.#owner.onClose(this, statusOf(payload));
  }

  /** From the passage: the peer broke the protocol. */
  violated(error: FrameError): void {
    this.#closeReceived = true;
    this.#owner.onViolation(this, error);
  }

  /** From the other end's passage: bytes for the peer. */
  pass(bytes: Uint8Array<ArrayBuffer>, from: number, to: number): void {
    if (from === to || this.#closeSent) return;
    this.#write((this.peer === "client" ? TO_CLIENT : TO_UPSTREAM).of(bytes, from, to), "lent");
  }

  /** From the other end's passage: its frame is complete. */
  sendCloseDue(): void {
    const status = this.#closeDue;
    if (status === undefined) return;
    this.#write(encodeFrame(Opcode.CLOSE, closePayload(status), { masked: this.peer === "upstream" }), "given");
    this.#closeWasSent();
    this.#settle();
  }

  /** Collects what is written. */
  cork(): void {
    this.#socket.cork();
  }

  /** Sends what was collected. */
  uncork(): void {
    if (!this.over) this.#socket.uncork();
  }

  /**
   * Sends a Close frame, as soon as a frame of the other end is complete. The connection ends when the peer's Close
   * frame has arrived too. Later calls have no effect.
   */
  close(status: CloseStatus): void {
    if (this.#closeSent) return;
    if (this.#closeDue === undefined) {
      this.#closeDue = status;
      this.#owner.onUnsettled();
      this.#deadlineMs = this.#options.clock.nowMs + this.#options.closeTimeoutMs;
    }
    if (this.#betweenFrames) this.sendCloseDue();
    else if (this.#other.#closeReceived) this.#cut();
    this.#settle();
  }

  /** As {@linkcode close}, to a peer that accepts nothing: it is cut where a frame is incomplete. */
  giveUp(status: CloseStatus): void {
    if (this.#betweenFrames) this.close(status);
    else this.finish();
  }

  /** Closes the connection at once. */
  finish(): void {
    if (this.over) return;
    this.over = this.#closeSent = this.#closeReceived = true;
    // A peer that accepts nothing would occupy the system's buffers for minutes.
    if (this.#socket.queuedBytes > 0) this.#socket.reset();
    else this.#socket.close();
    this.#other.#count();
    this.#other.#resume();
    this.#owner.onEnded(this);
  }

  /** Enforces the deadlines. */
  tick(nowMs: number): void {
    if (this.over) return;
    const { queuedBytes } = this.#socket;
    const { config: { idle_timeout }, closeTimeoutMs } = this.#options;
    const acceptedBytes = this.#writtenBytes - queuedBytes;
    const progress = acceptedBytes !== this.#acceptedBytes;
    this.#acceptedBytes = acceptedBytes;
    if (progress || queuedBytes === 0) this.#progressMs = nowMs;
    this.#other.#count();
    if (queuedBytes <= this.#other.#allowance / 2) this.#other.#resume();
    if (this.#closeSent || this.closeDue) {
      // As long as the peer accepts bytes, its Close frame may still follow.
      if (progress && queuedBytes > 0) this.#deadlineMs = nowMs + closeTimeoutMs;
      if (nowMs > this.#deadlineMs) this.finish();
    } else if (queuedBytes > 0 && nowMs - this.#progressMs > (idle_timeout || DEFAULT_TOLERANCE_MS)) {
      this.#owner.onStalled(this);
    } else if (!this.#closeReceived) {
      this.#tickSilence(nowMs, queuedBytes);
    }
  }

  #tickSilence(nowMs: number, queuedBytes: number): void {
    const { idle_timeout, ping_interval } = this.#options.config;
    // Nothing arrives while reading is paused. A peer that accepts bytes is not dead, and it can be pinged only between
    // two frames.
    const pingable = queuedBytes === 0 && this.#betweenFrames;
    if (this.#paused || (ping_interval > 0 && !pingable)) {
      this.#heardMs = nowMs;
    } else if (idle_timeout > 0 && nowMs - this.#heardMs > idle_timeout) {
      this.#closeReceived = true;
      this.#owner.onLost(this, `was silent for ${idle_timeout} ms`);
      this.close(AWAY);
    } else if (ping_interval > 0 && nowMs - Math.max(this.#heardMs, this.#pingedMs) >= ping_interval) {
      this.#pingedMs = nowMs;
      this.#write(encodeFrame(Opcode.PING, PING_PAYLOAD, { masked: this.peer === "upstream" }), "given");
    }
  }

  /** Bytes of this peer that may be queued before it is paused. */
  get #allowance(): number {
    return tunnelBudget.allowance(this.#options.config.max_buffered);
  }

  /** Counts what is queued of this peer. */
  #count(): number {
    const { over } = this.#other;
    const queuedBytes = over ? 0 : this.#other.#socket.queuedBytes;
    if (queuedBytes !== this.#countedBytes) tunnelBudget.change(this.#countedBytes, queuedBytes);
    return this.#countedBytes = queuedBytes;
  }

  #write(bytes: Uint8Array<ArrayBuffer>, ownership: "lent" | "given"): void {
    this.#writtenBytes += bytes.length;
    this.#socket.write(bytes, ownership);
  }

  #closeWasSent(): void {
    if (this.#closeSent) return;
    this.#closeSent = true;
    this.#closeDue = undefined;
    this.#owner.onUnsettled();
    this.#deadlineMs = this.#options.clock.nowMs + this.#options.closeTimeoutMs;
    // What the other end sends is discarded from now on, up to its Close frame.
    this.#other.#resume();
  }

  // The last frame is incomplete, and remains so: the peer is told by the end of the connection.
  #cut(): void {
    this.#closeReceived = true;
    this.#closeWasSent();
    this.#endWriting();
  }

  // After both Close frames the connection ends; the server closes it first (RFC 6455, section 7.1.1). It is read from
  // until the peer has closed it too: with unread bytes, it would be reset, and the peer might not read the Close frame.
  #settle(): void {
    if (this.over || this.#lingering || !this.#closeSent || !this.#closeReceived) return;
    this.#lingering = true;
    const { queuedBytes } = this.#socket;
    if (this.#readEnded && queuedBytes === 0) return this.finish();
    this.#deadlineMs = this.#options.clock.nowMs + (queuedBytes > 0 ? this.#options.closeTimeoutMs : LINGER_MS);
    if (this.peer === "client") this.#endWriting();
    this.#resume();
  }

  #endWriting(): void {
    if (this.#writeEnded) return;
    this.#writeEnded = true;
    this.#socket.end();
  }

  #lose(what: string): void {
    this.#closeReceived = true;
    this.#owner.onLost(this, what);
    this.finish();
  }

  #owePong(): void {
    if (this.#passage !== undefined) this.#passage.pongOwed = true;
  }

  #pause(): void {
    if (this.#paused) return;
    this.#paused = true;
    this.#socket.pause();
    this.#owner.onUnsettled();
  }

  #resume(): void {
    if (!this.#paused || this.over) return;
    this.#paused = false;
    this.#heardMs = this.#options.clock.nowMs;
    this.#socket.resume();
  }
}

const TO_CLIENT = new LastView();
const TO_UPSTREAM = new LastView();
/** Longest time in which a peer accepts nothing, where `idle_timeout` is 0. */
const DEFAULT_TOLERANCE_MS = 60_000;
/** How long to wait for the peer to close the connection. */
const LINGER_MS = 1000;

function statusOf(payload: Uint8Array): CloseStatus {
  if (payload.length === 0) return { code: NO_CODE, reason: "" };
  return { code: payload.length === 1 ? 0 : payload[0] << 8 | payload[1], reason: decoder.decode(payload.subarray(2)) };
}

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
