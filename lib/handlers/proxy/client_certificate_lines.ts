/**
 * The header lines that tell an upstream of the client's certificate.
 *
 * @module
 */

import type { TlsSession } from "../../sockets/tls_session.ts";

/** Names of these fields begin so. */
export const CLIENT_CERTIFICATE_FIELDS = "x-client-cert-";

/**
 * The lines `[name, value, …]`: what became of the verification in nginx's words (`SUCCESS`, `FAILED:reason`, `NONE`), and
 * the facts of the certificate where there is one.
 */
export function clientCertificateLines({ client }: TlsSession): readonly string[] {
  if (client === undefined) return ["x-client-cert-verify", "NONE"];
  return [
    ...["x-client-cert-verify", client.verified ? "SUCCESS" : `FAILED:${printable(client.reason)}`],
    ...["x-client-cert-subject", printable(client.subject)],
    ...["x-client-cert-issuer", printable(client.issuer)],
    ...["x-client-cert-serial", printable(client.serial)],
    ...["x-client-cert-fingerprint", printable(client.fingerprint)],
  ];
}

/** Text with what a field may not hold escaped as in names (RFC 4514, section 2.4): `\c3\b6` for `ö`. */
function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]+/g, (part) => {
    const bytes = new TextEncoder().encode(part);
    return Array.from(bytes, (byte) => `\\${byte.toString(16).padStart(2, "0")}`).join("");
  });
}
