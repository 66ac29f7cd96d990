/**
 * TLS without verification of the certificate, for `insecure_skip_verify`. Deno's own sockets always verify, so this
 * uses `node:tls`; it costs more, and it is not for production.
 *
 * @module
 */

import { connect, type TLSSocket } from "node:tls";
import { connect as connectTcp, isIP } from "node:net";
import type { Secured, Wire } from "./wire.ts";

/** How such a connection is opened. */
export interface UnverifiedOptions {
  /** Name for SNI. */
  readonly serverName: string;
  /** The protocols that are offered (ALPN). */
  readonly alpn: string[];
  /** Abandons it. */
  readonly signal: AbortSignal;
  /** Bytes that are sent in front of the handshake. */
  readonly preamble?: Uint8Array<ArrayBuffer> | undefined;
}

/**
 * Connects to `hostname:port` and makes the TLS handshake, with any certificate.
 */
export function connectUnverified(
  hostname: string,
  port: number,
  { serverName, alpn, signal, preamble }: UnverifiedOptions,
): Promise<Secured> {
  return new Promise((resolve, reject) => {
    const raw = preamble === undefined ? undefined : connectTcp(port, hostname);
    raw?.once("error", reject);
    raw?.write(preamble as Uint8Array);
    const socket = connect({
      ...(raw === undefined ? { host: hostname, port } : { socket: raw }),
      servername: isIP(serverName) === 0 ? serverName : undefined,
      rejectUnauthorized: false,
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
      signal.removeEventListener("abort", abandon);
      socket.off("error", reject);
      resolve({ wire: new SocketWire(socket), alpn: socket.alpnProtocol || "" });
    });
  });
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
    return new Promise((resolve, reject) => {
      this.#socket.write(bytes, (error) => error ? reject(error) : resolve(bytes.length));
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
