/**
 * The runtime's TLS without a connection: ciphertext goes in and comes out as bytes. It is what `node:tls` itself is
 * built on, without its streams, which cost more than the cryptography of a small response. Not a public interface of
 * the runtime, so {@linkcode openTlsWrap} checks that it is there.
 *
 * @module
 */

import process from "node:process";

/** Certificate, key and rules of one connection. */
export interface TlsContext {
  /** Certificate and intermediate ones, PEM. */
  readonly cert: string;
  /** Private key, PEM. */
  readonly key: string;
  /** Authorities of clients, PEM. The runtime also sends them behind {@linkcode cert}. */
  readonly ca?: string;
  readonly minVersion: "TLSv1.2" | "TLSv1.3";
  /** Whether clients are asked for a certificate. */
  readonly requestCert: boolean;
  /** Whether a handshake without a certificate fails. One that does not verify is reported by `verifyError` alone. */
  readonly rejectUnauthorized: boolean;
}

/** Notified by a {@linkcode TlsWrap}, within `receive`. Must not throw. */
export interface TlsWrapEvents {
  onhandshakedone(): void;
  onerror(error: Error & { readonly code?: string }): void;
  /** Bytes of `getBytesRead` are in the user's buffer, at most as many as fit; none at the end (close_notify). */
  onread(): void;
}

/** One end of one TLS connection. */
export interface TlsWrap {
  /** Returns 0, or another number where certificate and key cannot be used. */
  initServerTls(context: TlsContext): number;
  attachJsStream(): number;
  setAlpnProtocols(protocols: readonly string[]): void;
  /** Sets the receiver of the callbacks, which it keeps alive until {@linkcode destroySsl}. */
  setHandle(events: TlsWrapEvents): void;
  setOnread(onread: () => void): void;
  useUserBuffer(buffer: Uint8Array<ArrayBuffer>): void;
  start(): number;
  /** Takes ciphertext of the peer. */
  receive(bytes: Uint8Array<ArrayBuffer>): void;
  /** Takes plaintext, at most {@linkcode MAX_SEALED_BYTES}. */
  writeBuffer(request: object, bytes: Uint8Array<ArrayBuffer>): number;
  /** Writes close_notify. */
  shutdown(request: object): number;
  /** Ciphertext for the peer; empty where there is none. */
  drainEncOut(): Uint8Array<ArrayBuffer>;
  /** Number of all bytes of plaintext that were received. */
  getBytesRead(): number;
  getProtocol(out: { protocol?: string }): number;
  getCipher(out: { standardName?: string }): number;
  getAlpnNegotiatedProtocol(out: { alpnProtocol?: string | false }): number;
  getPeerCertificateChain(): { readonly certificates: readonly ArrayBufferLike[] } | null;
  isSessionReused(): boolean;
  /** Code of the reason why the peer's certificate does not verify; empty where it does, or a session was resumed. */
  verifyError(): string;
  /** Frees the connection. Nothing else may be called afterwards. */
  destroySsl(): void;
}

/** Most bytes of plaintext that are taken at once. */
export const MAX_SEALED_BYTES: number = 48 * 1024;

/** What is used of it, apart from `onread`. */
const USED = [
  ...["initServerTls", "attachJsStream", "setAlpnProtocols", "setHandle", "setOnread", "useUserBuffer", "start"],
  ...["receive", "writeBuffer", "shutdown", "drainEncOut", "getBytesRead", "getProtocol", "getCipher"],
  ...["getAlpnNegotiatedProtocol", "getPeerCertificateChain", "isSessionReused", "verifyError", "destroySsl"],
];

type TlsWrapClass = new (kind: number, provider: number) => TlsWrap;

const SERVER = 1;
let found: TlsWrapClass | undefined;

/**
 * Finds the runtime's TLS, which takes some milliseconds, so that no connection has to wait for it.
 *
 * @throws {Error} If this version of the runtime does not have it.
 */
export function prepareTls(): void {
  found ??= find();
}

/**
 * A new server's end.
 *
 * @throws {Error} If this version of the runtime does not have it.
 */
export function openTlsWrap(): TlsWrap {
  found ??= find();
  return new found(SERVER, 0);
}

function find(): TlsWrapClass {
  // Not loaded where nothing speaks TLS.
  const { TLSSocket, createSecureContext } = process.getBuiltinModule("node:tls");
  const { Duplex } = process.getBuiltinModule("node:stream");
  const stream = new Duplex({ read() {}, write() {} });
  const socket = new TLSSocket(stream, { isServer: true, secureContext: createSecureContext({}) });
  socket.on("error", () => {});
  const TlsWrap = (socket as unknown as { _handle?: { constructor: TlsWrapClass } })._handle?.constructor;
  socket.destroy();
  const has: Readonly<Record<string, unknown>> = TlsWrap?.prototype ?? {};
  const missing = USED.filter((name) => typeof has[name] !== "function");
  if (TlsWrap !== undefined && missing.length === 0) return TlsWrap;
  throw new Error(`Deno ${Deno.version.deno} has no TLS that BWS can use: ${missing.join(", ")} missing`);
}
