/**
 * The client's end of a relay, over the socket of `Deno.upgradeWebSocket`: the one way to a client's WebSocket under
 * `Deno.serve`, whoever called it.
 *
 * @module
 */

import type { CoarseClock } from "../../state/coarse_clock.ts";
import { detachBuffer } from "../../http/detach_buffer.ts";
import { type CloseStatus, NO_CODE } from "./close_status.ts";
import { ReadingControl } from "./reading_control.ts";
import type { Message, SocketEnd, SocketEndListener } from "./socket_end.ts";
import { MESSAGE_OVERHEAD, UnsentMessages } from "./unsent_messages.ts";

/** How a served socket behaves. */
export interface ServedSocketOptions {
  /** The clock that deadlines go by. */
  readonly clock: CoarseClock;
  /** Longest time without a message, in milliseconds; 0 where the runtime looks after the peer by pings of its own. */
  readonly idleTimeoutMs: number;
  /** Longest time for the client's Close frame once ours is sent, in milliseconds. */
  readonly closeTimeoutMs: number;
}

/** A WebSocket of the runtime, which it owns. */
export class ServedSocket implements SocketEnd {
  readonly #socket: WebSocket;
  readonly #options: ServedSocketOptions;
  readonly #reading: ReadingControl;
  #listener: SocketEndListener | undefined;
  #held: (() => void)[] = [];
  #heldBytes = 0;
  readonly #unsent = new UnsentMessages();
  #opened = false;
  #closing = false;
  #error = "";
  #ended = false;
  #heardMs: number;
  #deadlineMs: number;
  #paused = false;
  #resting = false;
  /** Messages since `#burstMs`. */
  #burst = 0;
  #burstMs = 0;

  /** @param socket A socket that is not open yet. */
  constructor(socket: WebSocket, options: ServedSocketOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#reading = new ReadingControl(socket, () => this.#release());
    const { nowMs } = options.clock;
    this.#heardMs = nowMs;
    this.#deadlineMs = nowMs + OPEN_TIMEOUT_MS;
  }

  /** Whether the client's connection was upgraded. */
  get opened(): boolean {
    return this.#opened;
  }

  /**
   * Bytes that the client's connection has not taken, and what its messages take besides. The runtime counts a message off
   * when it is gone as a whole.
   */
  get bufferedBytes(): number {
    const bytes = this.#socket.bufferedAmount;
    return bytes + this.#heldBytes + this.#unsent.overhead(bytes);
  }

  /** Listens; the runtime reads by itself once the connection is upgraded. */
  start(listener: SocketEndListener): void {
    this.#listener = listener;
    const socket = this.#socket;
    socket.binaryType = "arraybuffer";
    socket.onopen = () => this.#open();
    socket.onmessage = (event) => this.#receive(event.data);
    socket.onerror = (event) => this.#error = event instanceof ErrorEvent ? event.message : "";
    socket.onclose = (event) => this.#closed(event);
  }

  /** Sends a message as one frame. */
  send(message: Message): void {
    if (this.#closing || this.#ended) return;
    if (!this.#reading.stopping) return this.#sendNow(message);
    const taken = message.bytes.length + MESSAGE_OVERHEAD;
    this.#heldBytes += taken;
    this.#held.push(() => {
      this.#heldBytes -= taken;
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

  /** Stops reading, where the runtime allows it. */
  pause(): boolean {
    return this.#paused = this.#reading.stop();
  }

  /** Reads on. */
  resume(): void {
    this.#heardMs = this.#options.clock.nowMs;
    this.#paused = false;
    if (!this.#resting) this.#reading.resume();
  }

  /** Lets go of the socket. The runtime has no way to cut it: it ends when its client has taken what waits, or leaves. */
  destroy(): void {
    if (this.#ended) return;
    this.close({ code: NO_CODE, reason: "" });
    this.#end();
  }

  /** Finds out about clients that are gone. */
  tick(): void {
    if (this.#ended) return;
    const { clock: { nowMs }, idleTimeoutMs } = this.#options;
    this.#unsent.tick(nowMs);
    if (!this.#opened || this.#closing) {
      if (nowMs <= this.#deadlineMs) return;
      if (!this.#opened) this.#lose("The client left before its connection was upgraded");
      this.destroy();
    } else if (idleTimeoutMs > 0 && nowMs - this.#heardMs > idleTimeoutMs) {
      this.#lose(`The client was silent for ${idleTimeoutMs} ms`);
      this.destroy();
    }
  }

  #open(): void {
    this.#opened = true;
    this.#heardMs = this.#options.clock.nowMs;
    if (this.#ended) return this.#closeNow({ code: NO_CODE, reason: "" });
    this.#release();
    this.#listener?.onOpen();
  }

  #receive(data: unknown): void {
    if (this.#ended) return;
    if (this.#reading.stopping) this.#reading.failed();
    this.#heardMs = this.#options.clock.nowMs;
    const text = typeof data === "string";
    const bytes = text ? encoder.encode(data) : new Uint8Array(data as ArrayBuffer);
    this.#listener?.onMessage({ text, bytes });
    // It is in a frame by now, or counted out.
    detachBuffer(bytes);
    if (++this.#burst >= BURST_MESSAGES) this.#giveWay();
  }

  // The runtime hands out all that has arrived within one turn of the event loop, in which nobody else is served.
  #giveWay(): void {
    const nowMs = performance.now();
    const tookMs = nowMs - this.#burstMs;
    this.#burst = 0;
    this.#burstMs = nowMs;
    if (tookMs > BURST_MS || this.#closing || this.#ended || !this.#reading.stop()) return;
    this.#resting = true;
    setTimeout(() => {
      this.#resting = false;
      this.#burstMs = performance.now();
      if (!this.#paused) this.#reading.resume();
    }, tookMs);
  }

  #closed({ code, reason, wasClean }: CloseEvent): void {
    if (!wasClean) this.#reading.release();
    if (this.#ended) return;
    if (wasClean && code > 0) this.#listener?.onClose({ code, reason });
    else if (!this.#closing) this.#lose(lossOf(this.#error));
    this.#end();
  }

  #sendNow({ text, bytes }: Message): void {
    // Nothing is said when the connection broke a moment ago; the close event follows.
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

  #release(): void {
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

/** A client that leaves while its handshake is answered goes unseen: the socket then never opens. */
const OPEN_TIMEOUT_MS = 10_000;
/** Messages that come within so many milliseconds, after which as much time is left to others. */
const BURST_MESSAGES = 256;
const BURST_MS = 25;
const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

function lossOf(error: string): string {
  if (error.includes("ping frame")) return "The client did not answer a ping";
  return `The client ended the WebSocket without a Close frame${error === "" ? "" : `: ${error}`}`;
}
