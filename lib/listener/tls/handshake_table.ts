/**
 * The TLS handshakes of one listener that are under way: limits their number, their rate and their time.
 *
 * @module
 */

import type { Peer } from "../../http/message.ts";
import type { Socket } from "../../sockets/socket.ts";
import type { TlsSocket } from "../../sockets/tls/tls_socket.ts";
import { prepareTls } from "../../sockets/tls/tls_wrap.ts";
import type { CoarseClock, Watched } from "../../state/coarse_clock.ts";
import { ClientVerdicts } from "./client_verdicts.ts";
import type { HandshakeResult } from "./handshake_result.ts";
import { PendingHandshake, type PendingHandshakeOwner } from "./pending_handshake.ts";
import type { TlsPolicies } from "./tls_policy.ts";

/** Limits for handshakes; a time or a number of 0 is no limit. */
export interface HandshakeLimits {
  /** In milliseconds. */
  readonly handshake_timeout: number;
  readonly max_handshakes: number;
  /** Of one address in a second. */
  readonly max_handshake_rate: number;
}

/** What handshakes share with the connections of their listener. */
export interface HandshakeParts {
  readonly clock: CoarseClock;
  /** Replaced by a reload. */
  readonly limits: HandshakeLimits;
}

/** Takes over connections whose handshake is complete, and learns of all that end. */
export interface HandshakeTableOwner {
  /** Sets the handler of the socket, or closes it. */
  secured(socket: TlsSocket, peer: Peer): void;
  /** A handshake has ended; called before {@linkcode secured}. */
  ended(handshake: PendingHandshake, result: HandshakeResult, detail: string): void;
}

/** Handshakes. Owned by a listener. */
export class HandshakeTable implements PendingHandshakeOwner, Watched {
  #policies: TlsPolicies | undefined;
  readonly verdicts: ClientVerdicts = new ClientVerdicts();
  readonly #owner: HandshakeTableOwner;
  readonly #parts: HandshakeParts;
  /** Oldest first. */
  readonly #pending = new Set<PendingHandshake>();
  /** Handshakes under way by address. */
  readonly #byAddress = new Map<string, number>();
  /** Handshakes that began in this second, by address. */
  readonly #begun = new Map<string, number>();
  #secondEndsMs = 0;
  #watching = false;
  #emptied: (() => void) | undefined;

  constructor(policies: TlsPolicies | undefined, parts: HandshakeParts, owner: HandshakeTableOwner) {
    this.policies = policies;
    this.#parts = parts;
    this.#owner = owner;
  }

  /** Undefined while connections are in clear. */
  get policies(): TlsPolicies | undefined {
    return this.#policies;
  }

  /**
   * Replaced by a reload.
   *
   * @throws {Error} If this version of the runtime has no TLS that BWS can use.
   */
  set policies(policies: TlsPolicies | undefined) {
    if (policies !== undefined) prepareTls();
    this.#policies = policies;
  }

  get protocols(): readonly string[] {
    return PROTOCOLS;
  }

  /** Handshakes under way. */
  get size(): number {
    return this.#pending.size;
  }

  /** Handshakes under way from an address. */
  from(address: string): number {
    return this.#byAddress.get(address) ?? 0;
  }

  /**
   * Whether the rate allows another handshake from an address, which is counted.
   *
   * @param trusted Whether it is a trusted proxy, which has the connections of many clients.
   */
  admits(address: string, trusted: boolean): boolean {
    const { max_handshake_rate: rate } = this.#parts.limits;
    if (rate === 0 || trusted) return true;
    const begun = this.#begun.get(address) ?? 0;
    if (begun >= rate) return false;
    this.#watch();
    this.#begun.set(address, begun + 1);
    return true;
  }

  /** Begins a handshake on an accepted socket. The oldest one is ended where there are too many. */
  add(socket: Socket, peer: Peer): void {
    const { clock, limits } = this.#parts;
    const { handshake_timeout: timeoutMs, max_handshakes: most } = limits;
    if (most > 0 && this.#pending.size >= most) {
      const [oldest] = this.#pending;
      oldest.close("limit", "another handshake took its place");
    }
    this.#watch();
    const deadlineMs = timeoutMs === 0 ? Infinity : clock.nowMs + timeoutMs;
    const handshake = new PendingHandshake(socket, peer, this, deadlineMs);
    handshake.beganMs = clock.nowMs;
    this.#pending.add(handshake);
    this.#byAddress.set(peer.address, this.from(peer.address) + 1);
  }

  /**
   * Ends handshakes that take long, the oldest first, where their handles are needed.
   *
   * @param most How many.
   * @returns How many were ended.
   */
  evict(most: number): number {
    const latestMs = this.#parts.clock.nowMs - LONG_MS;
    const long: PendingHandshake[] = [];
    for (const handshake of this.#pending) {
      if (long.length === most || handshake.beganMs > latestMs) break;
      long.push(handshake);
    }
    for (const handshake of long) handshake.close("limit", "its file handle was needed");
    return long.length;
  }

  /** Lets those under way end soon. Resolves when the last has. */
  async drain(): Promise<void> {
    if (this.#pending.size === 0) return;
    const deadlineMs = this.#parts.clock.nowMs + DRAIN_MS;
    for (const handshake of this.#pending) handshake.deadlineMs = Math.min(handshake.deadlineMs, deadlineMs);
    await new Promise<void>((resolve) => this.#emptied = resolve);
  }

  /** Ends all. */
  close(): void {
    for (const handshake of this.#pending) handshake.close("shutdown", "the listener is closed");
  }

  tick(nowMs: number): void {
    if (nowMs >= this.#secondEndsMs) {
      this.#begun.clear();
      this.#secondEndsMs = nowMs + 1000;
    }
    for (const handshake of this.#pending) {
      if (nowMs > handshake.deadlineMs) handshake.close("timeout", "it took too long");
    }
    if (this.#pending.size > 0 || this.#begun.size > 0) return;
    this.#watching = false;
    this.#parts.clock.unwatch(this);
  }

  completed(handshake: PendingHandshake, socket: TlsSocket): void {
    this.closed(handshake);
    this.#owner.ended(handshake, socket.session?.resumed ? "resumed" : "completed", "");
    this.#owner.secured(socket, handshake.peer);
  }

  refused(handshake: PendingHandshake, result: HandshakeResult, detail: string): void {
    handshake.deadlineMs = Math.min(handshake.deadlineMs, this.#parts.clock.nowMs + LINGER_MS);
    this.#owner.ended(handshake, result, detail);
  }

  closed(handshake: PendingHandshake): void {
    if (!this.#pending.delete(handshake)) return;
    const { address } = handshake.peer;
    const left = this.from(address) - 1;
    if (left > 0) this.#byAddress.set(address, left);
    else this.#byAddress.delete(address);
    if (this.#pending.size === 0) this.#emptied?.();
  }

  #watch(): void {
    if (this.#watching) return;
    this.#watching = true;
    this.#parts.clock.watch(this);
  }
}

/** From when on a handshake may be ended for others, where handles are short. */
const LONG_MS = 2000;
/** How long a client that was refused may take to read the alert. */
const LINGER_MS = 2000;
/** How long handshakes under way may take when the listener shuts down. */
const DRAIN_MS = 1000;
/** What the connections of the listener speak. */
const PROTOCOLS = ["h2", "http/1.1"];
