/**
 * One exchange with a client: what is known of it from its first byte to its last, for the header rules, for the log,
 * and for whoever counts.
 *
 * @module
 */

import type { RequestHead } from "../http/message.ts";
import type { FailureOwner } from "../transport/failure.ts";

/** The client's side of an exchange; a `Request` is one. Both members are costly and are touched only when needed. */
export interface ClientSide {
  /** The request's body. */
  readonly body: ReadableStream<Uint8Array<ArrayBuffer>> | null;
  /** Fires when the client leaves. */
  readonly signal: AbortSignal;
}

/** Told once when an exchange is over. */
export interface ExchangeObserver {
  /** The exchange has ended; its fields are final. */
  exchangeEnded(exchange: Exchange): void;
}

/** What is known of one exchange. Owned by the gateway; filled in as the request walks down. */
export class Exchange {
  /** The request's head. */
  readonly head: RequestHead;
  /** Its body and its client's presence. */
  readonly client: ClientSide;
  /** When it began, in milliseconds of `performance.now()`. */
  readonly startMs: number = performance.now();
  /** The client's address, behind trusted proxies. */
  clientAddress: string;
  /** Whether the peer is a trusted proxy, whose forwarding headers are believed. */
  peerTrusted = false;
  /** Name of this exchange in all logs. */
  requestId = "";
  /** Name of the site. */
  site = "";
  /** `path` of the route, or empty where none took it. */
  route = "";
  /** The last upstream that was tried, or empty. */
  upstream = "";
  /** Attempts made. */
  attempts = 0;
  /** From the start of the last attempt to the head of its answer, in milliseconds; -1 without one. */
  upstreamMs = -1;
  /** Status that the client got, or 499 when it left first. */
  status = 0;
  /** Bytes of the answer's body that were handed over. */
  bytes = 0;
  /** Bytes of message that the client of a WebSocket sent. */
  receivedBytes = 0;
  /** Code that a WebSocket was closed with, 1006 without a Close frame; 0 where there was no WebSocket. */
  closeCode = 0;
  /** Why it failed, or empty. */
  cause = "";
  /** Who caused that. */
  causeOwner: FailureOwner | "" = "";
  /** From start to end, in milliseconds; -1 until then. */
  durationMs = -1;
  readonly #observer: ExchangeObserver;

  /** Begins an exchange. */
  constructor(head: RequestHead, client: ClientSide, observer: ExchangeObserver) {
    this.head = head;
    this.client = client;
    this.clientAddress = head.peer.address;
    this.#observer = observer;
  }

  /** Notes why it failed. */
  failed(cause: string, owner: FailureOwner): void {
    this.cause = cause;
    this.causeOwner = owner;
  }

  /** Ends it; later calls change nothing. */
  end(): void {
    if (this.durationMs >= 0) return;
    this.durationMs = performance.now() - this.startMs;
    this.#observer.exchangeEnded(this);
  }
}
