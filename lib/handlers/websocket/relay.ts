/**
 * A WebSocket through the proxy: messages from one end to the other, in order and unchanged, and each end's close to the
 * other.
 *
 * What was chosen. The upstream's end ({@linkcode FramedSocket}) speaks RFC 6455 over the proxy's own transport. The
 * client's end ({@linkcode ServedSocket}) is the socket of `Deno.upgradeWebSocket`, because under `Deno.serve` there is
 * no other way to an upgraded connection, and because it works the same inside another application. The raw sockets
 * that `node:http` hands to its `upgrade` listeners would need a second, slower server beside `Deno.serve`.
 *
 * What comes of it:
 *
 * - Messages of any size pass, text as text and binary as binary; fragments arrive joined. Both directions have
 *   back-pressure: an end that takes messages more slowly than they come slows down the other end's connection. One that
 *   takes nothing for `idle_timeout` is closed with 1013.
 * - Close frames pass with code and reason, behind the messages that came before them. An upstream that closes first
 *   still gets what its client sends until the client closes too. An upstream that ends without a Close frame, or breaks
 *   the protocol, is 1014 to its client; a client that ends so is 1001 to its upstream.
 *
 * What it cannot do:
 *
 * - A Close frame of the client is answered by the runtime, at once: the client never sees a code that the upstream
 *   answers with, nor messages that the upstream sends after it.
 * - The runtime takes a Close frame of 1014 from a client for an error.
 * - Pings and pongs stay on their hop: the runtime and the proxy each answer for themselves, payloads do not travel.
 * - No extensions: compression is refused to clients and not offered to upstreams.
 * - Towards clients, the runtime reads leniently: unmasked frames pass, and a client that breaks the protocol is cut off
 *   without a Close frame. A client's frame of 64 MiB or more is refused so; a fragmented message is joined by the runtime
 *   before its size can be judged.
 * - A client that takes nothing cannot be cut: its connection, and what waits for it, lasts until it reads or leaves.
 * - Back-pressure on clients, and messages that cross a Close frame of the upstream's, need private parts of the runtime
 *   (see `reading_control.ts`). Without them a client that sends faster than the upstream takes is closed with 1013, and
 *   one that sends while the upstream closes sees its connection break.
 *
 * @module
 */

import type { CoarseClock, Watched } from "../../state/coarse_clock.ts";
import type { FailureOwner } from "../../failure/failure.ts";
import {
  ABNORMAL,
  BAD_GATEWAY,
  type CloseStatus,
  GOING_AWAY,
  NO_CODE,
  TOO_LARGE,
  TRY_AGAIN_LATER,
  validCloseCode,
} from "./close_status.ts";
import { Backlog } from "./backlog.ts";
import type { Loss, Message, SocketEnd } from "./socket_end.ts";

/** Bounds of a relay. */
export interface RelayOptions {
  /** The clock that deadlines go by. */
  readonly clock: CoarseClock;
  /** Bytes that may wait for one end before the other is slowed down. */
  readonly maxBufferedBytes: number;
  /** Largest message of a client, in bytes; the upstream's end bounds its own. */
  readonly maxMessageBytes: number;
  /** Longest time in which an end takes nothing of what waits for it, in milliseconds; 0 for a minute. */
  readonly idleTimeoutMs: number;
  /**
   * Who counts.
   *
   * @default {nobody}
   */
  readonly metrics?: RelayMetrics;
}

/** Counts the messages of relays. */
export interface RelayMetrics {
  /** A message of so many bytes goes to the upstream. */
  toUpstream(bytes: number): void;
  /** A message of so many bytes goes to the client. */
  toClient(bytes: number): void;
}

/** Told how a relay goes. */
export interface RelayObserver {
  /** Nothing is left of the upstream's end. */
  upstreamEnded(): void;
  /** Nothing is left of either end; the relay's fields are final. */
  relayEnded(relay: Relay): void;
}

/** A client's and an upstream's WebSocket, joined. Owned by its registry until both have ended. */
export class Relay implements Watched {
  /** Bytes of message that the client sent. */
  receivedBytes = 0;
  /** Bytes of message that were sent to the client. */
  sentBytes = 0;
  /** How it ended; the code is 1006 when no Close frame said so, and 0 until it ends. */
  status: CloseStatus = { code: 0, reason: "" };
  /** Why it did not end in an orderly way, or empty. */
  cause = "";
  /** Who caused that. */
  causeOwner: FailureOwner | "" = "";
  readonly #client: SocketEnd;
  readonly #upstream: SocketEnd;
  readonly #options: RelayOptions;
  readonly #observer: RelayObserver;
  readonly #toClient: Backlog;
  readonly #toUpstream: Backlog;
  #upstreamStarted = false;
  #clientEnded = false;
  #upstreamEnded = false;

  /** Joins two ends that were not started. */
  constructor(client: SocketEnd, upstream: SocketEnd, options: RelayOptions, observer: RelayObserver) {
    this.#client = client;
    this.#upstream = upstream;
    this.#options = options;
    this.#observer = observer;
    this.#toClient = new Backlog(client, upstream, options);
    this.#toUpstream = new Backlog(upstream, client, options);
  }

  /** Begins to relay. The upstream is read once the client can be written to, so that nothing is lost between. */
  start(): void {
    this.#options.clock.watch(this);
    this.#client.start({
      onOpen: () => this.#startUpstream(),
      onMessage: (message) => this.#fromClient(message),
      onClose: (status) => this.#clientClosed(status),
      onLost: (loss) => this.#clientLost(loss),
      onEnded: () => {
        this.#clientEnded = true;
        // It may have ended without a word, after the upstream closed: that is all the answer there will be.
        this.#closeUpstream(this.status);
        this.#finish();
      },
    });
  }

  /**
   * Tells both ends that the proxy goes away.
   *
   * @param cause Why, for the log.
   */
  goAway(cause = "The proxy is stopping"): void {
    this.#conclude(AWAY, { cause, owner: "proxy" });
    this.#client.close(AWAY);
    this.#closeUpstream(AWAY);
  }

  /** Ends it at once. */
  destroy(): void {
    this.#conclude({ code: ABNORMAL, reason: "" }, { cause: "The proxy shut down", owner: "proxy" });
    this.#client.destroy();
    this.#upstream.destroy();
  }

  /** Enforces deadlines. */
  tick(nowMs: number): void {
    this.#client.tick();
    this.#upstream.tick();
    if (this.#toClient.stalled(nowMs)) this.#stalled("client");
    if (this.#toUpstream.stalled(nowMs)) this.#stalled("upstream");
  }

  #startUpstream(): void {
    if (this.#upstreamStarted) return;
    this.#upstreamStarted = true;
    this.#upstream.start({
      onOpen: () => {},
      onMessage: (message) => this.#fromUpstream(message),
      onClose: (status) => {
        this.#conclude(status);
        // Not answered yet: the client may have more to say before it closes too.
        this.#client.close(status);
        if (this.#clientEnded) this.#closeUpstream(status);
      },
      onLost: (loss) => {
        this.#conclude({ code: BAD_GATEWAY, reason: "" }, loss);
        this.#client.close({ code: BAD_GATEWAY, reason: "Bad gateway" });
      },
      onEnded: () => {
        this.#upstreamEnded = true;
        this.#observer.upstreamEnded();
        if (this.status.code === 0) this.#client.close({ code: BAD_GATEWAY, reason: "Bad gateway" });
        this.#finish();
      },
    });
  }

  #fromClient(message: Message): void {
    const size = message.bytes.length;
    if (size > this.#options.maxMessageBytes) {
      this.#blame(`The client sent a message of ${size} bytes, more than ${this.#options.maxMessageBytes}`, "client");
      return this.#breakOff({ code: TOO_LARGE, reason: "Message too large" });
    }
    if (!this.#toUpstream.bounded) return this.#stalled("upstream");
    this.receivedBytes += size;
    this.#options.metrics?.toUpstream(size);
    this.#upstream.send(message);
    this.#toUpstream.grown();
  }

  #fromUpstream(message: Message): void {
    this.sentBytes += message.bytes.length;
    this.#options.metrics?.toClient(message.bytes.length);
    this.#client.send(message);
    this.#toClient.grown();
  }

  #clientClosed(status: CloseStatus): void {
    this.#conclude(status);
    this.#closeUpstream(status);
  }

  #clientLost(loss: Loss): void {
    this.#conclude({ code: ABNORMAL, reason: "" }, loss);
    this.#closeUpstream(AWAY);
  }

  #stalled(side: "client" | "upstream"): void {
    this.#blame(`The ${side} takes messages more slowly than they come, and took none for too long`, side);
    this.#breakOff({ code: TRY_AGAIN_LATER, reason: "Messages are not taken" });
  }

  #breakOff(status: CloseStatus): void {
    this.#conclude(status);
    this.#client.close(status);
    this.#closeUpstream(AWAY);
  }

  // An end that was never started would not learn that its peer has closed.
  #closeUpstream(status: CloseStatus): void {
    this.#startUpstream();
    this.#upstream.close(validCloseCode(status.code) || status.code === NO_CODE ? status : AWAY);
  }

  // What comes first is how it ended; the rest follows from it.
  #conclude(status: CloseStatus, loss?: Loss): void {
    if (this.status.code !== 0) return;
    if (loss !== undefined) this.#blame(loss.cause, loss.owner);
    this.status = status;
  }

  #blame(cause: string, owner: FailureOwner): void {
    if (this.cause !== "" || this.status.code !== 0) return;
    this.cause = cause;
    this.causeOwner = owner;
  }

  #finish(): void {
    if (!this.#clientEnded || !this.#upstreamEnded) return;
    this.#options.clock.unwatch(this);
    this.#toClient.close();
    this.#toUpstream.close();
    if (this.status.code === 0) this.status = { code: ABNORMAL, reason: "" };
    this.#observer.relayEnded(this);
  }
}

const AWAY: CloseStatus = { code: GOING_AWAY, reason: "" };
