/**
 * A socket over another socket, for the server's end of a TLS connection: what arrives on that one is decrypted, what is
 * written is encrypted. The other socket does what concerns the system: addresses, queues, pauses, resets.
 *
 * @module
 */

import type { Ownership } from "../../http/body.ts";
import { notifyFailed } from "../notify_failed.ts";
import type { Socket, SocketHandler } from "../socket.ts";
import { BUFFER_BYTES, returnBuffer } from "../socket_buffers.ts";
import type { TlsSession } from "../tls_session.ts";
import { WriteQueue } from "../write_queue.ts";
import { connectionFreed } from "./freed_memory.ts";
import { MAX_SEALED_BYTES, openTlsWrap, type TlsContext, type TlsWrap, type TlsWrapEvents } from "./tls_wrap.ts";

/** Notified of the handshake of one connection. Exactly one of the functions is called, once; none after a close. */
export interface HandshakeHandler {
  /** It is complete. Sets {@linkcode TlsSocket.session} and the handler of the socket, or closes it. */
  secured(socket: TlsSocket): void;
  /**
   * It failed, or the connection broke. An alert was written; the raw socket is open unless it broke itself.
   *
   * @param code Of the runtime, as `ERR_SSL_…`; undefined where the connection broke.
   */
  unsecured(error: Error, code: string | undefined): void;
}

/** Bytes of ciphertext that are decrypted at once: their plaintext fits into {@linkcode plaintext}, behind a record. */
const MAX_FED_BYTES = 64 * 1024;
/** Plaintext of the connection whose ciphertext is being decrypted. One for each thread, because that is synchronous. */
const plaintext = new Uint8Array(MAX_FED_BYTES + 32 * 1024);
/** The runtime wants an object for each write; nothing waits for it. */
const REQUEST = {};
const NO_HANDLER: SocketHandler = { received() {}, drained() {}, ended() {}, failed() {} };

/** A TLS connection. */
export class TlsSocket implements Socket, SocketHandler, TlsWrapEvents {
  handler: SocketHandler = NO_HANDLER;
  /** What the handshake agreed on. */
  session: TlsSession | undefined;
  readonly #raw: Socket;
  readonly #wrap: TlsWrap;
  #handshake: HandshakeHandler | undefined;
  #closed = false;
  #destroyed = false;
  /** Whether ciphertext is being decrypted. */
  #feeding = false;

  // State of reading.
  #paused = false;
  #plaintextBytes = 0;
  /** Plaintext that arrived during a pause, oldest first. */
  #held: Uint8Array<ArrayBuffer>[] | undefined;
  #passing = false;
  /** Whether the peer has sent close_notify, or ended its side. */
  #peerEnded = false;
  #endUnproven = false;
  #endPassed = false;
  #fault: (Error & { readonly code?: string }) | undefined;

  // State of writing.
  #corked: WriteQueue | undefined;
  #corks = false;
  #ending = false;
  #drainAwaited = false;
  /** Plaintext that was written since the queue of the raw socket was empty. */
  #writtenBytes = 0;

  /**
   * Begins the handshake on a socket of which nothing was consumed. What has been received of it already is given to
   * {@linkcode received}.
   *
   * @throws {Error} If certificate and key cannot be used.
   */
  constructor(raw: Socket, context: TlsContext, protocols: readonly string[], handshake: HandshakeHandler) {
    const wrap = openTlsWrap();
    if (wrap.initServerTls(context) !== 0) throw new Error("The certificate and its key cannot be used");
    wrap.attachJsStream();
    if (protocols.length > 0) wrap.setAlpnProtocols(protocols);
    wrap.start();
    // From now on it is kept alive by itself until it is destroyed.
    wrap.setHandle(this);
    wrap.setOnread(this.onread);
    wrap.useUserBuffer(plaintext);
    this.#raw = raw;
    this.#wrap = wrap;
    this.#handshake = handshake;
    raw.handler = this;
  }

  get remoteAddress(): string {
    return this.#raw.remoteAddress;
  }

  get remotePort(): number {
    return this.#raw.remotePort;
  }

  get closed(): boolean {
    return this.#closed;
  }

  get endUnproven(): boolean {
    return this.#endUnproven;
  }

  get tls(): TlsSession | undefined {
    return this.session;
  }

  /** Bytes of plaintext, about: those of the system's queue are counted as they were written. */
  get queuedBytes(): number {
    const corked = this.#corked === undefined ? 0 : this.#corked.bytes;
    return Math.min(this.#raw.queuedBytes, this.#writtenBytes) + corked;
  }

  /** What the handshake agreed on, for {@linkcode HandshakeHandler.secured}. */
  get wrap(): TlsWrap {
    return this.#wrap;
  }

  /** Takes ciphertext. */
  received(bytes: Uint8Array<ArrayBuffer>, start: number, end: number): void {
    for (let at = start; at < end && !this.#closed; at += MAX_FED_BYTES) {
      // What follows close_notify is not TLS, and would be kept by the runtime.
      if (this.#peerEnded) return;
      this.#feed(bytes.subarray(at, Math.min(end, at + MAX_FED_BYTES)));
    }
  }

  drained(): void {
    this.#writtenBytes = 0;
    if (!this.#drainAwaited || this.#closed || this.#corks) return;
    this.#drainAwaited = false;
    try {
      this.handler.drained();
    } catch (error) {
      this.#fail(error);
    }
  }

  ended(): void {
    if (this.#handshake !== undefined) return this.#unsecured(new Error("The client left within the handshake"));
    if (!this.#peerEnded) this.#endUnproven = true;
    this.#peerEnded = true;
    this.#passEnd();
  }

  failed(error: Error): void {
    if (this.#closed) return;
    if (this.#handshake !== undefined) return this.#unsecured(error);
    this.#release();
    notifyFailed(this.handler, error);
  }

  onhandshakedone(): void {
    const handshake = this.#handshake;
    if (handshake === undefined || this.#closed) return;
    this.#handshake = undefined;
    try {
      handshake.secured(this);
    } catch (error) {
      this.#fail(error);
    }
  }

  onerror(error: Error & { readonly code?: string }): void {
    this.#fault = error;
  }

  onread(): void {
    const count = Math.min(this.#wrap.getBytesRead() - this.#plaintextBytes, plaintext.length);
    if (count <= 0) {
      this.#peerEnded = true;
      return;
    }
    this.#plaintextBytes += count;
    if (this.#closed) return;
    if (this.#paused || this.#held !== undefined) {
      (this.#held ??= []).push(plaintext.slice(0, count));
      return;
    }
    this.#pass(plaintext, count);
  }

  write(bytes: Uint8Array<ArrayBuffer>, ownership: Ownership): boolean {
    if (this.#closed || this.#ending) return false;
    const { length } = bytes;
    if (length === 0) return this.queuedBytes === 0;
    if (this.#corks) {
      (this.#corked ??= new WriteQueue()).add(bytes, ownership, true);
      this.#drainAwaited = true;
      return false;
    }
    const taken = this.#seal(bytes);
    if (ownership === "given" && BUFFER_BYTES.includes(bytes.buffer.byteLength) && length === bytes.buffer.byteLength) {
      returnBuffer(bytes);
    }
    return taken;
  }

  cork(): void {
    this.#corks = true;
  }

  uncork(): boolean {
    this.#corks = false;
    if (this.#closed) return this.queuedBytes === 0;
    this.#sealCorked();
    const empty = this.#raw.queuedBytes === 0;
    this.#drainAwaited = !empty;
    return empty;
  }

  pause(): void {
    this.#paused = true;
    if (!this.#closed) this.#raw.pause();
  }

  resume(): void {
    this.#paused = false;
    if (this.#closed || this.#passing) return;
    if (this.#held === undefined && (!this.#peerEnded || this.#endPassed)) return this.#raw.resume();
    this.#passing = true;
    queueMicrotask(this.#passHeld);
  }

  checkPeer(): boolean {
    return this.#peerEnded || this.#raw.checkPeer?.() === true;
  }

  end(): void {
    if (this.#closed || this.#ending) return;
    this.#corks = false;
    this.#sealCorked();
    this.#ending = true;
    this.#notifyClose();
    this.#raw.end();
  }

  close(): void {
    if (this.#closed) return;
    if (this.#handshake === undefined && !this.#ending && this.#raw.queuedBytes === 0) this.#notifyClose();
    this.#raw.close();
    this.#release();
  }

  reset(): void {
    if (this.#closed) return;
    this.#raw.reset();
    this.#release();
  }

  #feed(bytes: Uint8Array<ArrayBuffer>): void {
    const wrap = this.#wrap;
    const before = this.#plaintextBytes;
    this.#feeding = true;
    wrap.receive(bytes);
    this.#feeding = false;
    if (this.#closed) return this.#destroy();
    // The handshake, or an alert. In front of plaintext there is nothing that cannot wait for the next write.
    if (this.#plaintextBytes === before || this.#fault !== undefined) this.#sendSealed();
    if (this.#fault !== undefined) return this.#broke(this.#fault);
    if (this.#peerEnded) this.#passEnd();
  }

  #pass(bytes: Uint8Array<ArrayBuffer>, count: number): void {
    try {
      this.handler.received(bytes, 0, count);
    } catch (error) {
      this.#fail(error);
    }
  }

  readonly #passHeld = (): void => {
    this.#passing = false;
    while (!this.#paused && !this.#closed) {
      const held = this.#held?.shift();
      if (held === undefined) {
        this.#held = undefined;
        if (this.#peerEnded) this.#passEnd();
        if (!this.#paused && !this.#closed) this.#raw.resume();
        return;
      }
      this.#pass(held, held.length);
    }
  };

  #passEnd(): void {
    if (this.#endPassed || this.#paused || this.#held !== undefined || this.#closed) return;
    this.#endPassed = true;
    try {
      this.handler.ended();
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Encrypts bytes and sends them. Returns whether nothing is queued. */
  #seal(bytes: Uint8Array<ArrayBuffer>): boolean {
    const raw = this.#raw;
    const wrap = this.#wrap;
    const { length } = bytes;
    let taken: boolean;
    if (length <= MAX_SEALED_BYTES) {
      wrap.writeBuffer(REQUEST, bytes);
      taken = raw.write(wrap.drainEncOut(), "given");
    } else {
      // All of it before the first is sent: the bytes may lie in memory of the driver, which sending may overwrite.
      const sealed: Uint8Array<ArrayBuffer>[] = [];
      for (let at = 0; at < length; at += MAX_SEALED_BYTES) {
        wrap.writeBuffer(REQUEST, bytes.subarray(at, Math.min(length, at + MAX_SEALED_BYTES)));
        sealed.push(wrap.drainEncOut());
      }
      taken = true;
      for (const piece of sealed) taken = raw.write(piece, "given");
    }
    if (taken) return true;
    this.#writtenBytes += length;
    this.#drainAwaited = true;
    return false;
  }

  #sealCorked(): void {
    const queue = this.#corked;
    if (queue === undefined) return;
    while (queue.bytes > 0) {
      const front = queue.front();
      this.#seal(front);
      queue.taken(front.length);
    }
  }

  #sendSealed(): void {
    const sealed = this.#wrap.drainEncOut();
    if (sealed.length > 0) this.#raw.write(sealed, "given");
  }

  #notifyClose(): void {
    if (this.#fault !== undefined) return;
    this.#wrap.shutdown(REQUEST);
    this.#sendSealed();
  }

  /** The peer broke a rule of TLS; the alert is written. */
  #broke(error: Error & { readonly code?: string }): void {
    if (this.#handshake !== undefined) return this.#unsecured(error, error.code ?? "");
    this.#raw.close();
    this.#release();
    notifyFailed(this.handler, error);
  }

  #unsecured(error: Error, code?: string): void {
    const handshake = this.#handshake as HandshakeHandler;
    this.#release();
    handshake.unsecured(error, code);
  }

  #fail(error: unknown): void {
    if (this.#closed) return;
    if (this.#raw.queuedBytes > 0) this.#raw.reset();
    else this.#raw.close();
    this.#release();
    notifyFailed(this.handler, error);
  }

  #release(): void {
    this.#closed = true;
    this.#handshake = undefined;
    this.#held = undefined;
    this.#corked?.clear();
    if (!this.#feeding) this.#destroy();
  }

  #destroy(): void {
    if (this.#destroyed) return;
    this.#destroyed = true;
    this.#wrap.destroySsl();
    connectionFreed();
  }
}
