/**
 * Requests over TLS to a port of this machine, for whatever name.
 *
 * @module
 */

import tls from "node:tls";

/** What a server responded. */
export interface TlsResponse {
  readonly status: number;
  readonly head: string;
  readonly body: string;
  /** SHA-256 of the server's certificate: 64 hexadecimal digits in lower case. */
  readonly fingerprint: string;
}

/** Where to connect, and whom to trust. */
export interface TlsRequest {
  readonly port: number;
  readonly name: string;
  /** Certificates of authorities, PEM. */
  readonly ca: string;
  readonly path?: string;
}

/** A connection that stays open from one request to the next. */
export class TlsConnection {
  readonly #socket: tls.TLSSocket;
  readonly #name: string;

  private constructor(socket: tls.TLSSocket, name: string) {
    this.#socket = socket;
    this.#name = name;
  }

  /** Connects, and verifies the certificate of the server. */
  static open({ port, name, ca }: TlsRequest): Promise<TlsConnection> {
    return new Promise((resolve, reject) => {
      const socket = tls.connect({ host: "127.0.0.1", port, servername: name, ca, ALPNProtocols: ["http/1.1"] });
      socket.once("secureConnect", () => resolve(new TlsConnection(socket, name)));
      socket.once("error", reject);
      socket.once("close", () => reject(new Error("The connection was closed")));
    });
  }

  get fingerprint(): string {
    return this.#socket.getPeerCertificate().fingerprint256.replaceAll(":", "").toLowerCase();
  }

  /** Sends a GET. Its response needs a Content-Length. */
  get(path = "/"): Promise<TlsResponse> {
    const { promise, resolve, reject } = Promise.withResolvers<TlsResponse>();
    const { fingerprint } = this;
    let text = "";
    const onClose = () => reject(new Error(`The connection was closed after ${JSON.stringify(text)}`));
    const onData = (data: Uint8Array) => {
      text += new TextDecoder("latin1").decode(data);
      const end = text.indexOf("\r\n\r\n");
      if (end < 0) return;
      const head = text.slice(0, end);
      const length = Number(/content-length: *(\d+)/i.exec(head)?.[1] ?? 0);
      if (text.length < end + 4 + length) return;
      this.#socket.off("data", onData).off("error", reject).off("close", onClose);
      resolve({ status: Number(head.slice(9, 12)), head, body: text.slice(end + 4), fingerprint });
    };
    this.#socket.on("data", onData);
    this.#socket.once("error", reject);
    this.#socket.once("close", onClose);
    this.#socket.write(`GET ${path} HTTP/1.1\r\nHost: ${this.#name}\r\n\r\n`);
    return promise;
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#socket.once("close", resolve));
    this.#socket.destroy();
    await closed;
  }
}

/** One request over a connection of its own. */
export async function tlsGet(request: TlsRequest): Promise<TlsResponse> {
  const connection = await TlsConnection.open(request);
  try {
    return await connection.get(request.path);
  } finally {
    await connection.close();
  }
}
