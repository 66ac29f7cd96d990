/**
 * A connection of a client from its first byte to the end of its TLS handshake.
 *
 * @module
 */

import type { Peer } from "../../http/message.ts";
import { ByteWindow } from "../../http1/byte_window.ts";
import type { Socket, SocketHandler } from "../../sockets/socket.ts";
import { type HandshakeHandler, TlsSocket } from "../../sockets/tls/tls_socket.ts";
import { type AlertName, fatalAlert } from "./alert.ts";
import type { ServerCertificate } from "./certificate.ts";
import { type ClientHello, readClientHello } from "./client_hello.ts";
import type { ClientVerdicts } from "./client_verdicts.ts";
import { type HandshakeResult, resultOf } from "./handshake_result.ts";
import { sessionOf } from "./server_session.ts";
import { contextOf } from "./tls_context.ts";
import type { TlsPolicies, TlsPolicy } from "./tls_policy.ts";

/** The owner of handshakes that are under way. */
export interface PendingHandshakeOwner {
  /** Undefined while connections are in clear. */
  readonly policies: TlsPolicies | undefined;
  readonly verdicts: ClientVerdicts;
  /** Protocols that the listener speaks. */
  readonly protocols: readonly string[];
  /** The handshake is complete. Sets the handler of the socket, or closes it. */
  completed(handshake: PendingHandshake, socket: TlsSocket): void;
  /** It failed, and is only waited for until the client has read the alert. */
  refused(handshake: PendingHandshake, result: HandshakeResult, detail: string): void;
  /** The connection is closed. */
  closed(handshake: PendingHandshake): void;
}

/** A handshake. Owned by the table of its listener until it is complete or closed. */
export class PendingHandshake implements SocketHandler, HandshakeHandler {
  /** The client's address and port. */
  readonly peer: Peer;
  /** When it began, on the clock of its owner, which sets it. */
  beganMs = 0;
  /** When it is closed, on the same clock. */
  deadlineMs: number;
  readonly #owner: PendingHandshakeOwner;
  readonly #raw: Socket;
  /** Bytes in front of the end of the ClientHello, where they did not arrive together. */
  #window: ByteWindow | undefined;
  #hello: ClientHello | undefined;
  #policy: TlsPolicy | undefined;
  #socket: TlsSocket | undefined;
  #refused = false;
  #over = false;
  /** Bytes that were read past since it was refused. */
  #discardedBytes = 0;

  /** Takes over an accepted socket. */
  constructor(raw: Socket, peer: Peer, owner: PendingHandshakeOwner, deadlineMs: number) {
    this.#raw = raw;
    this.peer = peer;
    this.#owner = owner;
    this.deadlineMs = deadlineMs;
    raw.handler = this;
  }

  /** Name that the client asked for; empty where that is not known. */
  get serverName(): string {
    return this.#hello?.serverName ?? "";
  }

  /** Ends it at once. */
  close(result: HandshakeResult, detail: string): void {
    if (this.#over) return;
    this.#fail(result, detail);
    this.#end();
  }

  received(bytes: Uint8Array<ArrayBuffer>, start: number, end: number): void {
    if (this.#refused) {
      this.#discardedBytes += end - start;
      if (this.#discardedBytes > MAX_DISCARDED_BYTES) this.#end();
      return;
    }
    const window = this.#window;
    if (window === undefined) return this.#read(bytes, start, end);
    window.append(bytes, start, end);
    // Paused for a certificate, with bytes of a read that had begun before.
    if (this.#hello === undefined) this.#read(window.bytes, window.start, window.end);
  }

  drained(): void {}

  ended(): void {
    if (!this.#refused) this.#fail("client", "it closed the connection");
    this.#end();
  }

  failed(error: Error): void {
    if (!this.#refused) this.#fail("client", error.message);
    this.#end();
  }

  secured(socket: TlsSocket): void {
    const owner = this.#owner;
    const { clientAuth } = this.#policy as TlsPolicy;
    const session = sessionOf(socket.wrap, this.serverName, clientAuth, owner.verdicts);
    if (clientAuth?.required && session.client?.verified !== true) {
      this.#fail("client_certificate", session.client?.reason ?? "there is none");
      this.#over = true;
      owner.closed(this);
      // Not in order, as that would send tickets of the session.
      return socket.reset();
    }
    socket.session = session;
    this.#over = true;
    owner.completed(this, socket);
  }

  unsecured(error: Error, code: string | undefined): void {
    this.#socket = undefined;
    this.#fail(resultOf(error, code), error.message);
    if (this.#raw.closed || code === undefined) this.#end();
    else this.#linger();
  }

  #read(bytes: Uint8Array<ArrayBuffer>, start: number, end: number): void {
    const hello = readClientHello(bytes, start, end);
    if (hello === undefined) {
      if (this.#window === undefined) (this.#window = new ByteWindow(WINDOW_BYTES)).append(bytes, start, end);
      return;
    }
    if (hello === "clear_http") {
      this.#raw.write(CLEAR_HTTP_RESPONSE, "shared");
      return this.#refuse(hello, "the request came in clear");
    }
    if (typeof hello === "string") return this.#refuse("malformed", `the ClientHello is ${hello}`, "decode_error");
    this.#hello = hello;
    const policy = this.#policy = this.#owner.policies?.policyFor(hello.serverName);
    if (policy === undefined) return this.#refuse("unknown_name", "no site has the name", "unrecognized_name");
    if (hello.version < VERSIONS[policy.minVersion]) {
      return this.#refuse("incompatible", `${policy.minVersion} is the lowest version`, "protocol_version");
    }
    const { certificates } = policy;
    const certificate = certificates.certificateFor(hello.serverName);
    if (certificate !== undefined || certificates.obtain === undefined) {
      return this.#begin(certificate, bytes, start, end);
    }
    this.#raw.pause();
    if (this.#window === undefined) (this.#window = new ByteWindow(end - start)).append(bytes, start, end);
    certificates.obtain(hello.serverName).then((obtained) => this.#obtained(obtained));
  }

  #obtained(certificate: ServerCertificate | undefined): void {
    if (this.#over) return;
    const { bytes, start, end } = this.#window as ByteWindow;
    this.#begin(certificate, bytes, start, end);
    if (!this.#raw.closed) this.#raw.resume();
  }

  /** Begins the handshake with the bytes that have arrived. */
  #begin(
    certificate: ServerCertificate | undefined,
    bytes: Uint8Array<ArrayBuffer>,
    start: number,
    end: number,
  ): void {
    const policy = this.#policy as TlsPolicy;
    if (certificate === undefined) {
      return this.#refuse("no_certificate", "there is no certificate for the name", "internal_error");
    }
    this.#window = undefined;
    const protocols = policy.protocols.filter((name) => this.#owner.protocols.includes(name));
    try {
      this.#socket = new TlsSocket(this.#raw, contextOf(policy, certificate), protocols, this);
    } catch (error) {
      return this.#refuse("internal", (error as Error).message, "internal_error");
    }
    this.#socket.received(bytes, start, end);
  }

  #refuse(result: HandshakeResult, detail: string, alert?: AlertName): void {
    if (alert !== undefined) this.#raw.write(fatalAlert(alert), "shared");
    this.#fail(result, detail);
    this.#linger();
  }

  #fail(result: HandshakeResult, detail: string): void {
    if (this.#refused) return;
    this.#refused = true;
    this.#owner.refused(this, result, detail);
  }

  /** Lets the client read the last bytes: a socket that is closed with unread bytes resets the connection. */
  #linger(): void {
    this.#window = undefined;
    this.#raw.handler = this;
    this.#raw.end();
  }

  #end(): void {
    if (this.#over) return;
    this.#over = true;
    this.#window = undefined;
    if (this.#socket === undefined) this.#raw.close();
    else this.#socket.reset();
    this.#owner.closed(this);
  }
}

const VERSIONS = { "TLSv1.2": 0x0303, "TLSv1.3": 0x0304 } as const;
const WINDOW_BYTES = 2048;
/** What a client that was refused may still send. */
const MAX_DISCARDED_BYTES = 64 * 1024;

const CLEAR_HTTP_BODY = "This port speaks HTTPS, and the request came as HTTP in clear. Use https:// instead.\n";
const CLEAR_HTTP_RESPONSE = new TextEncoder().encode(
  "HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain\r\n" +
    `content-length: ${CLEAR_HTTP_BODY.length}\r\nconnection: close\r\n\r\n${CLEAR_HTTP_BODY}`,
);
