/**
 * The stream of bytes below a connection.
 *
 * @module
 */

/** What a connection needs of its socket. `Deno.Conn` is one. */
export interface Wire {
  /** Reads into `buffer`; the number of bytes, or null at the end. */
  read(buffer: Uint8Array): Promise<number | null>;
  /** Writes some of `bytes`; the number of bytes taken. */
  write(bytes: Uint8Array): Promise<number>;
  /**
   * Whether the end of what is read may have been forged, as where the runtime does not tell a TLS closure from a cut.
   *
   * @default {false}
   */
  readonly endUnproven?: boolean;
  /** Closes both directions; reads and writes under way fail. */
  close(): void;
}

/** Closes a wire that may be closed already. */
export function closeQuietly(wire: Wire): void {
  try {
    wire.close();
  } catch {
    // Closed by the other side or by an abort: what was wanted has happened.
  }
}
