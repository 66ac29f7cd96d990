/**
 * A certificate and its key, read from two files and validated: what could not work is an error, what clients may refuse a
 * warning.
 *
 * @module
 */

import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { reasonOf } from "../../config/file_access.ts";
import type { ServerCertificate } from "./certificate.ts";
import { certificateNames } from "./certificate_names.ts";
import { distinguishedName } from "./distinguished_name.ts";
import { type PemBlock, pemBlocks } from "./pem.ts";

/** Paths of a certificate and its key; they may be one file. */
export interface CertificateFiles {
  readonly cert_file: string;
  readonly key_file: string;
}

/** What is wrong with one of the files. */
export interface CertificateFault {
  readonly key: "cert_file" | "key_file";
  readonly severity: "error" | "warning";
  /** Line of the file, from 1; 0 where no line is meant. */
  readonly line: number;
  /** What was found, worded to fit after the name of the file. */
  readonly message: string;
  readonly expected?: string;
}

/** The result of reading. */
export interface ReadCertificate {
  /** Undefined where there are errors. */
  readonly certificate?: ServerCertificate;
  readonly faults: readonly CertificateFault[];
}

/** A certificate of the file, with its block. */
interface Link {
  readonly certificate: X509Certificate;
  readonly block: PemBlock;
}

const MIN_RSA_BITS = 2048;
const CURVES: ReadonlySet<string> = new Set(["prime256v1", "P-256", "secp384r1", "P-384", "secp521r1", "P-521"]);

/** How a certificate is judged. */
export interface ReadOptions {
  /** @default {now} */
  readonly nowMs?: number;
  /**
   * Whether it is shown to servers, which look for no names in it.
   *
   * @default {false}
   */
  readonly client?: boolean;
}

/** Reads and validates a certificate. Never throws because of the files. */
export function readCertificate(files: CertificateFiles, options: ReadOptions = {}): ReadCertificate {
  const { nowMs = Date.now(), client = false } = options;
  const faults = new Faults();
  const certText = faults.read(files, "cert_file");
  const keyText = faults.read(files, "key_file");
  const chain = certText === undefined ? [] : chainOf(certText, faults);
  const key = keyText === undefined ? undefined : keyOf(keyText, faults);
  if (chain.length > 0) {
    if (key !== undefined) checkMatch(chain, key.object, faults);
    checkOrder(chain, faults);
    checkStrength(chain, faults);
    checkTime(chain, nowMs, faults);
  }
  if (faults.fatal || key === undefined) return { faults: faults.list };
  const [{ certificate: leaf }] = chain;
  const names = certificateNames(leaf);
  if (names.length === 0 && !client) {
    faults.warning("cert_file", chain[0].block.line, "has no names, so that clients refuse it", "subjectAltName in it");
  }
  return {
    faults: faults.list,
    certificate: {
      names,
      chain: chain.map(({ block }) => block.text).join(""),
      key: key.text,
      fingerprint: leaf.fingerprint256.replaceAll(":", "").toLowerCase(),
      issuer: distinguishedName(leaf.issuer),
      notBeforeMs: Date.parse(leaf.validFrom),
      notAfterMs: Date.parse(leaf.validTo),
      origin: "file",
    },
  };
}

class Faults {
  readonly list: CertificateFault[] = [];

  get fatal(): boolean {
    return this.list.some(({ severity }) => severity === "error");
  }

  error(key: CertificateFault["key"], line: number, message: string, expected?: string): void {
    this.list.push({ key, severity: "error", line, message, expected });
  }

  warning(key: CertificateFault["key"], line: number, message: string, expected?: string): void {
    this.list.push({ key, severity: "warning", line, message, expected });
  }

  read(files: CertificateFiles, key: CertificateFault["key"]): string | undefined {
    try {
      return Deno.readTextFileSync(files[key]);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      this.error(key, 0, `cannot be read: ${reasonOf(error)}`);
      return undefined;
    }
  }
}

function chainOf(text: string, faults: Faults): Link[] {
  const blocks = pemBlocks(text).filter(({ label }) => label === "CERTIFICATE" || label === "X509 CERTIFICATE");
  if (blocks.length === 0) {
    const encoded = text.startsWith("0\x82") || text.startsWith("0\ufffd");
    faults.error(
      "cert_file",
      0,
      encoded ? "holds a certificate in DER, not in PEM" : "holds no certificate",
      'a PEM file with "-----BEGIN CERTIFICATE-----"',
    );
  }
  return blocks.flatMap((block) => {
    try {
      return { certificate: new X509Certificate(block.text), block };
    } catch {
      faults.error("cert_file", block.line, "has a certificate that cannot be read");
      return [];
    }
  });
}

function keyOf(text: string, faults: Faults): { object: KeyObject; text: string } | undefined {
  const block = pemBlocks(text).find(({ label }) => label.endsWith("PRIVATE KEY"));
  if (block === undefined) {
    faults.error("key_file", 0, "holds no private key", 'a PEM file with "-----BEGIN PRIVATE KEY-----"');
    return undefined;
  }
  if (block.label.startsWith("ENCRYPTED") || block.text.includes("Proc-Type: 4,ENCRYPTED")) {
    faults.error(
      "key_file",
      block.line,
      "has a key that is encrypted with a password",
      "a key without one, as `openssl pkey` writes it",
    );
    return undefined;
  }
  try {
    return { object: createPrivateKey(block.text), text: block.text };
  } catch {
    faults.error("key_file", block.line, "has a key that cannot be read");
    return undefined;
  }
}

/** The key must be that of the first certificate, which clients take for the server's (RFC 8446, section 4.4.2). */
function checkMatch(chain: readonly Link[], key: KeyObject, faults: Faults): void {
  if (chain[0].certificate.checkPrivateKey(key)) return;
  const own = chain.find(({ certificate }) => certificate.checkPrivateKey(key));
  if (own === undefined) faults.error("key_file", 0, "has not the key of the certificate in cert_file");
  else {
    faults.error(
      "cert_file",
      own.block.line,
      "has the certificate of the key behind others",
      "it first, then the intermediate certificates",
    );
  }
}

function checkOrder(chain: readonly Link[], faults: Faults): void {
  for (let i = 1; i < chain.length; i++) {
    const [subject, issuer] = [chain[i - 1].certificate, chain[i].certificate];
    if (issued(subject, issuer)) continue;
    faults.warning(
      "cert_file",
      chain[i].block.line,
      "has a certificate that did not issue the one before it: some clients will not find the way to an authority",
      "each certificate behind the one that it issued",
    );
    return;
  }
}

function issued(subject: X509Certificate, issuer: X509Certificate): boolean {
  return subject.checkIssued(issuer) && subject.verify(issuer.publicKey);
}

function checkStrength(chain: readonly Link[], faults: Faults): void {
  for (const { certificate, block } of chain) {
    const { asymmetricKeyType: type, asymmetricKeyDetails: details } = certificate.publicKey;
    const bits = details?.modulusLength ?? 0;
    if (type === "rsa" && bits < MIN_RSA_BITS) {
      faults.error(
        "cert_file",
        block.line,
        `has a certificate with an RSA key of ${bits} bits, which clients refuse`,
        `${MIN_RSA_BITS} bits or more`,
      );
    } else if (block === chain[0].block && !usableKey(type, details?.namedCurve)) {
      const name = details?.namedCurve ?? type ?? "unknown";
      faults.error(
        "cert_file",
        block.line,
        `has a certificate with a key of type ${name}`,
        "RSA, P-256, P-384, P-521 or Ed25519",
      );
    }
    // Nobody checks the signature of an authority by itself.
    const { signatureAlgorithm = "" } = certificate as { readonly signatureAlgorithm?: string };
    if (/(?:md5|sha1)(?!\d)/i.test(signatureAlgorithm) && certificate.subject !== certificate.issuer) {
      faults.warning(
        "cert_file",
        block.line,
        `has a certificate signed with ${signatureAlgorithm}, which clients refuse`,
      );
    }
  }
}

function usableKey(type: string | undefined, curve: string | undefined): boolean {
  return type === "rsa" || type === "ed25519" || (type === "ec" && CURVES.has(curve ?? ""));
}

function checkTime(chain: readonly Link[], nowMs: number, faults: Faults): void {
  for (const { certificate, block } of chain) {
    const day = (text: string) => new Date(text).toISOString().slice(0, 16).replace("T", " ") + " UTC";
    if (Date.parse(certificate.validTo) <= nowMs) {
      faults.warning("cert_file", block.line, `has a certificate that expired at ${day(certificate.validTo)}`);
    } else if (Date.parse(certificate.validFrom) > nowMs) {
      faults.warning(
        "cert_file",
        block.line,
        `has a certificate that is not valid before ${day(certificate.validFrom)}`,
      );
    }
  }
}
