/**
 * A WebSocket through the proxy, byte for byte: after the handshake, which client and upstream made with each other,
 * bytes are passed on as they arrive. Frames are neither unmasked nor framed anew, so that extensions
 * (permessage-deflate), fragments, pings, pongs, every close code and every text pass, and each side judges the other.
 * The proxy scans the heads of frames ({@linkcode TunnelEnd}) for what it is responsible for:
 *
 * - Limits: a message beyond `max_message` is 1009 to its sender. With compression the compressed bytes count.
 * - Violations that leave in doubt where frames end are 1002 to the offender: an unknown opcode, a control frame that is
 *   fragmented or too long, a missing or forbidden mask, a length of 2^53 or more. The frame is not passed on; the other
 *   side gets 1001 (upstream) or 1014 (client).
 * - Back-pressure: a side that accepts bytes more slowly than they arrive pauses the other side's connection. A side that
 *   accepts nothing for `idle_timeout` is closed with 1013, or cut where a frame is incomplete.
 * - Pings of the proxy, to sides that are silent. Their pongs are not passed on.
 * - Close frames of the proxy, as when it stops (1001), between two frames. If an upstream ends without a Close frame,
 *   its client receives 1014; if a client does so, its upstream receives 1001. Within a frame, where nothing can be said,
 *   the connection is ended instead.
 *
 * @module
 */

import { ABNORMAL, BAD_GATEWAY, type CloseStatus, PROTOCOL_ERROR, TOO_LARGE, TRY_AGAIN_LATER } from "./close_status.ts";
import type { FrameError } from "./frame_decoder.ts";
import { AWAY, type MessageMetrics, OpenWebSocket, type OpenWebSocketObserver, passable } from "./open_websocket.ts";
import { TunnelEnd, type TunnelEndOptions, type TunnelEndOwner } from "./tunnel_end.ts";
import type { Socket } from "../../sockets/socket.ts";

/** Options of a tunnel. */
export interface TunnelOptions extends TunnelEndOptions {
  /**
   * Counts the messages.
   *
   * @default {undefined} Not counted.
   */
  readonly metrics?: MessageMetrics | undefined;
}

/** The sockets of a client and an upstream, connected. */
export class Tunnel extends OpenWebSocket implements TunnelEndOwner {
  readonly #client: TunnelEnd;
  readonly #upstream: TunnelEnd;
  readonly #metrics: MessageMetrics | undefined;
  readonly #checkMs: number;
  /** When deadlines are checked next. */
  #dueMs = 0;

  /** Connects two sockets after their handshake. */
  constructor(client: Socket, upstream: Socket, options: TunnelOptions, observer: OpenWebSocketObserver) {
    super(options.clock, observer);
    this.#client = new TunnelEnd("client", client, options, this);
    this.#upstream = new TunnelEnd("upstream", upstream, options, this);
    this.#metrics = options.metrics;
    const times = [options.config.ping_interval, options.config.idle_timeout, MAX_CHECK_MS * CHECKS].filter((ms) =>
      ms > 0
    );
    this.#checkMs = Math.min(...times) / CHECKS;
  }

  /**
   * Begins to pass bytes on.
   *
   * @param fromClient Bytes that arrived after the client's handshake.
   * @param fromUpstream Bytes that arrived after the upstream's.
   */
  start(fromClient: Uint8Array<ArrayBuffer>, fromUpstream: Uint8Array<ArrayBuffer>): void {
    this.watch();
    this.#client.join(this.#upstream);
    this.#upstream.join(this.#client);
    this.#client.begin(fromClient);
    this.#upstream.begin(fromUpstream);
  }

  /** Enforces deadlines. */
  tick(nowMs: number): void {
    // Most WebSockets idle, and there may be thousands of them.
    if (nowMs < this.#dueMs) return;
    this.#client.tick(nowMs);
    this.#upstream.tick(nowMs);
    this.#dueMs = this.#client.unsettled || this.#upstream.unsettled ? 0 : nowMs + this.#checkMs;
  }

  /** From an end: it is paused, or about to close. */
  onUnsettled(): void {
    this.#dueMs = 0;
  }

  /** From an end: messages were passed on. */
  onPassed(end: TunnelEnd, bytes: number, messages: number): void {
    if (end === this.#client) {
      this.receivedBytes += bytes;
      this.#metrics?.toUpstream(bytes, messages);
    } else {
      this.sentBytes += bytes;
      this.#metrics?.toClient(bytes, messages);
    }
  }

  /** From an end: its Close frame. */
  onClose(end: TunnelEnd, status: CloseStatus): void {
    if (status.code >= 1000 && status.code <= 4999) return this.conclude(status);
    // Passed on as well: the other side judges it. The log has a code that means something.
    const cause = `The ${end.peer} sent a Close frame with the code ${status.code}`;
    this.conclude({ code: PROTOCOL_ERROR, reason: "" }, { cause, owner: end.peer });
  }

  /** From an end: it is gone without a Close frame. */
  onLost(end: TunnelEnd, what: string): void {
    // It left after the other one closed, for which there will be no other response.
    if (this.status.code !== 0) return this.#otherOf(end).close(passable(this.status));
    const code = end === this.#client ? ABNORMAL : BAD_GATEWAY;
    this.conclude({ code, reason: "" }, { cause: `The ${end.peer} ${what}`, owner: end.peer });
    this.#tellOther(end);
  }

  /** From an end: it broke the protocol. */
  onViolation(end: TunnelEnd, { code, message }: FrameError): void {
    const cause = `The ${end.peer} broke the WebSocket protocol: it sends ${message}`;
    this.conclude({ code: end === this.#client ? code : BAD_GATEWAY, reason: "" }, { cause, owner: end.peer });
    end.close({ code, reason: code === TOO_LARGE && end === this.#client ? "Message too large" : "" });
    this.#tellOther(end);
  }

  /** From an end: it accepts nothing. */
  onStalled(end: TunnelEnd): void {
    const cause = `The ${end.peer} takes messages more slowly than they come, and took none for too long`;
    this.conclude({ code: TRY_AGAIN_LATER, reason: "" }, { cause, owner: end.peer });
    const status = { code: TRY_AGAIN_LATER, reason: "Messages are not taken" };
    this.#otherOf(end).close(end === this.#client ? AWAY : status);
    end.giveUp(end === this.#client ? status : AWAY);
  }

  /** From an end: its connection has ended. */
  onEnded(end: TunnelEnd): void {
    if (end === this.#upstream) this.upstreamEnded();
    const other = this.#otherOf(end);
    if (other.over) return this.finish();
    other.close(passable(this.status));
  }

  protected override closeBoth(client: CloseStatus, upstream: CloseStatus): void {
    this.#client.close(client);
    this.#upstream.close(upstream);
  }

  protected override destroyBoth(): void {
    this.#client.finish();
    this.#upstream.finish();
  }

  #otherOf(end: TunnelEnd): TunnelEnd {
    return end === this.#client ? this.#upstream : this.#client;
  }

  #tellOther(end: TunnelEnd): void {
    if (end === this.#client) this.#upstream.close(AWAY);
    else this.#client.close({ code: BAD_GATEWAY, reason: "Bad gateway" });
  }
}

/** Deadlines are checked so many times within the shortest of them. */
const CHECKS = 8;
const MAX_CHECK_MS = 1000;
