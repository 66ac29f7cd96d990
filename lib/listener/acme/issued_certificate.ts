/**
 * A certificate that was issued, as it stands in the store: its key and its chain in one file, so that they are always of
 * one kind.
 *
 * @module
 */

import { createPrivateKey, X509Certificate } from "node:crypto";
import type { CertificateOrigin, ServerCertificate } from "../tls/certificate.ts";
import { certificateNames } from "../tls/certificate_names.ts";
import { distinguishedName } from "../tls/distinguished_name.ts";
import { pemBlocks } from "./pem.ts";

/** The text of a file. */
export function bundleText({ key, chain }: Pick<ServerCertificate, "key" | "chain">): string {
  return key + chain;
}

/**
 * Reads the text of a file.
 *
 * @throws {Error} When it is no certificate with its key.
 */
export function readBundle(text: string, origin: CertificateOrigin): ServerCertificate {
  const blocks = pemBlocks(text);
  const key = blocks.find(({ label }) => label.endsWith("PRIVATE KEY"))?.text;
  const chain = blocks.filter(({ label }) => label === "CERTIFICATE").map((block) => block.text);
  if (key === undefined || chain.length === 0) throw new Error("Cannot read a certificate: expected it and its key");
  const leaf = new X509Certificate(chain[0]);
  if (!leaf.checkPrivateKey(createPrivateKey(key))) throw new Error("Cannot use a certificate: its key is another one");
  return {
    names: certificateNames(leaf),
    chain: chain.join(""),
    key,
    fingerprint: leaf.fingerprint256.replaceAll(":", "").toLowerCase(),
    issuer: distinguishedName(leaf.issuer),
    notBeforeMs: Date.parse(leaf.validFrom),
    notAfterMs: Date.parse(leaf.validTo),
    origin,
  };
}

/** Whether another process has had `found` issued since `replaced` was. Two of the same second end at the same time. */
export function isNewer(found: ServerCertificate, replaced: ServerCertificate | undefined): boolean {
  if (found.notAfterMs <= Date.now()) return false;
  return replaced === undefined ||
    (found.fingerprint !== replaced.fingerprint && found.notAfterMs >= replaced.notAfterMs);
}
