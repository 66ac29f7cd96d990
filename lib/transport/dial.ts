/**
 * Opening a connection to an upstream: TCP, TLS or a unix socket, within a time.
 *
 * @module
 */

import type { Endpoint } from "./endpoint.ts";
import { TransportFailure } from "./failure.ts";
import { connectUnverified } from "./unverified_tls.ts";

/** What a connection needs of its socket. `Deno.Conn` is one. */
export interface Wire {
  /** Reads into `buffer`; the number of bytes, or null at the end. */
  read(buffer: Uint8Array): Promise<number | null>;
  /** Writes some of `bytes`; the number of bytes taken. */
  write(bytes: Uint8Array): Promise<number>;
  /**
   * Whether the end of what is read may have been forged, as where the runtime does not tell a TLS closure from a cut.
   *
   * @default {false}
   */
  readonly endUnproven?: boolean;
  /** Closes both directions; reads and writes under way fail. */
  close(): void;
}

/**
 * Connects to `endpoint`.
 *
 * @param timeoutMs Bounds name look-up, TCP and TLS handshake together.
 * @param signal Ends the attempt, as when the client has left.
 * @throws {TransportFailure} `connect`, `connect_timeout`, or `client_left` when `signal` fired.
 */
export async function dial(endpoint: Endpoint, timeoutMs: number, signal?: AbortSignal): Promise<Wire> {
  const abort = new AbortController();
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    abort.abort();
  }, timeoutMs);
  const leave = () => abort.abort();
  signal?.addEventListener("abort", leave, { once: true });
  if (signal?.aborted) leave();
  try {
    return await open(endpoint, abort.signal);
  } catch (error) {
    if (timedOut) {
      throw new TransportFailure(
        "connect_timeout",
        `Cannot connect to ${name(endpoint)} within ${timeoutMs} ms`,
        error,
      );
    }
    if (signal?.aborted) throw new TransportFailure("client_left", "The client left while the upstream was dialled");
    const reason = error instanceof Error ? error.message : String(error);
    throw new TransportFailure("connect", `Cannot connect to ${name(endpoint)}: ${reason}`, error);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", leave);
  }
}

/** How an endpoint is called in messages. */
export function name(endpoint: Endpoint): string {
  return endpoint.kind === "unix" ? `unix:${endpoint.socketPath}` : endpoint.authority;
}

async function open(endpoint: Endpoint, signal: AbortSignal): Promise<Wire> {
  signal.throwIfAborted();
  if (endpoint.kind === "unix") {
    const conn = await Deno.connect({ transport: "unix", path: endpoint.socketPath });
    return closedIfAborted(conn, signal);
  }
  const { hostname, port, tls } = endpoint;
  if (tls?.insecureSkipVerify) {
    return closedIfAborted(await connectUnverified(hostname, port, tls.serverName ?? hostname, signal), signal);
  }
  const conn = await connect(hostname, port, signal);
  // Small writes are whole requests; waiting for more to send would only add delay.
  conn.setNoDelay(true);
  if (tls === undefined) return conn;
  const abandon = () => closeQuietly(conn);
  signal.addEventListener("abort", abandon, { once: true });
  try {
    const secure = await Deno.startTls(conn, {
      hostname: tls.serverName ?? hostname,
      caCerts: tls.caCertificates === undefined ? undefined : [...tls.caCertificates],
      alpnProtocols: ["http/1.1"],
    });
    signal.removeEventListener("abort", abandon);
    // Without this the handshake would be put off to the first write, and its failure would look like a lost request.
    const finished = () => closeQuietly(secure);
    signal.addEventListener("abort", finished, { once: true });
    try {
      await secure.handshake();
    } catch (error) {
      closeQuietly(secure);
      throw error;
    } finally {
      signal.removeEventListener("abort", finished);
    }
    return secure;
  } finally {
    signal.removeEventListener("abort", abandon);
  }
}

/** Tries all addresses of a name, as the runtime does; for localhost also those that the hosts file may leave out. */
async function connect(hostname: string, port: number, signal: AbortSignal): Promise<Deno.TcpConn> {
  try {
    return await Deno.connect({ hostname, port, signal });
  } catch (error) {
    if (hostname !== "localhost") throw error;
    // Many hosts files name 127.0.0.1 alone, and many servers listen on ::1 alone (RFC 6761, section 6.3: it is both).
    for (const loopback of ["::1", "127.0.0.1"]) {
      signal.throwIfAborted();
      try {
        return await Deno.connect({ hostname: loopback, port, signal });
      } catch {
        // The first failure says more.
      }
    }
    throw error;
  }
}

function closedIfAborted(wire: Wire, signal: AbortSignal): Wire {
  if (!signal.aborted) return wire;
  closeQuietly(wire);
  throw signal.reason;
}

/** Closes a wire that may be closed already. */
export function closeQuietly(wire: Wire): void {
  try {
    wire.close();
  } catch {
    // Closed by the other side or by an abort: what was wanted has happened.
  }
}
