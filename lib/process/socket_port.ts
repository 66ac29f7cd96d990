/**
 * A port that BWS's own listener serves. It stays open whatever happens to accepting.
 *
 * @module
 */

import {
  handlesOut,
  type IdleConnection,
  type Port,
  type PortOptions,
  type PortStatus,
  type PortTarget,
} from "../listener/port.ts";
import type { Responder } from "../exchange/responder.ts";
import { MiddlewareResponder } from "../listener/own/middleware_responder.ts";
import { type ListenerSettings, SocketListener } from "../listener/own/socket_listener.ts";

/** A port of BWS's own listener. */
export class SocketPort implements Port {
  readonly shutdownWaits = true;
  readonly #listener: SocketListener;
  readonly #options: PortOptions;
  #status: PortStatus;
  /** Failures for want of handles in a row, none of them more than {@linkcode STABLE_MS} after the one before. */
  #failures = 0;
  #recovery: ReturnType<typeof setTimeout> | undefined;

  /**
   * Opens the port.
   *
   * @throws {Error} Whatever the socket driver throws when it cannot.
   */
  constructor(target: PortTarget, options: PortOptions) {
    this.#options = options;
    const { hostname: address, port, shared, metrics, log, clock, mostHandles, makeRoom } = options;
    const onAcceptFailed = (error: Error) => this.#acceptFailed(error.message);
    this.#listener = new SocketListener(
      { address, port, responder: responderOf(target) },
      { ...settingsOf(target), shared, metrics, log, clock, mostHandles, makeRoom, onAcceptFailed },
    );
    this.#status = {
      ...{ address: this.address.hostname, port: this.address.port, listener: "own", open: true, closedAtMs: null },
      ...{ failingAtMs: null, reason: null, reopenings: 0 },
    };
  }

  get address(): Deno.NetAddr {
    return this.#listener.address;
  }

  get status(): PortStatus {
    return this.#status;
  }

  serve(target: PortTarget): void {
    this.#listener.serve(responderOf(target), settingsOf(target));
  }

  /** Settles at once: {@linkcode shutdown} lets uploads end. */
  uploadsEnded(): Promise<void> {
    return Promise.resolve();
  }

  closeIdle(): void {
    this.#listener.closeIdle();
  }

  idleConnections(): IdleConnection[] {
    return this.#listener.idleConnections();
  }

  shutdown(): Promise<void> {
    clearTimeout(this.#recovery);
    return this.#listener.shutdown();
  }

  abort(): Promise<void> {
    clearTimeout(this.#recovery);
    this.#listener.abort();
    return Promise.resolve();
  }

  #acceptFailed(reason: string): void {
    const before = this.#status;
    this.#status = { ...before, failingAtMs: before.failingAtMs ?? Date.now(), reason };
    clearTimeout(this.#recovery);
    this.#recovery = setTimeout(() => this.#recovered(), STABLE_MS);
    if (before.failingAtMs === null) this.#options.onChange?.(this.#status, before);
    if (handlesOut(reason)) this.#options.onHandlesOut?.(++this.#failures > MOST_FAILURES);
  }

  #recovered(): void {
    const before = this.#status;
    this.#failures = 0;
    this.#status = { ...before, failingAtMs: null, reason: null };
    this.#options.onChange?.(this.#status, before);
  }
}

function responderOf({ responder, middleware = [] }: PortTarget): Responder {
  return middleware.length === 0 ? responder : new MiddlewareResponder(responder, middleware);
}

function settingsOf({ clients, tls }: PortTarget): ListenerSettings {
  return { ...clients, tls };
}

/** Time without a failure after which the port counts as accepting again. Drivers try again sooner than that. */
const STABLE_MS = 1000;
/** Failures in a row after which idle connections of clients are closed, too. */
const MOST_FAILURES = 3;
