/**
 * Verifies the certificate of a client whose session was resumed, where no full handshake has verified it for the
 * site's authorities, as after a reload that changed them. What it cannot judge it does not accept.
 *
 * @module
 */

import { X509Certificate } from "node:crypto";
import { type CertificateContent, readCertificate } from "./certificate_content.ts";

/** Most authorities between the client's certificate and one of the site's. */
const MOST_BETWEEN = 4;

/** A certificate, read by the runtime and by BWS. */
interface Link {
  readonly x509: X509Certificate;
  readonly content: CertificateContent;
}

/**
 * Why none of the authorities vouches for a chain; empty where one does.
 *
 * @param chain DER, the client's own first.
 * @param authorities PEM.
 */
export function chainFault(chain: readonly Uint8Array[], authorities: string, nowMs: number = Date.now()): string {
  let leaf: Link, sent: Link[];
  try {
    [leaf, ...sent] = chain.slice(0, MOST_BETWEEN + 1).map((der) => linkOf(new X509Certificate(der)));
  } catch {
    return "the certificate cannot be read";
  }
  const trusted = authoritiesOf(authorities);
  // As the runtime has it in a full handshake: one that is listed itself needs no issuer.
  if (trusted.some(({ x509 }) => x509.fingerprint256 === leaf.x509.fingerprint256)) return faultOf(leaf, nowMs);
  if (leaf.content.ca) return "the certificate is an authority's";
  let current = leaf;
  for (let between = 0; between <= MOST_BETWEEN; between++) {
    const fault = faultOf(current, nowMs);
    if (fault !== "") return fault;
    if (trusted.some((issuer) => issues(issuer, current, between))) return "";
    const next = sent.find((issuer) => issuer !== current && issues(issuer, current, between));
    if (next === undefined) break;
    current = next;
  }
  return "UNABLE_TO_GET_ISSUER_CERT";
}

function faultOf({ content }: Link, nowMs: number): string {
  if (nowMs < content.notBeforeMs) return "CERT_NOT_YET_VALID";
  if (nowMs > content.notAfterMs) return "CERT_HAS_EXPIRED";
  if (!content.forClients) return "INVALID_PURPOSE";
  return content.limited ? "the certificate has limits that cannot be judged" : "";
}

/** @param between Authorities between the issuer and the client's certificate. */
function issues(issuer: Link, { x509 }: Link, between: number): boolean {
  const { ca, pathLength, limited } = issuer.content;
  return ca && !limited && between <= pathLength && x509.checkIssued(issuer.x509) &&
    x509.verify(issuer.x509.publicKey);
}

function authoritiesOf(pem: string): Link[] {
  const links: Link[] = [];
  for (const [block] of pem.matchAll(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g)) {
    try {
      links.push(linkOf(new X509Certificate(block)));
    } catch {
      // The runtime leaves it out too.
    }
  }
  return links;
}

function linkOf(x509: X509Certificate): Link {
  return { x509, content: readCertificate(new Uint8Array(x509.raw)) };
}
