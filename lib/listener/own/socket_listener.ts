/**
 * A port that is open, over plain sockets: an HTTP/1.1 listener of BWS's own. A prototype beside `Deno.serve`, which
 * `process/listener.ts` uses; not on the way of any request by default.
 *
 * @module
 */

import type { Responder } from "../../exchange/responder.ts";
import { plainAddress } from "../../http/ip_address.ts";
import { CoarseClock } from "../../state/coarse_clock.ts";
import { closeQuietly } from "../../sockets/wire.ts";
import { BufferPool } from "./buffer_pool.ts";
import { ConnectionTable } from "./connection_table.ts";
import { LISTENER_LIMITS, type ListenerLimits } from "./listener_limits.ts";
import { type ListenerParts, ServedConnection, type UpgradeRelay } from "./served_connection.ts";

/** How a listener is opened. */
export interface SocketListenerOptions {
  /**
   * Bounds that differ from the usual ones.
   *
   * @default {LISTENER_LIMITS}
   */
  readonly limits?: Partial<ListenerLimits>;
  /**
   * Whether others may listen on the port too, and the system deals connections out among them.
   *
   * @default {false}
   */
  readonly shared?: boolean;
  /**
   * Called when a connection could not be accepted, as when file handles have run out. The port stays open.
   *
   * @default {nobody}
   */
  readonly onAcceptFailed?: (error: Error) => void;
  /**
   * For measurements: takes upgrades.
   *
   * @default {undefined} They are responded to like other requests.
   */
  readonly tunnel?: UpgradeRelay;
}

/** Where to listen, and who responds. */
export interface SocketListenerPlace {
  /** IP address, or undefined for all interfaces. */
  readonly address: string | undefined;
  /** Port; 0 for any that is free. */
  readonly port: number;
  /** Responds to the requests. */
  readonly responder: Responder;
}

/** An open port. */
export class SocketListener {
  readonly #listener: Deno.TcpListener;
  readonly #parts: ListenerParts;
  readonly #table: ConnectionTable;
  readonly #accepting: Promise<void>;
  readonly #onAcceptFailed: (error: Error) => void;
  #stopped = false;

  /**
   * Opens a port.
   *
   * @throws {Deno.errors.AddrInUse} When it is in use.
   */
  constructor({ address, port, responder }: SocketListenerPlace, options: SocketListenerOptions = {}) {
    const clock = new CoarseClock();
    const limits = { ...LISTENER_LIMITS, ...options.limits };
    this.#parts = { responder, limits, clock, pool: new BufferPool(), tunnel: options.tunnel };
    this.#table = new ConnectionTable(clock, limits);
    const hostname = address ?? "0.0.0.0";
    this.#listener = Deno.listen({ hostname, port, reusePort: options.shared === true });
    this.#onAcceptFailed = options.onAcceptFailed ?? (() => {});
    this.#accepting = this.#accept();
  }

  /** Where it listens. */
  get address(): Deno.NetAddr {
    return this.#listener.addr as Deno.NetAddr;
  }

  /** From now on, requests go to `responder`; those in flight stay where they are. */
  serve(responder: Responder): void {
    this.#parts.responder = responder;
  }

  /** Connections that are open. */
  get connections(): number {
    return this.#table.size;
  }

  /** Closes idle connections. */
  closeIdle(): void {
    this.#table.closeIdle();
  }

  /** Stops accepting, closes what idles, and waits until the last response is out. */
  async shutdown(): Promise<void> {
    this.#stop();
    await this.#accepting;
    await this.#table.drain();
  }

  /** Closes everything at once. */
  async destroy(): Promise<void> {
    this.#stop();
    await this.#accepting;
    this.#table.destroy();
  }

  #stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#listener.close();
  }

  async #accept(): Promise<void> {
    while (!this.#stopped) {
      let conn: Deno.TcpConn;
      try {
        conn = await this.#listener.accept();
      } catch (error) {
        if (this.#stopped) return;
        this.#onAcceptFailed(error instanceof Error ? error : new Error(String(error)));
        // No file handles left, or a connection that was gone before it was taken: the next may do better.
        await new Promise((resolve) => setTimeout(resolve, ACCEPT_PAUSE_MS));
        continue;
      }
      this.#take(conn);
    }
  }

  #take(conn: Deno.TcpConn): void {
    if (this.#stopped || !this.#table.admits(plainAddress(conn.remoteAddr.hostname))) return closeQuietly(conn);
    const connection = new ServedConnection(conn, this.#parts);
    this.#table.add(connection);
    connection.serve().then(() => this.#table.delete(connection));
  }
}

const ACCEPT_PAUSE_MS = 50;
