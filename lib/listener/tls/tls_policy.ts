/**
 * How a listener speaks TLS: the contract between the generation, which compiles it from the sites of the port, and the
 * listener, which asks once a handshake.
 *
 * @module
 */

import type { CertificateSource } from "./certificate.ts";

/** How to speak TLS with the clients of one or several names. */
export interface TlsPolicy {
  readonly certificates: CertificateSource;
  readonly minVersion: "TLSv1.2" | "TLSv1.3";
  /** Protocols for ALPN, the preferred one first, of `h2` and `http/1.1`. */
  readonly protocols: readonly string[];
  /** Undefined where clients are not asked for a certificate. */
  readonly clientAuth?: ClientAuth;
}

/** How clients prove who they are. */
export interface ClientAuth {
  /** Whether a handshake without a certificate that verifies fails; otherwise requests tell the upstream. */
  readonly required: boolean;
  /** Certificates of the authorities, PEM. Two policies that differ here never share a session. */
  readonly authorities: string;
}

/** The policies of one listener. A reload puts another one in place. */
export interface TlsPolicies {
  /**
   * The policy for a name: exact names before wildcards before the default; undefined where an unknown name is refused
   * (`strict_sni`).
   *
   * @param serverName In lower case; empty where the client named none.
   */
  policyFor(serverName: string): TlsPolicy | undefined;
}
