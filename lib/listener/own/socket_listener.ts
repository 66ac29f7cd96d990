/**
 * A port that is open, over sockets of a driver: the listener of BWS for HTTP/1.1 and HTTP/2.
 *
 * @module
 */

import type { Responder } from "../../exchange/responder.ts";
import { isHandleShortage } from "../../failure/shortage.ts";
import type { Peer } from "../../http/message.ts";
import type { Log } from "../../log/log.ts";
import type { AcceptHandler, ListeningSocket, Socket, SocketDriver } from "../../sockets/socket.ts";
import { socketDriver } from "../../sockets/socket_driver.ts";
import { prepareTls } from "../../sockets/tls/tls_wrap.ts";
import { CoarseClock } from "../../state/coarse_clock.ts";
import { beginConnection } from "../http2/first_bytes.ts";
import { HandshakeLog } from "../tls/handshake_log.ts";
import type { HandshakeResult } from "../tls/handshake_result.ts";
import { HandshakeTable } from "../tls/handshake_table.ts";
import type { TlsPolicies } from "../tls/tls_policy.ts";
import type { CloseCause } from "./close_cause.ts";
import type { IdleConnection } from "../port.ts";
import { FrontViews } from "../../http1/front_views.ts";
import { ConnectionTable } from "./connection_table.ts";
import { localMetricFields } from "../../metrics/metric_fields.ts";
import { countClosed, countHandshake, LISTENER_METRICS, type ListenerMetrics } from "./listener_metrics.ts";
import { LISTENER_LIMITS, type ListenerLimits } from "./limits_schema.ts";
import type { ListenerParts } from "./listener_parts.ts";
import { OutgoingHead } from "./outgoing_head.ts";
import { ParserPool } from "./parser_pool.ts";
import { ProxiedSocket, type ProxiedSocketOwner } from "./proxied_socket.ts";
import { WaitingHeads } from "./waiting_heads.ts";

/** What a reload may change. Open connections keep the limits of times with which they were accepted. */
export interface ListenerSettings {
  /**
   * Limits that differ from the defaults.
   *
   * @default {LISTENER_LIMITS}
   */
  readonly limits?: Partial<ListenerLimits>;
  /**
   * Whether a peer is a trusted proxy, to which `max_connections_per_address` does not apply.
   *
   * @default {no peer}
   */
  readonly trusts?: (address: string) => boolean;
  /**
   * Whether connections of trusted proxies begin with a header of the PROXY protocol. Those of all other peers do not: a
   * header of theirs is a malformed request.
   *
   * @default {false}
   */
  readonly proxyProtocol?: boolean;
  /**
   * How connections speak TLS.
   *
   * @default {they are in clear}
   */
  readonly tls?: TlsPolicies;
}

/** How a listener is opened. */
export interface SocketListenerOptions extends ListenerSettings {
  /**
   * Whether other workers or processes may listen on the same port (SO_REUSEPORT).
   *
   * @default {false}
   */
  readonly shared?: boolean;
  /**
   * Opens the socket.
   *
   * @default {that of this thread}
   */
  readonly driver?: SocketDriver;
  /**
   * Where connections are counted.
   *
   * @default {in fields of this listener alone}
   */
  readonly metrics?: ListenerMetrics;
  /**
   * Where TLS handshakes that fail are logged, and connections without the PROXY header that they must have.
   *
   * @default {nowhere}
   */
  readonly log?: Log;
  /**
   * The clock of all deadlines of its connections.
   *
   * @default {one of its own}
   */
  readonly clock?: CoarseClock;
  /**
   * Called with the error when a connection could not be accepted, as when file handles run out and no idle connection could
   * be closed. It waits in the queue of the system, and is accepted when handles are free.
   *
   * @default {none}
   */
  readonly onAcceptFailed?: (error: Error) => void;
  /**
   * Most file handles of the process with which a connection is accepted, so that some are left for what requests need.
   *
   * @default {as many as the system allows}
   */
  readonly mostHandles?: number | undefined;
  /**
   * Closes idle connections of all listeners where handles are short, and returns how many.
   *
   * @default {those of this listener alone are closed}
   */
  readonly makeRoom?: (() => number) | undefined;
}

/** Where to listen, and who responds. */
export interface SocketListenerPlace {
  /** IP address, or undefined for all interfaces of both families. */
  readonly address: string | undefined;
  /** Port; 0 for any that is free. */
  readonly port: number;
  /** Responds to the requests. */
  readonly responder: Responder;
}

/** An open port. */
export class SocketListener implements AcceptHandler, ProxiedSocketOwner {
  /** What happened to its connections. */
  readonly metrics: ListenerMetrics;
  readonly #listening: ListeningSocket;
  readonly #table: ConnectionTable;
  readonly #onAcceptFailed: ((error: Error) => void) | undefined;
  /** Of connections in clear, and of those with TLS. */
  readonly #parts: ListenerParts;
  readonly #securedParts: ListenerParts;
  readonly #handshakes: HandshakeTable;
  #trusts: (address: string) => boolean;
  #proxyProtocol: boolean;
  readonly #log: Log | undefined;
  /** Connections whose PROXY header is awaited. */
  readonly #proxied = new Set<ProxiedSocket>();
  readonly #makeRoom: () => number;
  /** Whether handles were short when a connection was last to be accepted. */
  #handlesShort = false;
  #stopped = false;

  /**
   * Opens a port.
   *
   * @throws {Error} As `Deno.listen` does, such as `Deno.errors.AddrInUse`.
   */
  constructor({ address, port, responder }: SocketListenerPlace, options: SocketListenerOptions = {}) {
    const { shared = false, driver = socketDriver(), limits, trusts = () => false, clock = new CoarseClock() } =
      options;
    this.metrics = options.metrics ?? LISTENER_METRICS.take(localMetricFields(), "listener");
    const table = this.#table = new ConnectionTable(clock, this.metrics);
    this.#trusts = trusts;
    this.#proxyProtocol = options.proxyProtocol === true;
    this.#onAcceptFailed = options.onAcceptFailed;
    this.#log = options.log;
    this.#makeRoom = options.makeRoom ?? (() => 0);
    // Before the port is open.
    if (options.tls !== undefined) prepareTls();
    this.#listening = driver.listen({ address: address ?? "::", port, shared, mostHandles: options.mostHandles }, this);
    const memory = driver.scratch ?? new Uint8Array(MEMORY_BYTES);
    this.#parts = {
      ...{ responder, scheme: "http", clock, limits: { ...LISTENER_LIMITS, ...limits } },
      ownAuthority: ownAuthority(this.#listening),
      local: { address: ALL.has(this.#listening.address) ? "" : this.#listening.address, port: this.#listening.port },
      parsers: new ParserPool(),
      head: new OutgoingHead(memory),
      waitingHeads: new WaitingHeads(),
      memory: new FrontViews(memory),
      onClose: (connection, cause) => {
        table.delete(connection, cause);
        this.#handleFreed();
      },
      onChosen: (first, connection) => table.replace(first, connection),
      metrics: this.metrics,
    };
    this.#securedParts = { ...this.#parts, scheme: "https" };
    const handshakeLog = new HandshakeLog(this.metrics, options.log);
    this.#handshakes = new HandshakeTable(options.tls, this.#parts, {
      secured: (socket, peer) => this.#begin(socket, peer, this.#securedParts),
      ended: (handshake, result, detail) => {
        handshakeLog.ended(handshake, result, detail);
        this.#handleFreed();
        if (result !== "completed" && result !== "resumed") countClosed(this.metrics, closeCauseOf(result));
      },
    });
  }

  /** Where it listens. */
  get address(): Deno.NetAddr {
    return { transport: "tcp", hostname: this.#listening.address, port: this.#listening.port };
  }

  /** Sends requests to `responder` from now on; those under way are not affected. */
  serve(responder: Responder, settings?: ListenerSettings): void {
    const limits = { ...this.#parts.limits, ...settings?.limits };
    for (const parts of [this.#parts, this.#securedParts]) Object.assign(parts, { responder, limits });
    if (settings === undefined) return;
    const { trusts, proxyProtocol, tls } = settings;
    if (trusts !== undefined) this.#trusts = trusts;
    if (proxyProtocol !== undefined) this.#proxyProtocol = proxyProtocol;
    this.#handshakes.policies = tls;
  }

  /** Connections that are open. */
  get connections(): number {
    return this.#table.size;
  }

  /** TLS handshakes that are under way. */
  get handshakes(): number {
    return this.#handshakes.size;
  }

  /**
   * Closes some connections whose handles are needed, the longest idle first, and accepts again where that had failed. New
   * connections have a second for their first request.
   *
   * @param most How many.
   * @returns How many were closed.
   */
  closeIdle(most: number = this.#evictedAtOnce): number {
    const closed = this.#evict(most);
    if (!this.#stopped) this.#listening.retry();
    return closed;
  }

  #evict(most: number): number {
    return this.#table.evict(most) || this.#handshakes.evict(most);
  }

  get #evictedAtOnce(): number {
    return Math.max(MIN_EVICTED, Math.ceil(this.connections / 8));
  }

  /** Its connections that may be closed where handles are needed. */
  idleConnections(): IdleConnection[] {
    return this.#table.idleConnections();
  }

  /**
   * Stops accepting, closes idle connections, and each other one after its response; uploads under way are let finish.
   * Resolves when the last has closed. Connections that became tunnels are closed by their handlers.
   */
  async shutdown(): Promise<void> {
    this.#stop();
    await Promise.all([this.#table.drain(), this.#handshakes.drain()]);
    // Again, for connections whose handshake was under way.
    await this.#table.drain();
    // The runtime frees a port that was closed under a pending accept in the next turn.
    await new Promise((resolve) => setTimeout(resolve, 0));
  }

  /** Stops accepting, and closes all connections at once, but for tunnels. */
  abort(): void {
    this.#stop();
    this.#handshakes.close();
    this.#table.close();
  }

  accepted(socket: Socket): void {
    this.#handlesShort = false;
    this.metrics.add(LISTENER_METRICS.metrics.accepted);
    if (this.#stopped) {
      countClosed(this.metrics, "shutdown");
      return socket.close();
    }
    if (this.#proxyProtocol && this.#trusts(socket.remoteAddress)) {
      this.#proxied.add(new ProxiedSocket(socket, this, this.#parts.clock));
    } else {
      this.#admit(socket, { address: socket.remoteAddress, port: socket.remotePort });
    }
  }

  proxied(proxied: ProxiedSocket, peer: Peer | undefined): void {
    const { socket } = proxied;
    this.#proxied.delete(proxied);
    this.#admit(socket, peer ?? { address: socket.remoteAddress, port: socket.remotePort });
  }

  unproxied(proxied: ProxiedSocket, detail?: string): void {
    if (!this.#proxied.delete(proxied)) return;
    countClosed(this.metrics, this.#stopped ? "shutdown" : "refused");
    if (detail === undefined) return;
    const { remoteAddress: peer, remotePort: peer_port } = proxied.socket;
    this.#log?.log("info", "connection of a trusted proxy without a header of the PROXY protocol", {
      ...{ peer, peer_port, port: this.address.port, detail },
    });
  }

  #admit(socket: Socket, peer: Peer): void {
    const handshakes = this.#handshakes;
    const { limits } = this.#parts;
    const { address } = peer;
    const perAddress = limits.max_connections_per_address > 0 || limits.max_handshake_rate > 0;
    const trusted = perAddress && this.#trusts(address);
    const secured = handshakes.policies !== undefined;
    if (
      !this.#table.admits(address, trusted, limits, handshakes.from(address)) ||
      (secured && !handshakes.admits(address, trusted))
    ) {
      if (secured) countHandshake(this.metrics, "limit");
      countClosed(this.metrics, "limit");
      return socket.close();
    }
    if (secured) handshakes.add(socket, peer);
    else this.#begin(socket, peer, this.#parts);
  }

  #begin(socket: Socket, peer: Peer, parts: ListenerParts): void {
    const connection = beginConnection(socket, peer, parts);
    this.#table.add(connection);
    if (this.#stopped) connection.drain();
  }

  failed(error: Error): void {
    this.metrics.add(LISTENER_METRICS.metrics.acceptFailures);
    if (isHandleShortage(error)) {
      this.#handlesShort = true;
      // Whoever waits takes the place of an idle one.
      if (this.#makeRoom() > 0 || this.#evict(this.#evictedAtOnce) > 0) return this.#handleFreed();
    }
    this.#onAcceptFailed?.(error);
  }

  #handleFreed(): void {
    if (!this.#handlesShort || this.#stopped) return;
    this.#handlesShort = false;
    this.#listening.retry();
  }

  #stop(): void {
    if (this.#stopped) return;
    this.#listening.close();
    this.#stopped = true;
    for (const proxied of this.#proxied) proxied.close();
  }
}

/** What a request of HTTP/1.0 without Host asks for. */
function ownAuthority({ address, port }: ListeningSocket): string {
  if (LOCAL.has(address)) return `localhost:${port}`;
  return `${address.includes(":") ? `[${address}]` : address}:${port}`;
}

/** Causes for which connections are closed whose handshake failed; others are `handshake`. */
function closeCauseOf(result: HandshakeResult): CloseCause {
  return result === "limit" || result === "shutdown" || result === "client" ? result : "handshake";
}

const ALL: ReadonlySet<string> = new Set(["::", "0.0.0.0"]);
const LOCAL: ReadonlySet<string> = new Set(["::", "0.0.0.0", "127.0.0.1", "::1"]);
/** Large enough for a head and a small body. */
const MEMORY_BYTES = 64 * 1024;
/** Fewest idle connections that are closed when file handles have run out. */
const MIN_EVICTED = 8;
