/**
 * One connection to an upstream that is being opened: look-up of its name, TCP or unix socket, TLS handshake.
 *
 * @module
 */

import { AddressRace } from "./address_race.ts";
import type { Endpoint, EndpointTls, UpstreamProtocol } from "./endpoint.ts";
import { hostAddresses, isAddress } from "./host_addresses.ts";
import { runtimeDriver } from "./runtime_driver.ts";
import { RuntimeSocket } from "./runtime_socket.ts";
import type { ConnectTarget, Socket, SocketDriver } from "./socket.ts";
import { socketDriver } from "./socket_driver.ts";
import { connectByNode, needsNodeTls } from "./node_tls.ts";
import { closeQuietly, type Secured } from "./wire.ts";

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
    if (needsNodeTls(tls) || selfIssued.has(tls)) return paused(await this.#openByNode(endpoint, tls, preamble));
    // The runtime makes the handshake on a connection of its own.
    const socket = await this.#openTcp(hostname, port, runtimeDriver) as RuntimeSocket;
    const conn = socket.detach() as Deno.TcpConn;
    if (this.#abandoned) {
      closeQuietly(conn);
      throw new Error(ABANDONED);
    }
    if (preamble !== undefined) await this.#write(conn, preamble);
    try {
      return paused(await this.#secure(conn, endpoint, tls), socket);
    } catch (error) {
      // The runtime accepts no certificate that is an authority's own, though ca_file has it.
      if (tls.caCertificates === undefined || !/CaUsedAsEndEntity/.test(String(error))) throw error;
      selfIssued.add(tls);
      return paused(await this.#openByNode(endpoint, tls, preamble));
    }
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

  async #openByNode(
    { hostname, port, protocol }: Endpoint,
    tls: EndpointTls,
    preamble: Uint8Array<ArrayBuffer> | undefined,
  ): Promise<Secured> {
    if (this.#abandoned) throw new Error(ABANDONED);
    const abort = new AbortController();
    this.#abandonStep = () => abort.abort();
    const serverName = tls.serverName ?? hostname;
    const options = { ...tls, serverName, alpn: alpnOf(protocol), signal: abort.signal, preamble };
    return checked(await connectByNode(hostname, port, options), protocol);
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

  async #secure(conn: Deno.TcpConn, { hostname, protocol }: Endpoint, tls: EndpointTls): Promise<Secured> {
    this.#abandonStep = () => closeQuietly(conn);
    const wire = await Deno.startTls(conn, {
      hostname: tls.serverName ?? hostname,
      caCerts: tls.caCertificates === undefined ? undefined : [...tls.caCertificates],
      alpnProtocols: alpnOf(protocol),
    });
    this.#abandonStep = () => closeQuietly(wire);
    if (this.#abandoned) closeQuietly(wire);
    try {
      // Otherwise the handshake is made with the first write, and its failure would look like that of a sent request.
      const { alpnProtocol } = await wire.handshake();
      return checked({ wire, alpn: alpnProtocol ?? "" }, protocol);
    } catch (error) {
      closeQuietly(wire);
      throw error;
    }
  }
}

/** The protocols that are offered to an upstream (ALPN, RFC 7301), in the order of preference. */
function alpnOf(protocol: UpstreamProtocol = "http/1.1"): string[] {
  return protocol === "auto" ? ["h2", "http/1.1"] : [protocol];
}

/** Refuses a connection to an upstream that did not choose HTTP/2, where nothing else may be spoken with it. */
function checked(secured: Secured, protocol: UpstreamProtocol | undefined): Secured {
  if (protocol !== "h2" || secured.alpn === "h2") return secured;
  closeQuietly(secured.wire);
  throw new Error(`the upstream does not offer HTTP/2 (it chose ${secured.alpn || "no protocol"} by ALPN)`);
}

/** A socket over a wire that is not read before its owner resumes it. */
function paused(
  { wire, alpn }: Secured,
  { remoteAddress, remotePort }: { remoteAddress?: string; remotePort?: number } = {},
): Socket {
  const tls = { version: "", cipher: "", serverName: "", protocol: alpn, resumed: false };
  const socket = new RuntimeSocket(wire, remoteAddress, remotePort, tls);
  socket.pause();
  socket.begin();
  return socket;
}

/** Upstreams whose certificate is in their `ca_file` itself. */
const selfIssued = new WeakSet<EndpointTls>();
const UNIX_PAUSE_MS = 10;
const ABANDONED = "The dial was abandoned";
