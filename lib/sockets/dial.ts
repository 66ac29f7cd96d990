/**
 * Opening a connection to an upstream, with a timeout: TCP, TLS or a unix socket.
 *
 * @module
 */

import { StallTolerantTimer } from "../state/stall_tolerant_timer.ts";
import { AddressRace } from "./address_race.ts";
import type { Endpoint, EndpointTls } from "./endpoint.ts";
import { TransportFailure } from "../failure/failure.ts";
import { hostAddresses, isAddress } from "./host_addresses.ts";
import { handleShortage, shortageOf } from "../failure/shortage.ts";
import { TcpConnect } from "./tcp_connect.ts";
import { connectUnverified } from "./unverified_tls.ts";
import { closeQuietly, type Wire } from "./wire.ts";

/**
 * Connects to `endpoint`. Time in which this process was blocked does not count: the connection may be open already.
 *
 * @param timeoutMs Limit for name look-up, TCP and TLS handshake together; Infinity for none.
 * @param signal Ends the wait, as when the client has left. A connection that opens later is closed.
 * @throws {TransportFailure} `connect`, `connect_timeout`, `shortage`, or `client_left` when `signal` fired.
 */
export function dial(endpoint: Endpoint, timeoutMs: number, signal?: AbortSignal): Promise<Wire> {
  const { promise, resolve, reject } = Promise.withResolvers<Wire>();
  const opening = new Opening();
  let settled = false;
  let timer: StallTolerantTimer | undefined;
  const settle = (): boolean => {
    if (settled) return false;
    settled = true;
    signal?.removeEventListener("abort", leave);
    return true;
  };
  const leave = () => {
    if (!settle()) return;
    timer?.stop();
    opening.abandon();
    reject(new TransportFailure("client_left", "The client left while the upstream was dialled"));
  };
  const expire = () => {
    opening.abandon();
    if (!settle()) return;
    reject(new TransportFailure("connect_timeout", `Cannot connect to ${name(endpoint)} within ${timeoutMs} ms`));
  };
  if (timeoutMs < Infinity) timer = new StallTolerantTimer(expire, timeoutMs);
  signal?.addEventListener("abort", leave, { once: true });
  if (signal?.aborted) leave();
  opening.open(endpoint).then((wire) => {
    timer?.stop();
    if (settle()) resolve(wire);
    else closeQuietly(wire);
  }, (error) => {
    timer?.stop();
    if (settle()) reject(failureOf(endpoint, error));
  });
  return promise;
}

/** Name of an endpoint in messages. */
export function name(endpoint: Endpoint): string {
  return endpoint.kind === "unix" ? `unix:${endpoint.socketPath}` : endpoint.authority;
}

function failureOf(endpoint: Endpoint, error: unknown): TransportFailure {
  const reason = error instanceof Error ? error.message : String(error);
  const shortage = shortageOf(error) ?? hiddenShortage(reason);
  return shortage === undefined
    ? new TransportFailure("connect", `Cannot connect to ${name(endpoint)}: ${reason}`, error)
    : new TransportFailure("shortage", `Cannot connect to ${name(endpoint)}: ${shortage.advice}`, error);
}

// Without a file handle for the hosts file or the name server, the system reports that the name does not exist.
function hiddenShortage(reason: string) {
  return /lookup|getaddrinfo|ENOTFOUND/.test(reason) ? handleShortage() : undefined;
}

/** One connection that is being opened, so that it can be abandoned. */
class Opening {
  #abandoned = false;
  /** Abandons the current step. */
  #abandonStep = () => {};

  async open(endpoint: Endpoint): Promise<Wire> {
    if (endpoint.kind === "unix") return await this.#openUnix(endpoint.socketPath);
    const { hostname, port, tls } = endpoint;
    if (tls?.insecureSkipVerify) return await this.#openUnverified(hostname, port, tls);
    const conn = await this.#openTcp(hostname, port);
    // A small write is usually a whole request; Nagle's algorithm would only delay it.
    conn.setNoDelay(true);
    if (tls === undefined) return conn;
    if (this.#abandoned) {
      closeQuietly(conn);
      throw new Error(ABANDONED);
    }
    return await this.#secure(conn, hostname, tls);
  }

  /** Abandons the current step; a connection that opens later is closed. */
  abandon(): void {
    this.#abandoned = true;
    this.#abandonStep();
  }

  async #openTcp(hostname: string, port: number): Promise<Deno.TcpConn> {
    const addresses = isAddress(hostname) ? [hostname] : await this.#lookUp(hostname);
    try {
      return await this.#connectFirst(addresses, port);
    } catch (error) {
      // With a permission for the name only, the runtime must both look it up and connect.
      if (!(error instanceof Deno.errors.NotCapable) || addresses[0] === hostname) throw error;
      return await this.#connectFirst([hostname], port);
    }
  }

  #connectFirst(addresses: readonly string[], port: number): Promise<Deno.TcpConn> {
    if (this.#abandoned) throw new Error(ABANDONED);
    const race = new AddressRace(addresses, (address) => new TcpConnect(address, port));
    this.#abandonStep = () => race.abandon();
    return race.run();
  }

  // If the look-up fails here, the runtime gives the reason when it connects by name.
  async #lookUp(hostname: string): Promise<readonly string[]> {
    try {
      const addresses = await hostAddresses(hostname);
      return addresses.length === 0 ? [hostname] : addresses;
    } catch {
      return [hostname];
    }
  }

  async #openUnix(path: string): Promise<Wire> {
    for (;;) {
      try {
        return await Deno.connect({ transport: "unix", path });
      } catch (error) {
        // The accept queue of the unix socket is full, for which TCP would wait. The dial is repeated until its
        // timeout.
        if (!(error instanceof Deno.errors.WouldBlock) || this.#abandoned) throw error;
        await new Promise((resolve) => setTimeout(resolve, UNIX_PAUSE_MS));
      }
    }
  }

  #openUnverified(hostname: string, port: number, tls: EndpointTls): Promise<Wire> {
    const abort = new AbortController();
    this.#abandonStep = () => abort.abort();
    return connectUnverified(hostname, port, tls.serverName ?? hostname, abort.signal);
  }

  async #secure(conn: Deno.TcpConn, hostname: string, tls: EndpointTls): Promise<Wire> {
    this.#abandonStep = () => closeQuietly(conn);
    const secure = await Deno.startTls(conn, {
      hostname: tls.serverName ?? hostname,
      caCerts: tls.caCertificates === undefined ? undefined : [...tls.caCertificates],
      alpnProtocols: ["http/1.1"],
    });
    this.#abandonStep = () => closeQuietly(secure);
    if (this.#abandoned) closeQuietly(secure);
    try {
      // Otherwise the handshake is made with the first write, and its failure would look like that of a sent request.
      await secure.handshake();
    } catch (error) {
      closeQuietly(secure);
      throw error;
    }
    return secure;
  }
}

const UNIX_PAUSE_MS = 10;
const ABANDONED = "The dial was abandoned";
