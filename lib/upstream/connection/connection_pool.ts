/**
 * The connection pool of one upstream: dials and idle connections.
 *
 * @module
 */

import type { CoarseClock } from "../../state/coarse_clock.ts";
import type { ConnectionsConfig } from "../config/connections_schema.ts";
import { Connection, type ConnectionLimits } from "./connection.ts";
import { ConnectionWait, type ConnectionWaitOptions } from "./connection_wait.ts";
import { dial } from "../../sockets/dial.ts";
import { DialLimit, DialQueue } from "./dial_queue.ts";
import { type Endpoint, speaksHttp2 } from "../../sockets/endpoint.ts";
import { TransportFailure } from "../../failure/failure.ts";
import { IdleRelease } from "./idle_release.ts";
import { HandleWaits } from "./handle_waits.ts";
import type { LentConnection } from "./lent_connection.ts";
import { RestingConnections } from "./resting_connections.ts";
import { type ProxiedClient, proxyHeader } from "../../http/proxy_protocol.ts";
import type { Socket } from "../../sockets/socket.ts";
import type { SharedLimits } from "../http2/shared_connection.ts";
import { SharedConnections, TAKEN_OUT } from "../http2/shared_connections.ts";
import type { UpstreamStream } from "../http2/upstream_stream.ts";
import { CONNECTIONS as connections, IDLE, OPEN, UPSTREAM_METRICS, type UpstreamMetrics } from "../upstream_metrics.ts";

const { dialled, dialSeconds, reused } = UPSTREAM_METRICS.metrics;

/** How a pool dials and keeps connections. */
export interface ConnectionPoolOptions extends ConnectionLimits, Pick<ConnectionsConfig, "max_idle"> {
  /**
   * How connections of HTTP/2 are shared.
   *
   * @default {HTTP/1.1 alone is spoken, whatever the endpoint says}
   */
  readonly shared?: SharedLimits;
  /**
   * The metrics of the upstream.
   *
   * @default {none are kept}
   */
  readonly metrics?: UpstreamMetrics | undefined;
  /**
   * Limits the dials of all upstreams of the worker.
   *
   * @default {of this upstream alone}
   */
  readonly dialLimit?: DialLimit;
  /**
   * The idle connections that are closed when file handles have run out.
   *
   * @default {idle connections of this upstream alone}
   */
  readonly idleConnections?: IdleRelease;
}

/** Which connection is needed. */
interface ObtainOptions {
  readonly fresh: boolean;
  readonly upgrades?: boolean;
  readonly client?: ProxiedClient | undefined;
}

/** Dials an upstream and keeps connections that can be reused. Closed by its upstream's owner. */
export class ConnectionPool {
  readonly #endpoint: Endpoint;
  readonly #options: ConnectionPoolOptions;
  readonly #clock: CoarseClock;
  readonly #idle: Connection[] = [];
  /** Idle connections that are not used again yet. */
  readonly #resting = new RestingConnections();
  readonly #open = new Set<Connection>();
  /** The client that a connection was opened for, where connections begin with a header of the PROXY protocol. */
  readonly #clients = new Map<Connection, string>();
  readonly #dials: DialQueue;
  readonly #http1Dials: DialQueue;
  readonly #allIdle: IdleRelease;
  /** Queued waits that do not require a new connection. */
  readonly #reusingWaits = new Set<ConnectionWait>();
  readonly #handleWaits: HandleWaits;
  /** Connections of HTTP/2; undefined for upstreams that speak HTTP/1.1 alone. */
  readonly #shared: SharedConnections | undefined;
  /** The endpoint for connections that must speak HTTP/1.1. */
  readonly #http1Endpoint: Endpoint;
  #closed = false;

  /** Makes an empty pool for `endpoint`. */
  constructor(endpoint: Endpoint, options: ConnectionPoolOptions, clock: CoarseClock) {
    this.#endpoint = endpoint;
    this.#options = options;
    this.#clock = clock;
    this.#http1Endpoint = { ...endpoint, protocol: "http/1.1" };
    const { protocol = "http/1.1", proxyProtocol } = endpoint;
    // A header of the PROXY protocol names one client for a whole connection.
    if (options.shared !== undefined && protocol !== "http/1.1" && proxyProtocol === undefined) {
      const limits = { ...options, ...options.shared };
      this.#shared = new SharedConnections(clock, limits, options.metrics, () => this.#serveWaits());
    }
    // All exchanges that wait for the first connection of HTTP/2 share it.
    const limit = options.dialLimit ?? new DialLimit();
    this.#http1Dials = new DialQueue(limit);
    this.#dials = this.#shared === undefined ? this.#http1Dials : new DialQueue(limit, 1);
    this.#allIdle = options.idleConnections ?? new IdleRelease();
    this.#allIdle.add(this);
    const context = { allIdle: this.#allIdle, closed: () => this.#closed, take: () => this.take() };
    this.#handleWaits = new HandleWaits(context);
  }

  /** Number of idle connections. */
  get idleCount(): number {
    return this.#idle.length + this.#resting.size + (this.#shared?.idleCount ?? 0);
  }

  /**
   * A stream of a connection of HTTP/2; or the idle connection that was used last, since it is the least likely to be
   * closed by the upstream. undefined without one.
   *
   * @param client The client, where connections begin with its address: it gets those alone that it had before.
   */
  take(client?: ProxiedClient): LentConnection | undefined {
    if (this.#resting.size > 0) this.#endRests();
    if (client !== undefined) return this.#takeOf(clientKey(client));
    const stream = this.#shared?.take();
    if (stream !== undefined) {
      this.#options.metrics?.add(reused);
      return stream;
    }
    for (;;) {
      const connection = this.#idle.pop();
      if (connection === undefined) return undefined;
      this.#options.metrics?.change(connections, -1, IDLE);
      if (connection.closed) continue;
      this.#options.metrics?.add(reused);
      return connection;
    }
  }

  /**
   * A connection when none is idle: a new one, or one that is released before the dial has begun.
   *
   * @param options `fresh` requires a new connection, if it is one of HTTP/1.1. `upgrades` requires one, or a stream, that
   * can be switched to another protocol. `client` is that of {@linkcode take}.
   */
  obtain(options: ConnectionWaitOptions & ObtainOptions): ConnectionWait {
    const { client, fresh } = options;
    if (options.upgrades === true && this.#shared !== undefined) return this.#obtainTunnel(options, this.#shared);
    const http1 = this.#shared === undefined;
    const endpoint = http1 ? this.#http1Endpoint : this.#endpoint;
    const reuses = !(fresh && http1) && client === undefined;
    const wait: ConnectionWait = new ConnectionWait(options, {
      queue: http1 ? this.#http1Dials : this.#dials,
      dial: (timeoutMs) => this.#dial(endpoint, timeoutMs, reuses ? { reusing: () => wait } : { client }),
      open: (socket) => this.#adopt(socket, endpoint, client),
      spare: (socket) => client === undefined ? this.#spare(socket, endpoint) : socket.close(),
      refused: (failure) => void (http1 || this.#refuseWaits(failure)),
    });
    if (!reuses || this.#dials.length === 0) return wait;
    this.#reusingWaits.add(wait);
    const forget = () => void this.#reusingWaits.delete(wait);
    wait.result.then(forget, forget);
    return wait;
  }

  /**
   * For a WebSocket: a stream where the upstream takes them over HTTP/2 (RFC 8441), which its settings say, else a new
   * connection of HTTP/1.1.
   */
  #obtainTunnel(options: ConnectionWaitOptions, shared: SharedConnections): ConnectionWait {
    let stream: UpstreamStream | undefined | null;
    const dialTunnel = async (timeoutMs: number): Promise<Socket> => {
      const startMs = performance.now();
      stream = shared.takeTunnel();
      if (stream === undefined) {
        const socket = await this.#dial(this.#endpoint, timeoutMs);
        if (!speaksHttp2(this.#endpoint, socket.tls?.protocol)) return socket;
        stream = shared.takeTunnel();
        this.#serveWaits();
      } else if (stream !== null) {
        this.#options.metrics?.add(reused);
      }
      if (stream) return stream.socket;
      try {
        return await this.#dial(this.#http1Endpoint, timeoutMs - (performance.now() - startMs));
      } catch (failure) {
        if (!(failure instanceof TransportFailure) || failure.kind !== "connect") throw failure;
        throw new TransportFailure("connect", `${NO_TUNNEL}: ${failure.message}`, failure);
      }
    };
    return new ConnectionWait(options, {
      queue: this.#http1Dials,
      dial: dialTunnel,
      open: (socket) => stream ?? this.#adopt(socket, this.#http1Endpoint, undefined),
      spare: (socket) => stream ? stream.close() : socket.close(),
      refused: () => {},
    });
  }

  /** Takes a connection back after its exchange. `sent`: whether the whole request was sent. */
  release(lent: LentConnection, sent: boolean): void {
    if (!lent.finish(sent)) return;
    const connection = lent as Connection;
    const rests = connection.mayGetBody;
    if (this.#wanted && !rests && !this.#closed && this.#reuse(connection)) return;
    if (this.#clients.size > 0) this.#makeRoom();
    if (this.#closed || this.#idle.length + this.#resting.size >= this.#options.max_idle) connection.close();
    else {
      if (rests) this.#resting.add(connection);
      else this.#idle.push(connection);
      this.#options.metrics?.change(connections, 1, IDLE);
    }
  }

  /** Keeps a connection that was dialled and has not been used. */
  keep(lent: LentConnection): void {
    if (!(lent instanceof Connection)) return lent.close();
    const connection = lent;
    if (this.#wanted && !this.#closed && this.#reuse(connection)) return;
    if (this.#closed || this.#idle.length + this.#resting.size >= this.#options.max_idle) return connection.close();
    connection.rest();
    this.#idle.push(connection);
    this.#options.metrics?.change(connections, 1, IDLE);
  }

  /** Closes idle connections; connections in use are closed when they are released. */
  close(): void {
    this.#closed = true;
    this.#allIdle.delete(this);
    this.#shared?.close();
    this.releaseIdle();
  }

  /** Closes idle connections and returns their number. */
  releaseIdle(): number {
    const idle = [...this.#idle.splice(0), ...this.#resting.clear()];
    this.#options.metrics?.change(connections, -idle.length, IDLE);
    for (const connection of idle) connection.close();
    return idle.length + (this.#shared?.releaseIdle() ?? 0);
  }

  /** Closes all connections at once; exchanges in flight fail. */
  destroy(): void {
    this.close();
    const failure = new TransportFailure("dropped", "The proxy is shutting down");
    for (const connection of [...this.#open]) connection.abort(failure);
    this.#shared?.destroy(failure);
  }

  #endRests(): void {
    for (;;) {
      const connection = this.#resting.takeRested();
      if (connection === undefined) return;
      this.#idle.push(connection);
    }
  }

  #takeOf(client: string): Connection | undefined {
    const connection = this.#idle.findLast((idle) => this.#clients.get(idle) === client);
    if (connection === undefined) return undefined;
    this.#idle.splice(this.#idle.lastIndexOf(connection), 1);
    this.#options.metrics?.change(connections, -1, IDLE);
    this.#options.metrics?.add(reused);
    return connection;
  }

  // Connections of clients that do not come again leave room for those of others.
  #makeRoom(): void {
    const { max_idle } = this.#options;
    if (max_idle > 0 && this.#idle.length >= max_idle) this.#idle[0].close();
  }

  /** @param reusing The wait that it is for, if a connection that was used before will do for that. */
  #dial(
    endpoint: Endpoint,
    timeoutMs: number,
    { client, reusing }: { client?: ProxiedClient | undefined; reusing?: () => ConnectionWait } = {},
  ): Promise<Socket> {
    const { proxyProtocol } = endpoint;
    const preamble = proxyProtocol === undefined ? undefined : proxyHeader(proxyProtocol, client);
    const startMs = performance.now();
    return this.#handleWaits.dial(
      async () => {
        const socket = await dial(endpoint, timeoutMs, { preamble });
        if (speaksHttp2(endpoint, socket.tls?.protocol)) {
          await this.#shared?.add(socket, endpoint, timeoutMs - (performance.now() - startMs));
        }
        this.#options.metrics?.add(dialled);
        this.#options.metrics?.observe(dialSeconds, (performance.now() - startMs) / 1000);
        return socket;
      },
      timeoutMs,
      reusing,
    );
  }

  #adopt(socket: Socket, endpoint: Endpoint, client: ProxiedClient | undefined): LentConnection {
    if (speaksHttp2(endpoint, socket.tls?.protocol)) return this.#share();
    // The upstream has chosen HTTP/1.1: its connections are not shared.
    if (endpoint.protocol === "auto") this.#dials.widen();
    const connection = new Connection(socket, this.#clock, this.#options, (retired) => this.#forget(retired));
    this.#open.add(connection);
    if (client !== undefined) this.#clients.set(connection, clientKey(client));
    this.#options.metrics?.change(connections, 1, OPEN);
    if (this.#closed) {
      connection.close();
      throw new TransportFailure("dropped", TAKEN_OUT);
    }
    return connection;
  }

  #share(): LentConnection {
    const stream = this.#shared?.take();
    if (stream === undefined) {
      throw this.#closed ? new TransportFailure("dropped", TAKEN_OUT) : new TransportFailure("refused", NO_ROOM);
    }
    this.#serveWaits();
    return stream;
  }

  /** Gives streams to waits, oldest first, while there are both. */
  #serveWaits(): void {
    const shared = this.#shared as SharedConnections;
    for (const wait of this.#reusingWaits) {
      if (!shared.hasRoom) return;
      this.#reusingWaits.delete(wait);
      if (!this.#dials.remove(wait)) continue;
      this.#options.metrics?.add(reused);
      wait.serve(shared.take() as LentConnection);
    }
  }

  /** A dial for a connection of HTTP/2 failed: waits that would have shared it fail as well. */
  #refuseWaits(failure: unknown): void {
    for (const wait of this.#reusingWaits) {
      this.#reusingWaits.delete(wait);
      if (this.#dials.remove(wait)) wait.refuse(failure);
    }
  }

  /** Whether there are waits that a connection that was used before serves. */
  get #wanted(): boolean {
    return this.#reusingWaits.size > 0 || this.#handleWaits.size > 0;
  }

  #reuse(connection: Connection): boolean {
    const waiting = this.#handleWaits.next();
    if (waiting !== undefined) {
      this.#options.metrics?.add(reused);
      waiting.serve(connection);
      return true;
    }
    for (const wait of this.#reusingWaits) {
      this.#reusingWaits.delete(wait);
      if (!this.#dials.remove(wait)) continue;
      this.#options.metrics?.add(reused);
      wait.serve(connection);
      return true;
    }
    return false;
  }

  // The wait that it was dialled for has ended, or got another connection.
  #spare(socket: Socket, endpoint: Endpoint): void {
    if (speaksHttp2(endpoint, socket.tls?.protocol)) return this.#serveWaits();
    const waiting = this.#handleWaits.next();
    if (waiting !== undefined) return waiting.take(socket);
    for (const wait of this.#reusingWaits) {
      this.#reusingWaits.delete(wait);
      if (this.#dials.remove(wait)) return wait.take(socket);
    }
    socket.close();
  }

  #forget(connection: Connection): void {
    const { metrics } = this.#options;
    this.#clients.delete(connection);
    if (this.#open.delete(connection)) metrics?.change(connections, -1, OPEN);
    const index = this.#idle.lastIndexOf(connection);
    if (index >= 0) this.#idle.splice(index, 1);
    else if (!this.#resting.delete(connection)) return;
    metrics?.change(connections, -1, IDLE);
  }
}

// Connections with the same header are alike.
function clientKey({ peer, local }: ProxiedClient): string {
  return `${peer.address} ${peer.port} ${local.address} ${local.port}`;
}

const NO_ROOM = "The upstream ended its new connection, or allows no exchange on it";

const NO_TUNNEL = "The upstream takes no WebSockets over HTTP/2 (RFC 8441), and speaks no HTTP/1.1";
