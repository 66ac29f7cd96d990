/**
 * The byte stream of a connection.
 *
 * @module
 */

/** The part of a socket that a connection uses. `Deno.Conn` is one. */
export interface Wire {
  /** Reads into `buffer`. Returns the number of bytes, or null at the end. */
  read(buffer: Uint8Array): Promise<number | null>;
  /** Writes some of `bytes`. Returns the number of bytes written. */
  write(bytes: Uint8Array): Promise<number>;
  /**
   * Whether the end of the stream may be forged (truncation attack), as where the runtime does not report close_notify.
   *
   * @default {false}
   */
  readonly endUnproven?: boolean;
  /** Ends the writing side (FIN). */
  closeWrite?(): Promise<void>;
  /** Closes both directions; pending reads and writes fail. */
  close(): void;
}

/** A wire after its TLS handshake. */
export interface Secured {
  readonly wire: Wire;
  /** The protocol that ALPN (RFC 7301) chose; empty where the peer chose none. */
  readonly alpn: string;
}

/** Closes a wire that may be closed already. */
export function closeQuietly(wire: Wire): void {
  try {
    wire.close();
  } catch {
    // Already closed by the other side or by an abort.
  }
}
