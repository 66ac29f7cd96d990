/**
 * TLS with upstreams by `node:tls`, for what the runtime's own TLS cannot do on a connection that is open: certificates of
 * the client, a certificate that is known by its fingerprint, one that its owner has issued, and none verified. It costs
 * more.
 *
 * @module
 */

import { checkServerIdentity, connect, type PeerCertificate, type TLSSocket } from "node:tls";
import { connect as connectTcp, isIP } from "node:net";
import { unseenWork } from "../state/unseen_work.ts";
import type { EndpointTls } from "./endpoint.ts";
import type { Secured, Wire } from "./wire.ts";

/** How such a connection is opened. */
export interface NodeTlsOptions extends EndpointTls {
  readonly serverName: string;
  /** The protocols that are offered (ALPN). */
  readonly alpn: string[];
  /** Abandons it. */
  readonly signal: AbortSignal;
  /** Bytes that are sent in front of the handshake. */
  readonly preamble?: Uint8Array<ArrayBuffer> | undefined;
}

/** Whether an upstream needs this TLS. */
export function needsNodeTls({ cert, fingerprint, insecureSkipVerify }: EndpointTls): boolean {
  return cert !== undefined || fingerprint !== undefined || insecureSkipVerify === true;
}

/** Connects to `hostname:port` and makes the TLS handshake. Authorities that are given are the only ones. */
export function connectByNode(hostname: string, port: number, options: NodeTlsOptions): Promise<Secured> {
  const { serverName, alpn, signal, preamble, caCertificates, cert, key, fingerprint, insecureSkipVerify } = options;
  unseenWork.pending++;
  return new Promise<Secured>((resolve, reject) => {
    const raw = preamble === undefined ? undefined : connectTcp(port, hostname);
    raw?.once("error", reject);
    raw?.write(preamble as Uint8Array);
    const socket = connect({
      ...(raw === undefined ? { host: hostname, port } : { socket: raw }),
      ...(isIP(serverName) === 0 ? { servername: serverName } : {}),
      ...(caCertificates === undefined ? {} : { ca: [...caCertificates] }),
      ...(cert === undefined ? {} : { cert, key }),
      // Addresses are not sent as names, with which certificates are compared otherwise.
      ...(isIP(serverName) === 0 ? {} : { checkServerIdentity: addressCheck(serverName) }),
      // The certificate of this fingerprint is accepted whoever issued it.
      rejectUnauthorized: insecureSkipVerify !== true && fingerprint === undefined,
      ALPNProtocols: alpn,
    });
    const abandon = () => {
      const error = new Error("Abandoned");
      if (!socket.connecting) {
        socket.destroy(error);
        return;
      }
      // A socket that is destroyed in the turn of the event loop in which it connects may stay open.
      const timer = setTimeout(() => socket.destroy(error), LINGER_MS);
      Deno.unrefTimer(timer as unknown as number);
      socket.once("connect", () => {
        clearTimeout(timer);
        socket.destroy(error);
      });
    };
    if (raw !== undefined) socket.once("close", () => raw.destroy());
    signal.addEventListener("abort", abandon, { once: true });
    socket.once("error", reject);
    socket.once("secureConnect", () => {
      const fault = fingerprint === undefined ? undefined : fingerprintFault(socket, fingerprint);
      if (fault !== undefined) {
        // The event "error" rejects.
        socket.destroy(new Error(fault));
        return;
      }
      signal.removeEventListener("abort", abandon);
      socket.off("error", reject);
      resolve({ wire: new SocketWire(socket), alpn: socket.alpnProtocol || "" });
    });
  }).finally(() => unseenWork.pending--);
}

function addressCheck(address: string): (host: string, certificate: PeerCertificate) => Error | undefined {
  return (_, certificate) => checkServerIdentity(address, certificate);
}

/** Why a certificate is not the one of this fingerprint. */
function fingerprintFault(socket: TLSSocket, fingerprint: string): string | undefined {
  const { fingerprint256 } = socket.getPeerCertificate();
  const found = fingerprint256?.replaceAll(":", "").toLowerCase();
  return found === fingerprint ? undefined : `the certificate has the fingerprint ${found}, expected ${fingerprint}`;
}

/** How long an abandoned connection may still be opened, to be closed at once. */
const LINGER_MS = 250;

class SocketWire implements Wire {
  /** node:tls gives the same events with and without close_notify. */
  readonly endUnproven = true;
  readonly #socket: TLSSocket;
  #ended = false;
  #failure: Error | undefined;
  #wake: (() => void) | undefined;

  constructor(socket: TLSSocket) {
    this.#socket = socket;
    const wake = () => {
      this.#wake?.();
      this.#wake = undefined;
    };
    socket.on("readable", wake);
    socket.on("end", () => {
      this.#ended = true;
      wake();
    });
    socket.on("error", (error: Error) => {
      this.#failure = error;
      wake();
    });
    socket.on("close", () => {
      this.#ended = true;
      wake();
    });
  }

  async read(buffer: Uint8Array): Promise<number | null> {
    for (;;) {
      const available = this.#socket.readableLength;
      const chunk = available === 0 ? null : this.#socket.read(Math.min(available, buffer.length)) as Uint8Array | null;
      if (chunk !== null) {
        buffer.set(chunk);
        return chunk.length;
      }
      if (this.#failure !== undefined) throw this.#failure;
      if (this.#ended) return null;
      // A read of 0 bytes makes the stream read more.
      this.#socket.read(0);
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
  }

  write(bytes: Uint8Array): Promise<number> {
    unseenWork.pending++;
    return new Promise((resolve, reject) => {
      this.#socket.write(bytes, (error) => {
        unseenWork.pending--;
        if (error) reject(error);
        else resolve(bytes.length);
      });
    });
  }

  closeWrite(): Promise<void> {
    this.#socket.end();
    return Promise.resolve();
  }

  close(): void {
    this.#socket.destroy();
  }
}
