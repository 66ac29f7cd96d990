/**
 * The contract of an open port, which each kind of listener implements, and what is known of its state.
 *
 * @module
 */

import type { Responder } from "../exchange/responder.ts";
import type { ListenerKind } from "./listener_kind.ts";
import type { ListenerMetrics } from "./own/listener_metrics.ts";
import type { Middleware } from "./middleware.ts";
import type { Log } from "../log/log.ts";
import type { CoarseClock } from "../state/coarse_clock.ts";
import type { ListenerSettings } from "./own/socket_listener.ts";
import type { TlsPolicies } from "./tls/tls_policy.ts";

/** Whether a port accepts connections, and if not, why. */
export interface PortStatus {
  /** IP address that it listens on. */
  readonly address: string;
  /** Port number. */
  readonly port: number;
  /** Which listener serves it. */
  readonly listener: ListenerKind;
  /** Whether it is open. A port that was opened again counts once it has been open for a second. */
  readonly open: boolean;
  /** When it closed, in milliseconds since 1970; null while it is open. */
  readonly closedAtMs: number | null;
  /**
   * Since when no connection can be accepted on the open port, in milliseconds since 1970; null while they can. New
   * connections wait in the backlog of the system.
   */
  readonly failingAtMs: number | null;
  /** Why it is closed, or why no connection can be accepted; null while it is open and accepts. */
  readonly reason: string | null;
  /** How often it was opened again. */
  readonly reopenings: number;
}

/** Responds to the requests of a port. */
export interface PortTarget {
  readonly responder: Responder;
  /**
   * Sees requests before the responder does, the outermost first.
   *
   * @default {none}
   */
  readonly middleware?: readonly Middleware[];
  /**
   * Limits for clients, which the runtime's server does not have.
   *
   * @default {those of the schema}
   */
  readonly clients?: ListenerSettings;
  /**
   * How connections speak TLS, which the runtime's server does not.
   *
   * @default {they are in clear}
   */
  readonly tls?: TlsPolicies;
}

/** A connection of a client between two requests, or one that has sent no request for some time. */
export interface IdleConnection {
  /** How long it has been idle, in milliseconds. */
  readonly idleMs: number;
  /** Closes it, to release its file handle. */
  close(): void;
}

/** An open port. Requests go to the target that was set last. */
export interface Port {
  /** Where it listens, or will listen again. */
  readonly address: Deno.NetAddr;
  readonly status: PortStatus;
  /** Whether {@linkcode shutdown} lets uploads and WebSockets end; that of the runtime's server breaks them. */
  readonly shutdownWaits: boolean;
  /** Sends requests to `target` from now on; requests in flight are not affected. */
  serve(target: PortTarget): void;
  /** Settles when the uploads under way have ended, if {@linkcode shutdown} would break them. */
  uploadsEnded(): Promise<void>;
  /** Closes idle connections of clients, to release their file handles: all, or some where the listener knows the longest idle. */
  closeIdle(): void;
  /** Its connections of clients that may be closed where file handles are short; undefined where the listener does not know them. */
  idleConnections?(): IdleConnection[];
  /** Stops accepting connections, closes idle ones, and waits until the last exchange has ended. */
  shutdown(): Promise<void>;
  /** Closes the port and all its connections at once. */
  abort(): Promise<void>;
}

/** How a port is opened. */
export interface PortOptions {
  /** IP address to listen on; `::` means both families. */
  readonly hostname: string;
  /** Port number; 0 for any that is free. */
  readonly port: number;
  /** Whether other listeners may have the same port (SO_REUSEPORT). */
  readonly shared: boolean;
  /**
   * Where connections are counted, by the listener that can.
   *
   * @default {nowhere}
   */
  readonly metrics?: ListenerMetrics;
  /**
   * Where TLS handshakes that fail are logged, by the listener that makes them.
   *
   * @default {nowhere}
   */
  readonly log?: Log;
  /**
   * The clock of deadlines, for the listener that has some. Shared with bodies that the port sends, it keeps its timer
   * while there are connections: otherwise each body that is sent at once would start and stop it.
   *
   * @default {its own}
   */
  readonly clock?: CoarseClock;
  /**
   * Most file handles of the process with which a connection is accepted, for the listener that can tell.
   *
   * @default {as many as the system allows}
   */
  readonly mostHandles?: number | undefined;
  /**
   * Closes idle connections of all ports where handles are short, and returns how many, for the listener that keeps those
   * open whose first request is on the way.
   *
   * @default {those of this port alone are closed}
   */
  readonly makeRoom?: () => number;
  /**
   * Called when file handles have run out, so that some can be released. `again` is true if that has not helped, from
   * the fourth time in a row on.
   *
   * @default {nobody}
   */
  readonly onHandlesOut?: (again: boolean) => void;
  /**
   * Called when the port stops accepting connections, and when it accepts them again: once a change, not once a try.
   *
   * @default {nobody}
   */
  readonly onChange?: (now: PortStatus, before: PortStatus) => void;
}

/** Whether connections are accepted. */
export function accepts({ open, failingAtMs }: PortStatus): boolean {
  return open && failingAtMs === null;
}

/** Whether `reason` says that the process, or the machine, has no file handle left (EMFILE, ENFILE, on Windows 10024). */
export function handlesOut(reason: string): boolean {
  return /os error (?:23|24|10024)\b/.test(reason);
}

/**
 * Closes idle connections of clients over several ports, the longest idle first.
 *
 * @param most How many.
 * @returns How many were closed.
 */
export function closeLongestIdle(ports: Iterable<Port>, most: number): number {
  const idle = [...ports].flatMap((port) => port.idleConnections?.() ?? []);
  idle.sort((a, b) => b.idleMs - a.idleMs);
  const closed = idle.slice(0, most);
  for (const connection of closed) connection.close();
  return closed.length;
}
