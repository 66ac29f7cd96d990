/**
 * A WebSocket through the proxy: forwards messages between the two ends, in order and unchanged, and the close of each
 * end to the other.
 *
 * Design. The upstream's end ({@linkcode UpstreamSocket}) implements RFC 6455 on the proxy's own connection. The client's
 * end ({@linkcode ClientSocket}) is the socket of `Deno.upgradeWebSocket`, because under `Deno.serve` there is no other
 * access to an upgraded connection, and because it works the same inside another application. The raw sockets that
 * `node:http` passes to its `upgrade` listeners would need a second, slower server beside `Deno.serve`.
 *
 * Behaviour:
 *
 * - Messages of any size pass, text as text and binary as binary; fragments are joined. Both directions have
 *   back-pressure: an end that accepts messages more slowly than they arrive slows down the other end's connection. An
 *   end that accepts nothing for `idle_timeout` is closed with 1013.
 * - Close frames are forwarded with code and reason, after the messages that came before them. An upstream that closes
 *   first still receives what its client sends until the client closes too. If an upstream ends without a Close frame,
 *   or breaks the protocol, its client receives 1014; if a client does so, its upstream receives 1001.
 *
 * Limits:
 *
 * - The runtime responds to a Close frame of the client at once: the client never receives the code with which the
 *   upstream responds, nor messages that the upstream sends after it.
 * - The runtime treats a Close frame with code 1014 from a client as an error.
 * - Pings and pongs stay on their hop: the runtime and the proxy each respond for themselves, and payloads are not
 *   forwarded.
 * - No extensions: compression is refused to clients and not offered to upstreams.
 * - The runtime's parser for clients is lenient: unmasked frames are accepted, and a client that breaks the protocol is
 *   disconnected without a Close frame. So is a client that sends a frame of 64 MiB or more; a fragmented message is
 *   joined by the runtime before its size can be checked.
 * - A client that accepts nothing cannot be disconnected: its connection, with the queued messages, lasts until the
 *   client reads or disconnects.
 * - Back-pressure on clients, and messages that cross a Close frame of the upstream, need private members of the
 *   runtime (see `client_read_pause.ts`). Without them a client that sends faster than the upstream accepts is closed
 *   with 1013, and one that sends while the upstream closes loses its connection.
 *
 * @module
 */

import type { CoarseClock } from "../../state/coarse_clock.ts";
import { ABNORMAL, BAD_GATEWAY, type CloseStatus, TOO_LARGE, TRY_AGAIN_LATER } from "./close_status.ts";
import type { WebSocketConfig } from "../proxy/config/websocket_schema.ts";
import { BackPressure, type BackPressureConfig } from "./back_pressure.ts";
import { AWAY, type MessageMetrics, OpenWebSocket, type OpenWebSocketObserver, passable } from "./open_websocket.ts";
import type { Loss, Message, SocketEnd } from "./socket_end.ts";

/** Options of a relay. */
export interface RelayOptions {
  /** The clock for deadlines. */
  readonly clock: CoarseClock;
  /** Limits of both ends; the upstream's end checks the size of its messages itself. */
  readonly config: BackPressureConfig & Pick<WebSocketConfig, "max_message">;
  /**
   * Counts the messages.
   *
   * @default {undefined} Not counted.
   */
  readonly metrics?: MessageMetrics | undefined;
}

/** The WebSockets of a client and an upstream, connected by messages. */
export class Relay extends OpenWebSocket {
  readonly #client: SocketEnd;
  readonly #upstream: SocketEnd;
  readonly #options: RelayOptions;
  readonly #toClient: BackPressure;
  readonly #toUpstream: BackPressure;
  #upstreamStarted = false;
  #clientEnded = false;
  #upstreamEnded = false;

  /** Connects two ends that were not started. */
  constructor(client: SocketEnd, upstream: SocketEnd, options: RelayOptions, observer: OpenWebSocketObserver) {
    super(options.clock, observer);
    this.#client = client;
    this.#upstream = upstream;
    this.#options = options;
    this.#toClient = new BackPressure(client, upstream, options.config);
    this.#toUpstream = new BackPressure(upstream, client, options.config);
  }

  /** Starts the relay. The upstream is read only when messages can be sent to the client, so that none is lost. */
  start(): void {
    this.watch();
    this.#client.start({
      onOpen: () => this.#startUpstream(),
      onMessage: (message) => this.#fromClient(message),
      onClose: (status) => this.#clientClosed(status),
      onLost: (loss) => this.#clientLost(loss),
      onEnded: () => {
        this.#clientEnded = true;
        // The client may have disconnected without a Close frame after the upstream closed, so that no other response
        // will come.
        this.#closeUpstream(this.status);
        this.#finish();
      },
    });
  }

  /** Enforces deadlines. */
  tick(nowMs: number): void {
    this.#client.tick();
    this.#upstream.tick();
    if (this.#toClient.stalled(nowMs)) this.#stalled("client");
    if (this.#toUpstream.stalled(nowMs)) this.#stalled("upstream");
  }

  protected override closeBoth(client: CloseStatus, upstream: CloseStatus): void {
    this.#client.close(client);
    this.#closeUpstream(upstream);
  }

  protected override destroyBoth(): void {
    this.#client.destroy();
    this.#upstream.destroy();
  }

  #startUpstream(): void {
    if (this.#upstreamStarted) return;
    this.#upstreamStarted = true;
    this.#upstream.start({
      onOpen: () => {},
      onMessage: (message) => this.#fromUpstream(message),
      onClose: (status) => {
        this.conclude(status);
        // The upstream gets its Close frame later: the client may send more before it closes too.
        this.#client.close(status);
        if (this.#clientEnded) this.#closeUpstream(status);
      },
      onLost: (loss) => {
        this.conclude({ code: BAD_GATEWAY, reason: "" }, loss);
        this.#client.close({ code: BAD_GATEWAY, reason: "Bad gateway" });
      },
      onEnded: () => {
        this.#upstreamEnded = true;
        this.upstreamEnded();
        if (this.status.code === 0) this.#client.close({ code: BAD_GATEWAY, reason: "Bad gateway" });
        this.#finish();
      },
    });
  }

  #fromClient(message: Message): void {
    const size = message.bytes.length;
    const { max_message } = this.#options.config;
    if (size > max_message) {
      this.blame(`The client sent a message of ${size} bytes, more than ${max_message}`, "client");
      return this.#breakOff({ code: TOO_LARGE, reason: "Message too large" });
    }
    if (!this.#toUpstream.bounded) return this.#stalled("upstream");
    this.receivedBytes += size;
    this.#options.metrics?.toUpstream(size, 1);
    this.#upstream.send(message);
    this.#toUpstream.grown();
  }

  #fromUpstream(message: Message): void {
    this.sentBytes += message.bytes.length;
    this.#options.metrics?.toClient(message.bytes.length, 1);
    this.#client.send(message);
    this.#toClient.grown();
  }

  #clientClosed(status: CloseStatus): void {
    this.conclude(status);
    this.#closeUpstream(status);
  }

  #clientLost(loss: Loss): void {
    this.conclude({ code: ABNORMAL, reason: "" }, loss);
    this.#closeUpstream(AWAY);
  }

  #stalled(side: "client" | "upstream"): void {
    this.blame(`The ${side} takes messages more slowly than they come, and took none for too long`, side);
    this.#breakOff({ code: TRY_AGAIN_LATER, reason: "Messages are not taken" });
  }

  #breakOff(status: CloseStatus): void {
    this.conclude(status);
    this.closeBoth(status, AWAY);
  }

  // An end that was never started would not detect that its peer has closed.
  #closeUpstream(status: CloseStatus): void {
    this.#startUpstream();
    this.#upstream.close(passable(status));
  }

  #finish(): void {
    if (!this.#clientEnded || !this.#upstreamEnded) return;
    this.#toClient.close();
    this.#toUpstream.close();
    this.finish();
  }
}
