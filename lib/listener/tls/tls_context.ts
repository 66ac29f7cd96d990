/**
 * What the runtime's TLS takes of a policy and a certificate.
 *
 * @module
 */

import type { TlsContext } from "../../sockets/tls/tls_wrap.ts";
import type { ServerCertificate } from "./certificate.ts";
import type { TlsPolicy } from "./tls_policy.ts";

/** The context of a handshake. The runtime reads it anew for each connection, so that nothing is kept of it. */
export function contextOf(policy: TlsPolicy, { chain: cert, key }: ServerCertificate): TlsContext {
  const { clientAuth, minVersion } = policy;
  return {
    ...{ cert, key, minVersion },
    ca: clientAuth?.authorities,
    requestCert: clientAuth !== undefined,
    rejectUnauthorized: clientAuth?.required === true,
  };
}
