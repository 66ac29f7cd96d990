/**
 * One client's connection of HTTP/2: its streams are requests, which are responded to side by side, and what goes wrong
 * ends a stream or the connection.
 *
 * @module
 */

import type { Peer } from "../../http/message.ts";
import { Refusal } from "../../http/refusal.ts";
import { Http2Connection } from "../../http2/connection.ts";
import type { ConnectionHost } from "../../http2/connection_options.ts";
import { ErrorCode, Http2Error } from "../../http2/error_code.ts";
import type { FieldBlock } from "../../http2/field_block.ts";
import type { Http2Stream } from "../../http2/stream.ts";
import type { Socket, SocketHandler } from "../../sockets/socket.ts";
import { ClientDeadlines } from "../own/client_deadlines.ts";
import type { CloseCause } from "../own/close_cause.ts";
import { LastBytes, LINGER_MS } from "../own/last_bytes.ts";
import type { ListenerConnection } from "../own/listener_connection.ts";
import { countFlood, LISTENER_METRICS } from "../own/listener_metrics.ts";
import type { ListenerParts } from "../own/listener_parts.ts";
import { drop, internalError } from "../own/request_client.ts";
import { type ReadRequest, readRequest, refusedHead } from "./request_head.ts";
import { StreamClient, type StreamConnection } from "./stream_client.ts";

/** A connection. Owned by the table of its listener until it closes. */
export class Http2ClientConnection implements ListenerConnection, SocketHandler, ConnectionHost, StreamConnection {
  readonly socket: Socket;
  readonly peer: Peer;
  readonly parts: ListenerParts;
  tableIndex = -1;
  readonly #core: Http2Connection;
  readonly #deadlines: ClientDeadlines;
  /** Requests whose streams are open, but for tunnels. */
  readonly #clients = new Map<number, StreamClient>();
  #requests = 0;
  #tunnels = 0;
  #frames = 0;
  #paused = false;
  #shutdownMs = -1;
  #ending = false;
  #closed = false;
  /** Why the connection ends. */
  #cause: CloseCause = "served";

  /** Takes over a socket, before the client's preface. */
  constructor(socket: Socket, peer: Peer, parts: ListenerParts) {
    this.socket = socket;
    this.peer = peer;
    this.parts = parts;
    const { clock, limits, metrics } = parts;
    this.#deadlines = new ClientDeadlines(clock, limits);
    this.#core = new Http2Connection(this, socket, {
      ...{ role: "server", clock, maxStreams: limits.max_concurrent_streams },
      fieldLimits: { maxBytes: limits.max_header_size, maxLines: limits.max_header_lines },
    });
    metrics.add(LISTENER_METRICS.metrics.http2);
    this.#deadlines.awaitRequest(true);
    socket.handler = this;
    this.#core.flush();
  }

  get idleSinceMs(): number {
    const idle = this.#core.openStreams === 0 && !this.#ending && this.socket.queuedBytes === 0;
    return idle ? this.#deadlines.sinceMs : -1;
  }

  get awaitedSinceMs(): number {
    return this.idleSinceMs;
  }

  get used(): boolean {
    return this.#requests > 0;
  }

  get tunnelled(): boolean {
    return this.#tunnels > 0 && this.#tunnels === this.#core.openStreams;
  }

  drain(): void {
    this.#cause = "shutdown";
    this.#shutDown();
  }

  close(cause: CloseCause): void {
    if (this.#closed || this.tunnelled) return;
    this.#closed = true;
    this.#core.lost("The connection was closed");
    this.socket.close();
    this.parts.onClose(this, cause);
  }

  tick(nowMs: number): void {
    for (const client of this.#clients.values()) client.tick(nowMs);
    if (this.#closed) return;
    const { queuedBytes } = this.socket;
    const { scheduler, writer } = this.#core;
    if (this.#ending && queuedBytes > 0) this.#deadlines.awaitClose(LINGER_MS);
    if (this.#shutdownMs >= 0 && nowMs - this.#shutdownMs > SHUTDOWN_REPLY_MS) this.#core.finishShutdown();
    if (this.#closed) return;
    // Data that waits for the window of the connection.
    const waiting = scheduler.waiting && scheduler.windowBytes <= 0 ? 1 : 0;
    switch (this.#deadlines.overdue(nowMs, queuedBytes + waiting, writer.totalBytes - queuedBytes)) {
      case "write":
        if (queuedBytes > 0) {
          this.socket.reset();
          return this.close("write_timeout");
        }
        return this.#core.fail(new Http2Error(ErrorCode.ENHANCE_YOUR_CALM, "The window stays closed", "stall"));
      case "idle":
        return this.#end(this.used ? "idle_timeout" : "header_timeout");
      case "head":
        this.#cause = "header_timeout";
        return this.#core.fail(new Http2Error(ErrorCode.PROTOCOL_ERROR, "A frame did not arrive in time"));
      case "close":
        return this.close(this.#cause);
    }
  }

  received(bytes: Uint8Array<ArrayBuffer>, start: number, end: number): void {
    try {
      this.#core.received(bytes, start, end);
    } catch (error) {
      this.#broke(error);
    }
    if (this.#ending || this.#closed) return;
    // A client that takes nothing may not ask for more and more.
    if (!this.#paused && this.socket.queuedBytes > MAX_QUEUED_BYTES) {
      this.#paused = true;
      this.socket.pause();
    }
    this.#settle();
  }

  drained(): void {
    if (this.#paused) {
      this.#paused = false;
      this.socket.resume();
    }
    try {
      this.#core.drained();
    } catch (error) {
      this.#broke(error);
    }
  }

  // What the client has asked for could not be sent without its windows.
  ended(): void {
    this.#left("The client ended the connection");
  }

  /** The socket broke; or the core of the connection has found a fault, and has told the client. */
  failed(error: Error): void {
    if (!(error instanceof Http2Error)) return this.#left(error.message);
    const { flood, code } = error;
    if (flood !== undefined) countFlood(this.parts.metrics, flood);
    if (this.#cause === "served" || this.#cause === "shutdown") {
      this.#cause = flood !== undefined
        ? "flood"
        : code === ErrorCode.INTERNAL_ERROR
        ? "broken_response"
        : "protocol_error";
    }
    this.#finish();
  }

  accept(stream: Http2Stream, block: FieldBlock, ended: boolean): void {
    const { parts, peer } = this;
    const found = readRequest(block, ended, peer, parts);
    const request = found instanceof Refusal ? refused(block, peer, parts) : found;
    const client = new StreamClient(stream, this, request);
    this.#clients.set(stream.id, client);
    parts.metrics.change(LISTENER_METRICS.metrics.streams, 1);
    if (++this.#requests === parts.limits.max_requests) this.#shutDown();
    if (found instanceof Refusal) return client.refuse(found, block.fault !== "" || found.status === 400);
    try {
      const made = parts.responder.respond(request.head, client);
      if (made instanceof Promise) made.then((response) => client.respond(response));
      else client.respond(made);
    } catch (error) {
      client.broke(error);
    }
  }

  streamClosed(stream: Http2Stream): void {
    if (this.#clients.delete(stream.id)) this.parts.metrics.change(LISTENER_METRICS.metrics.streams, -1);
    else if (this.#tunnels > 0) this.#tunnels--;
    if (this.#core.openStreams === 0) this.#deadlines.awaitRequest(false);
    this.#endIfDone();
  }

  becomeTunnel(stream: Http2Stream): void {
    this.#clients.delete(stream.id);
    this.parts.metrics.change(LISTENER_METRICS.metrics.streams, -1);
    this.#tunnels++;
  }

  stalled(client: StreamClient): void {
    client.leave("The client did not open the window of its stream");
    try {
      this.#core.budget.use("stall");
    } catch (error) {
      if (!(error instanceof Http2Error)) throw error;
      this.#core.fail(error);
    }
  }

  settingsChanged(): void {}

  goAway(): void {
    this.#shutDown();
    this.#endIfDone();
  }

  pong(): void {}

  shutdownFinished(): void {
    this.#endIfDone();
  }

  /** Awaits the rest of a frame, or the next request. */
  #settle(): void {
    const core = this.#core;
    const { receivedFrames } = core;
    if (core.receiving) {
      // Another frame than before.
      if (receivedFrames !== this.#frames) this.#deadlines.end();
      this.#deadlines.awaitHead();
    } else if (core.openStreams > 0) this.#deadlines.end();
    else this.#deadlines.awaitRequest(!this.used);
    this.#frames = receivedFrames;
  }

  /** The client is gone. */
  #left(message: string): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#core.lost(message);
    this.socket.close();
    this.parts.onClose(this, this.#ending ? this.#cause : "client");
  }

  /** A fault in BWS that belongs to no stream: the log gets the cause, and the connection ends. */
  #broke(error: unknown): void {
    const { responder, scheme } = this.parts;
    const head = { ...UNKNOWN_REQUEST, scheme, peer: this.peer };
    drop(responder.refuse(head, { body: null, signal: new AbortController().signal }, internalError(error)));
    this.#core.fail(new Http2Error(ErrorCode.INTERNAL_ERROR, "Internal error"));
  }

  #shutDown(): void {
    if (this.#shutdownMs < 0) this.#shutdownMs = this.parts.clock.nowMs;
    this.#core.shutdown();
  }

  /** Closes the connection if it is to end, and nothing is under way. */
  #endIfDone(): void {
    const core = this.#core;
    if (core.closed || !core.draining || core.openStreams > 0) return;
    // Requests may be under way until the client has seen that the connection ends.
    if (!core.peerLeaving && !core.shutdownFinished) return;
    this.#finish();
  }

  /** Tells the client that the connection ends, and ends it. */
  #end(cause: CloseCause): void {
    this.#cause = cause;
    this.#core.shutdown();
    this.#core.finishShutdown();
    this.#finish();
  }

  /** Ends the connection behind what was written. */
  #finish(): void {
    if (this.#ending || this.#closed) return;
    this.#ending = true;
    // Directly: the core may be in the middle of something.
    this.#core.writer.flush();
    this.#core.lost("The connection ends");
    this.#deadlines.awaitClose(LINGER_MS);
    new LastBytes(this, { cause: this.#cause, linger: true, reset: false }).begin();
  }
}

/** What is known of a request that is refused. */
function refused(block: FieldBlock, peer: Peer, parts: ListenerParts): ReadRequest {
  return { head: refusedHead(block, peer, parts), expectsContinue: false, takesTrailers: false, webSocket: false };
}

const UNKNOWN_REQUEST = {
  method: "",
  path: "/",
  query: "",
  authority: "",
  host: "",
  headers: [],
  protocol: "HTTP/2.0",
};
const MAX_QUEUED_BYTES = 256 * 1024;
/** How long a client may take to reply that it has seen that the connection ends. */
const SHUTDOWN_REPLY_MS = 1000;
