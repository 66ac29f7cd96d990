/**
 * The contract between the listener and the sources of its certificates: files, ACME, and the local authority.
 *
 * @module
 */

/** Where a certificate comes from. */
export type CertificateOrigin = "file" | "acme" | "internal";

/** A certificate with its key, as it is sent to clients. Never changes; another one takes its place. */
export interface ServerCertificate {
  /** Names that it covers, in lower case: DNS names, `*.` in front of wildcards, and IP addresses. */
  readonly names: readonly string[];
  /** The certificate and the intermediate ones behind it, PEM. */
  readonly chain: string;
  /** Its private key, PEM. Never logged, never shown. */
  readonly key: string;
  /** SHA-256 of the leaf: 64 hexadecimal digits in lower case. Two certificates with one fingerprint are the same. */
  readonly fingerprint: string;
  /** Issuer, as `CN=R11,O=Let's Encrypt,C=US`. */
  readonly issuer: string;
  /** When it begins to be valid, in milliseconds since 1970. */
  readonly notBeforeMs: number;
  /** When it expires, in milliseconds since 1970. */
  readonly notAfterMs: number;
  readonly origin: CertificateOrigin;
}

/** Gives the certificate for a name. Asked for each handshake, so a certificate that was renewed is used at once. */
export interface CertificateSource {
  /**
   * The certificate for a name; undefined where there is none (yet).
   *
   * @param serverName In lower case; empty where the client named none.
   */
  certificateFor(serverName: string): ServerCertificate | undefined;
  /**
   * Gets a certificate for a name that has none, as on demand. Resolves to undefined where the name is not allowed or
   * none can be had; never rejects.
   */
  obtain?(serverName: string): Promise<ServerCertificate | undefined>;
}
