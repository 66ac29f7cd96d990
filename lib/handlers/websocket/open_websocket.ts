/**
 * An open WebSocket between a client and an upstream, however its bytes are passed on: what the registry, the log and
 * the metrics need of it.
 *
 * @module
 */

import type { FailureOwner } from "../../failure/failure.ts";
import type { CoarseClock, Watched } from "../../state/coarse_clock.ts";
import { ABNORMAL, type CloseStatus, GOING_AWAY, NO_CODE, validCloseCode } from "./close_status.ts";
import type { Loss } from "./socket_end.ts";

/** Counts the messages of WebSockets. */
export interface MessageMetrics {
  /** Messages, and bytes of messages, go to the upstream. */
  toUpstream(bytes: number, messages: number): void;
  /** Messages, and bytes of messages, go to the client. */
  toClient(bytes: number, messages: number): void;
}

/** Notified of the end of a WebSocket. */
export interface OpenWebSocketObserver {
  /** The upstream's connection has ended. */
  upstreamEnded(): void;
  /** Both connections have ended; the fields of the WebSocket are final. */
  webSocketEnded(webSocket: OpenWebSocket): void;
}

/** Going away, as a status. */
export const AWAY: CloseStatus = { code: GOING_AWAY, reason: "" };

/** One open WebSocket. Owned by its registry until both connections have ended. */
export abstract class OpenWebSocket implements Watched {
  /** Bytes of messages that the client sent. */
  receivedBytes = 0;
  /** Bytes of messages that were sent to the client. */
  sentBytes = 0;
  /** Close status; the code is 1006 after an end without a Close frame, and 0 before the end. */
  status: CloseStatus = { code: 0, reason: "" };
  /** Cause of an abnormal end, or empty. */
  cause = "";
  /** Who caused it, or empty. */
  causeOwner: FailureOwner | "" = "";
  readonly #clock: CoarseClock;
  readonly #observer: OpenWebSocketObserver;
  #upstreamEnded = false;

  constructor(clock: CoarseClock, observer: OpenWebSocketObserver) {
    this.#clock = clock;
    this.#observer = observer;
  }

  /**
   * Closes both ends because the proxy stops.
   *
   * @param cause The cause, for the log.
   */
  goAway(cause = "The proxy is stopping"): void {
    this.conclude(AWAY, { cause, owner: "proxy" });
    this.closeBoth(AWAY, AWAY);
  }

  /** Ends both connections at once. */
  destroy(): void {
    this.conclude({ code: ABNORMAL, reason: "" }, { cause: "The proxy shut down", owner: "proxy" });
    this.destroyBoth();
  }

  /** Enforces deadlines. */
  abstract tick(nowMs: number): void;

  /** Sends Close frames to both ends. */
  protected abstract closeBoth(client: CloseStatus, upstream: CloseStatus): void;

  /** Closes both connections. */
  protected abstract destroyBoth(): void;

  /** Begins to enforce deadlines. */
  protected watch(): void {
    this.#clock.watch(this);
  }

  /** Determines the close status. The first event does; the others follow from it. */
  protected conclude(status: CloseStatus, loss?: Loss): void {
    if (this.status.code !== 0) return;
    if (loss !== undefined) this.blame(loss.cause, loss.owner);
    this.status = status;
  }

  /** Records a cause, unless one is recorded or the close status is determined. */
  protected blame(cause: string, owner: FailureOwner): void {
    if (this.cause !== "" || this.status.code !== 0) return;
    this.cause = cause;
    this.causeOwner = owner;
  }

  /** The upstream's connection has ended. */
  protected upstreamEnded(): void {
    if (this.#upstreamEnded) return;
    this.#upstreamEnded = true;
    this.#observer.upstreamEnded();
  }

  /** Both connections have ended. */
  protected finish(): void {
    this.#clock.unwatch(this);
    if (this.status.code === 0) this.status = { code: ABNORMAL, reason: "" };
    this.#observer.webSocketEnded(this);
  }
}

/** What a side is sent when the other side closed with `status`: the same where a Close frame may have that code. */
export function passable(status: CloseStatus): CloseStatus {
  return validCloseCode(status.code) || status.code === NO_CODE ? status : AWAY;
}
