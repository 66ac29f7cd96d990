/**
 * The client's end of a relay, over the socket of `Deno.upgradeWebSocket`: the only access to a client's WebSocket
 * under `Deno.serve`, also inside another application.
 *
 * @module
 */

import type { CoarseClock } from "../../state/coarse_clock.ts";
import { detachBuffer } from "../../http/detach_buffer.ts";
import { type CloseStatus, NO_CODE } from "./close_status.ts";
import { ClientReadPause } from "./client_read_pause.ts";
import type { Message, SocketEnd, SocketEndListener } from "./socket_end.ts";
import { MESSAGE_OVERHEAD, UnsentMessages } from "./unsent_messages.ts";

/** Options of a served socket. */
export interface ClientSocketOptions {
  /** The clock for deadlines. */
  readonly clock: CoarseClock;
  /** Longest time without a message, in milliseconds; 0 if the runtime checks the peer by pings of its own. */
  readonly idleTimeoutMs: number;
  /** Longest wait for the client's Close frame after one was sent, in milliseconds. */
  readonly closeTimeoutMs: number;
}

/** A WebSocket of the runtime, which it owns. */
export class ClientSocket implements SocketEnd {
  readonly #socket: WebSocket;
  readonly #options: ClientSocketOptions;
  readonly #reading: ClientReadPause;
  #listener: SocketEndListener | undefined;
  #held: (() => void)[] = [];
  #heldBytes = 0;
  readonly #unsent = new UnsentMessages();
  #opened = false;
  #closing = false;
  #error = "";
  #ended = false;
  #receivedMs: number;
  #deadlineMs: number;
  #paused = false;
  #yielding = false;
  /** Number of messages since `#burstMs`. */
  #burst = 0;
  #burstMs = 0;

  /** @param socket A socket that is not open yet. */
  constructor(socket: WebSocket, options: ClientSocketOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#reading = new ClientReadPause(socket, () => this.#runHeld());
    const { nowMs } = options.clock;
    this.#receivedMs = nowMs;
    this.#deadlineMs = nowMs + OPEN_TIMEOUT_MS;
  }

  /** Whether the client's connection was upgraded. */
  get opened(): boolean {
    return this.#opened;
  }

  /**
   * Bytes that the client's connection has not accepted, with the overhead of each message. The runtime counts a
   * message until it is sent completely.
   */
  get bufferedBytes(): number {
    const bytes = this.#socket.bufferedAmount;
    return bytes + this.#heldBytes + this.#unsent.overhead(bytes);
  }

  /** Attaches the listeners; the runtime starts reading when the connection is upgraded. */
  start(listener: SocketEndListener): void {
    this.#listener = listener;
    const socket = this.#socket;
    socket.binaryType = "arraybuffer";
    socket.onopen = () => this.#open();
    socket.onmessage = (event) => this.#receive(event.data);
    socket.onerror = (event) => this.#error = event instanceof ErrorEvent ? event.message : "";
    socket.onclose = (event) => this.#onClosed(event);
  }

  /** Sends a message as one frame. */
  send(message: Message): void {
    if (this.#closing || this.#ended) return;
    if (!this.#reading.stopping) return this.#sendNow(message);
    const queuedBytes = message.bytes.length + MESSAGE_OVERHEAD;
    this.#heldBytes += queuedBytes;
    this.#held.push(() => {
      this.#heldBytes -= queuedBytes;
      this.#sendNow(message);
    });
  }

  /** Sends a Close frame. */
  close(status: CloseStatus): void {
    if (this.#closing || this.#ended) return;
    this.#closing = true;
    this.#deadlineMs = this.#options.clock.nowMs + this.#options.closeTimeoutMs;
    if (!this.#opened || this.#reading.stopping) this.#held.push(() => this.#closeNow(status));
    else this.#closeNow(status);
  }

  /** Stops reading, if the runtime allows it. */
  pause(): boolean {
    return this.#paused = this.#reading.stop();
  }

  /** Resumes reading. */
  resume(): void {
    this.#receivedMs = this.#options.clock.nowMs;
    this.#paused = false;
    if (!this.#yielding) this.#reading.resume();
  }

  /**
   * Releases the socket. The runtime cannot abort it: it ends when its client has received the queued messages, or
   * disconnects.
   */
  destroy(): void {
    if (this.#ended) return;
    this.close({ code: NO_CODE, reason: "" });
    this.#end();
  }

  /** Detects clients that are gone. */
  tick(): void {
    if (this.#ended) return;
    const { clock: { nowMs }, idleTimeoutMs } = this.#options;
    this.#unsent.tick(nowMs);
    if (!this.#opened || this.#closing) {
      if (nowMs <= this.#deadlineMs) return;
      if (!this.#opened) this.#lose("The client left before its connection was upgraded");
      this.destroy();
    } else if (idleTimeoutMs > 0 && nowMs - this.#receivedMs > idleTimeoutMs) {
      this.#lose(`The client was silent for ${idleTimeoutMs} ms`);
      this.destroy();
    }
  }

  #open(): void {
    this.#opened = true;
    this.#receivedMs = this.#options.clock.nowMs;
    if (this.#ended) return this.#closeNow({ code: NO_CODE, reason: "" });
    this.#runHeld();
    this.#listener?.onOpen();
  }

  #receive(data: unknown): void {
    if (this.#ended) return;
    if (this.#reading.stopping) this.#reading.failed();
    this.#receivedMs = this.#options.clock.nowMs;
    const text = typeof data === "string";
    const bytes = text ? encoder.encode(data) : new Uint8Array(data as ArrayBuffer);
    this.#listener?.onMessage({ text, bytes });
    // The relay has encoded or counted it by now.
    detachBuffer(bytes);
    if (++this.#burst >= BURST_MESSAGES) this.#yieldTurn();
  }

  // The runtime delivers everything that has arrived within one turn of the event loop, in which no other connection is
  // served.
  #yieldTurn(): void {
    const nowMs = performance.now();
    const tookMs = nowMs - this.#burstMs;
    this.#burst = 0;
    this.#burstMs = nowMs;
    if (tookMs > BURST_MS || this.#closing || this.#ended || !this.#reading.stop()) return;
    this.#yielding = true;
    setTimeout(() => {
      this.#yielding = false;
      this.#burstMs = performance.now();
      if (!this.#paused) this.#reading.resume();
    }, tookMs);
  }

  #onClosed({ code, reason, wasClean }: CloseEvent): void {
    if (!wasClean) this.#reading.release();
    if (this.#ended) return;
    if (wasClean && code > 0) this.#listener?.onClose({ code, reason });
    else if (!this.#closing) this.#lose(lossOf(this.#error));
    this.#end();
  }

  #sendNow({ text, bytes }: Message): void {
    // There is no error if the connection failed a moment ago; the close event follows.
    this.#unsent.add(bytes.length);
    this.#socket.send(text ? decoder.decode(bytes) : bytes);
    detachBuffer(bytes);
  }

  #closeNow({ code, reason }: CloseStatus): void {
    if (this.#socket.readyState !== WebSocket.OPEN) return;
    if (code === NO_CODE) this.#socket.close();
    else this.#socket.close(code, reason);
    this.#reading.keepReading();
    this.#reading.resume();
  }

  #runHeld(): void {
    const held = this.#held;
    this.#held = [];
    for (const action of held) action();
  }

  #lose(cause: string): void {
    this.#listener?.onLost({ cause, owner: "client" });
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#listener?.onEnded();
  }
}

/** A client that disconnects before the handshake response is sent is not reported: the socket then never opens. */
const OPEN_TIMEOUT_MS = 10_000;
/** A burst is this many messages within so many milliseconds; afterwards other connections get as much time. */
const BURST_MESSAGES = 256;
const BURST_MS = 25;
const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

function lossOf(error: string): string {
  if (error.includes("ping frame")) return "The client sent no pong";
  return `The client ended the WebSocket without a Close frame${error === "" ? "" : `: ${error}`}`;
}
