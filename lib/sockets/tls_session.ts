/**
 * What the TLS handshake of a connection agreed on.
 *
 * @module
 */

/** A connection's TLS session. */
export interface TlsSession {
  /** Version, as `TLSv1.3`; empty where the driver does not tell, as that of connections to upstreams. */
  readonly version: string;
  /** Cipher suite by its IANA name, as `TLS_AES_128_GCM_SHA256`; empty where the driver does not tell. */
  readonly cipher: string;
  /** The name that the client asked for (RFC 6066, section 3), in lower case; empty where it sent none. */
  readonly serverName: string;
  /** The protocol that ALPN (RFC 7301) chose, as `h2`; empty where the client offered none. */
  readonly protocol: string;
  /** Whether an earlier session was resumed. */
  readonly resumed: boolean;
  /** Authorities (PEM) that the client's certificate was judged by; undefined where it was not asked for one. */
  readonly clientAuthorities?: string;
  /** The client's certificate, where it sent one. */
  readonly client?: ClientCertificate;
}

/** A certificate that a client sent. */
export interface ClientCertificate {
  /** Subject (RFC 4514), as `CN=ann,O=Example`. */
  readonly subject: string;
  /** Issuer, in the form of the subject. */
  readonly issuer: string;
  /** SHA-256 of the certificate: 64 hexadecimal digits in lower case. */
  readonly fingerprint: string;
  /** Serial number in hexadecimal digits. */
  readonly serial: string;
  /** Whether an authority of the site vouches for it and it is within its time. */
  readonly verified: boolean;
  /** Why it is not verified; empty where it is. */
  readonly reason: string;
}
