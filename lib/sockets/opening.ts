/**
 * One connection to an upstream that is being opened: look-up of its name, TCP or unix socket, TLS handshake.
 *
 * @module
 */

import { AddressRace } from "./address_race.ts";
import type { Endpoint, EndpointTls } from "./endpoint.ts";
import { hostAddresses, isAddress } from "./host_addresses.ts";
import { runtimeDriver } from "./runtime_driver.ts";
import { RuntimeSocket } from "./runtime_socket.ts";
import type { ConnectTarget, Socket, SocketDriver } from "./socket.ts";
import { socketDriver } from "./socket_driver.ts";
import { connectUnverified } from "./unverified_tls.ts";
import { closeQuietly, type Wire } from "./wire.ts";

/** Opens one connection, unless it is abandoned. Owned by one dial. */
export class Opening {
  /** Opens TCP and unix sockets; TLS is the runtime's. */
  readonly #driver = socketDriver();
  #abandoned = false;
  /** Abandons the current step. */
  #abandonStep = () => {};

  /**
   * Opens it. The socket is paused.
   *
   * @param preamble Its first bytes.
   */
  async open(endpoint: Endpoint, preamble?: Uint8Array<ArrayBuffer>): Promise<Socket> {
    const { kind, hostname, port, tls } = endpoint;
    if (tls === undefined) {
      const socket = kind === "unix"
        ? await this.#openUnix(endpoint.socketPath)
        : await this.#openTcp(hostname, port, this.#driver);
      if (preamble !== undefined) socket.write(preamble, "shared");
      return socket;
    }
    if (tls.insecureSkipVerify) return paused(await this.#openUnverified(hostname, port, tls, preamble));
    // The runtime makes the handshake on a connection of its own.
    const socket = await this.#openTcp(hostname, port, runtimeDriver) as RuntimeSocket;
    const conn = socket.detach() as Deno.TcpConn;
    if (this.#abandoned) {
      closeQuietly(conn);
      throw new Error(ABANDONED);
    }
    if (preamble !== undefined) await this.#write(conn, preamble);
    return paused(await this.#secure(conn, hostname, tls), socket);
  }

  /** Abandons the current step; a connection that opens later is closed. */
  abandon(): void {
    this.#abandoned = true;
    this.#abandonStep();
  }

  async #openTcp(hostname: string, port: number, driver: SocketDriver): Promise<Socket> {
    const addresses = isAddress(hostname) ? [hostname] : await this.#lookUp(hostname);
    try {
      return await this.#connectFirst(addresses, port, driver);
    } catch (error) {
      // With a permission for the name only, the runtime must both look it up and connect.
      if (!(error instanceof Deno.errors.NotCapable) || addresses[0] === hostname) throw error;
      return await this.#connectFirst([hostname], port, driver);
    }
  }

  #connectFirst(addresses: readonly string[], port: number, driver: SocketDriver): Promise<Socket> {
    if (this.#abandoned) throw new Error(ABANDONED);
    const race = new AddressRace(addresses, (address, handler) => {
      // No other driver looks names up.
      return (isAddress(address) ? driver : runtimeDriver).connect({ address, port }, handler);
    });
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

  async #openUnix(path: string): Promise<Socket> {
    for (;;) {
      try {
        return await this.#connect({ path });
      } catch (error) {
        // The accept queue of the unix socket is full, for which TCP would wait. The dial is repeated until its
        // timeout.
        if (!(error instanceof Deno.errors.WouldBlock) || this.#abandoned) throw error;
        await new Promise((resolve) => setTimeout(resolve, UNIX_PAUSE_MS));
      }
    }
  }

  #connect(target: ConnectTarget): Promise<Socket> {
    if (this.#abandoned) throw new Error(ABANDONED);
    return new Promise((resolve, reject) => {
      const connect = this.#driver.connect(target, {
        connected(socket) {
          socket.pause();
          resolve(socket);
        },
        refused: reject,
      });
      this.#abandonStep = () => connect.abandon();
    });
  }

  #openUnverified(
    hostname: string,
    port: number,
    tls: EndpointTls,
    preamble: Uint8Array<ArrayBuffer> | undefined,
  ): Promise<Wire> {
    const abort = new AbortController();
    this.#abandonStep = () => abort.abort();
    return connectUnverified(hostname, port, tls.serverName ?? hostname, { signal: abort.signal, preamble });
  }

  async #write(conn: Deno.TcpConn, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    this.#abandonStep = () => closeQuietly(conn);
    try {
      for (let sent = 0; sent < bytes.length;) sent += await conn.write(bytes.subarray(sent));
    } catch (error) {
      closeQuietly(conn);
      throw error;
    }
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

/** A socket over a wire that is not read before its owner resumes it. */
function paused(
  wire: Wire,
  { remoteAddress, remotePort }: { remoteAddress?: string; remotePort?: number } = {},
): Socket {
  const socket = new RuntimeSocket(wire, remoteAddress, remotePort);
  socket.pause();
  socket.begin();
  return socket;
}

const UNIX_PAUSE_MS = 10;
const ABANDONED = "The dial was abandoned";
