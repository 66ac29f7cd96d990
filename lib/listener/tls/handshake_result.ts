/**
 * How TLS handshakes of clients end, for metrics and the log.
 *
 * @module
 */

/** How a handshake ended. */
export const HANDSHAKE_RESULTS = [
  /** Complete, with a new session. */
  "completed",
  /** Complete, with an earlier session. */
  "resumed",
  /** The client closed the connection, or it broke. */
  "client",
  /** The client refused it by an alert, as where it does not know the certificate's authority. */
  "client_alert",
  /** The client's certificate is missing or does not verify, and the site needs one. */
  "client_certificate",
  /** The client spoke HTTP in clear. */
  "clear_http",
  /** What the client sent is not TLS, or breaks its rules. */
  "malformed",
  /** No version, cipher suite or protocol suits both sides. */
  "incompatible",
  /** No site has the name, and `strict_sni` is on. */
  "unknown_name",
  /** There is no certificate for the name (yet). */
  "no_certificate",
  /** `handshake_timeout`. */
  "timeout",
  /** `max_handshakes`, `max_handshake_rate` or `max_connections_per_address`. */
  "limit",
  /** The listener was shut down. */
  "shutdown",
  /** A fault of BWS or of its certificate. */
  "internal",
] as const;

/** How a handshake ended. */
export type HandshakeResult = typeof HANDSHAKE_RESULTS[number];

/** The result of a handshake that the runtime has ended. */
export function resultOf(error: Error, code: string | undefined): HandshakeResult {
  if (code === undefined) return "client";
  if (error.message.startsWith("received fatal alert")) return "client_alert";
  if (code === "ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE") return "client_certificate";
  if (code === "ERR_SSL_NO_APPLICATION_PROTOCOL" || error.message.startsWith("peer is incompatible")) {
    return "incompatible";
  }
  return "malformed";
}
