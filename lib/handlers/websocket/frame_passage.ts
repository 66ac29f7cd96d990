/**
 * One direction of a tunnel: bytes are passed on as they arrive, while their frames are scanned. What must be judged as a
 * whole is held back until it is complete: the head of a frame, and a control frame. So nothing of a frame that breaks
 * the protocol is passed on, and the receiver is always between two frames, or within a payload.
 *
 * @module
 */

import { Opcode } from "./frame.ts";
import type { FrameError } from "./frame_decoder.ts";
import { FrameScanner, type FrameScannerOptions, MAX_UNIT_BYTES, ScanStop } from "./frame_scanner.ts";

/** Where the bytes go: the other end of the tunnel. */
export interface FrameReceiver {
  /** Whether a Close frame of the proxy waits for the end of a frame. */
  readonly closeDue: boolean;
  /** Passes `bytes[from … to)` on, which are lent; not if a Close frame was written. */
  pass(bytes: Uint8Array<ArrayBuffer>, from: number, to: number): void;
  /** Writes the Close frame of the proxy. */
  sendCloseDue(): void;
  /** Collects what is passed on, until {@linkcode uncork}. */
  cork(): void;
  /** Sends what was collected. */
  uncork(): void;
}

/** Notified of what ends the passage. */
export interface FrameSender {
  /** The Close frame was passed on; nothing is passed on after it. */
  closeArrived(payload: Uint8Array): void;
  /** The protocol was broken; nothing is passed on from there on. */
  violated(error: FrameError): void;
}

/** Tells the pongs to the proxy's pings from all others, also from those of another proxy of this kind. */
export const PING_PAYLOAD: Uint8Array<ArrayBuffer> = crypto.getRandomValues(new Uint8Array(8));

/** Passes the frames of one sender on. Owned by the sender's end of a tunnel. */
export class FramePassage {
  /** Whether the receiver has sent a ping that the sender has not responded to. */
  pongOwed = false;
  /** Whether a ping has passed since the owner set it to false. */
  pinged = false;
  readonly #scanner: FrameScanner;
  readonly #sender: FrameSender;
  readonly #receiver: FrameReceiver;
  /** A part of a frame that is scanned, and passed on, together with what follows it. */
  #held: Uint8Array<ArrayBuffer> | undefined;
  #heldBytes = 0;
  #ended = false;

  constructor(sender: FrameSender, receiver: FrameReceiver, options: FrameScannerOptions) {
    this.#sender = sender;
    this.#receiver = receiver;
    this.#scanner = new FrameScanner(options);
  }

  /** Whether the receiver is between two frames. */
  get betweenFrames(): boolean {
    return this.#scanner.betweenFrames;
  }

  /** Complete messages since the last {@linkcode resetCounts}. */
  get messages(): number {
    return this.#scanner.messages;
  }

  /** Bytes of messages since the last {@linkcode resetCounts}. */
  get payloadBytes(): number {
    return this.#scanner.payloadBytes;
  }

  /** Counts from 0. */
  resetCounts(): void {
    this.#scanner.messages = this.#scanner.payloadBytes = 0;
  }

  /** Passes `bytes[start … end)` on. */
  push(bytes: Uint8Array<ArrayBuffer>, start: number, end: number): void {
    if (this.#heldBytes > 0 || this.#receiver.closeDue) this.#pushParts(bytes, start, end);
    else this.#push(bytes, start, end);
  }

  // Several writes may follow, of few bytes each.
  #pushParts(bytes: Uint8Array<ArrayBuffer>, start: number, end: number): void {
    this.#receiver.cork();
    let at = start;
    while (this.#heldBytes > 0 && this.#held !== undefined && at < end) {
      const length = this.#heldBytes + 1;
      this.#held[this.#heldBytes] = bytes[at++];
      this.#heldBytes = 0;
      this.#push(this.#held, 0, length);
    }
    if (at < end && !this.#ended) this.#push(bytes, at, end);
    this.#receiver.uncork();
  }

  #push(bytes: Uint8Array<ArrayBuffer>, start: number, end: number): void {
    const scanner = this.#scanner;
    const receiver = this.#receiver;
    /** What lies before is passed on. */
    let from = start;
    let at = start;
    while (at < end) {
      at = scanner.scan(bytes, at, end, receiver.closeDue);
      switch (scanner.stop) {
        case ScanStop.Incomplete:
          receiver.pass(bytes, from, at);
          this.#hold(bytes, at, end);
          from = at = end;
          break;
        case ScanStop.Control:
          if (scanner.opcode === Opcode.CLOSE) {
            receiver.pass(bytes, from, at);
            this.#ended = true;
            return this.#sender.closeArrived(scanner.controlPayload(bytes));
          }
          if (!this.#passesOn(bytes)) {
            receiver.pass(bytes, from, scanner.frameStart);
            from = at;
          }
          break;
        case ScanStop.Boundary:
          receiver.pass(bytes, from, at);
          from = at;
          receiver.sendCloseDue();
          break;
        case ScanStop.Violation:
          receiver.pass(bytes, from, at);
          this.#ended = true;
          return this.#sender.violated(scanner.violation as FrameError);
      }
    }
    receiver.pass(bytes, from, end);
    if (receiver.closeDue && scanner.betweenFrames) receiver.sendCloseDue();
  }

  /** Whether a ping or pong is passed on. */
  #passesOn(bytes: Uint8Array): boolean {
    if (this.#scanner.opcode === Opcode.PING) return this.pinged = true;
    if (!this.#scanner.hasPayload(bytes, PING_PAYLOAD)) {
      this.pongOwed = false;
      return true;
    }
    // A pong to a ping of the proxy is not for the receiver, who might take it for one to its own. But a peer may respond
    // only to the latest of several pings (RFC 6455, section 5.5.3): if the receiver has sent one, it gets this pong,
    // which it may take as unsolicited.
    return this.pongOwed;
  }

  #hold(bytes: Uint8Array<ArrayBuffer>, from: number, to: number): void {
    this.#held ??= new Uint8Array(MAX_UNIT_BYTES);
    if (bytes !== this.#held) {
      for (let i = from; i < to; i++) this.#held[i - from] = bytes[i];
    }
    this.#heldBytes = to - from;
  }
}
