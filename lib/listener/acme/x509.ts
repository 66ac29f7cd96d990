/**
 * Certificate requests (RFC 2986), certificates of the local authority (RFC 5280), and the identifier that renewal
 * information is asked for by (RFC 9773).
 *
 * @module
 */

import { isIpAddress, parseAddress } from "../../http/ip_address.ts";
import { encodeBase64Url } from "./base64.ts";
import {
  bitString,
  boolean,
  context,
  type Der,
  integer,
  octetString,
  oid,
  readValues,
  sequence,
  set,
  time,
  utf8String,
} from "./der.ts";
import { pem, pemBlocks } from "./pem.ts";
import type { SigningKey } from "./signing_key.ts";

const AUTHORITY_KEY_IDENTIFIER = "2.5.29.35";

/** A request for a certificate of `names`, DNS names or IP addresses, in DER. */
export async function certificateRequest(names: readonly string[], key: SigningKey): Promise<Der> {
  const extensions = sequence(alternativeNames(names, false));
  const attributes = context(0, true, sequence(oid("1.2.840.113549.1.9.14"), set(extensions)));
  // Without a subject: authorities read the extension alone.
  const info = sequence(integer(Uint8Array.of(0)), sequence(), await key.publicKeyInfo(), attributes);
  return sequence(info, key.identifier, bitString(await key.signDer(info)));
}

/** What a certificate says. */
export interface CertificateFacts {
  readonly subject: string;
  readonly issuer: string;
  /** Names of a server; empty makes it the certificate of an authority. */
  readonly names: readonly string[];
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  /** The key that it is for. */
  readonly key: SigningKey;
  /** The key of its issuer. */
  readonly issuerKey: SigningKey;
}

/** Issues a certificate, as PEM. */
export async function issueCertificate(facts: CertificateFacts): Promise<string> {
  const { subject, issuer, names, notBeforeMs, notAfterMs, key, issuerKey } = facts;
  const isAuthority = names.length === 0;
  const publicKey = await key.publicKeyInfo();
  const extensions = [
    extension("2.5.29.19", true, isAuthority ? sequence(boolean(true), integer(Uint8Array.of(0))) : sequence()),
    // keyCertSign and cRLSign; digitalSignature.
    extension("2.5.29.15", true, isAuthority ? bitString(Uint8Array.of(0x06), 1) : bitString(Uint8Array.of(0x80), 7)),
    extension("2.5.29.14", false, octetString(await keyIdentifier(publicKey))),
    extension(
      AUTHORITY_KEY_IDENTIFIER,
      false,
      sequence(context(0, false, await keyIdentifier(await issuerKey.publicKeyInfo()))),
    ),
  ];
  if (!isAuthority) {
    extensions.push(extension("2.5.29.37", false, sequence(oid("1.3.6.1.5.5.7.3.1"))));
    extensions.push(alternativeNames(names, subject === ""));
  }
  const serial = crypto.getRandomValues(new Uint8Array(16));
  serial[0] = serial[0] & 0x7f | 0x40;
  const certificate = sequence(
    context(0, true, integer(Uint8Array.of(2))),
    integer(serial),
    issuerKey.identifier,
    distinguishedName(issuer),
    sequence(time(notBeforeMs), time(notAfterMs)),
    distinguishedName(subject),
    publicKey,
    context(3, true, sequence(...extensions)),
  );
  const signature = bitString(await issuerKey.signDer(certificate));
  return pem("CERTIFICATE", sequence(certificate, issuerKey.identifier, signature));
}

/**
 * The identifier of a certificate for renewal information (RFC 9773, section 4.1); undefined where the certificate does
 * not name the key of its authority.
 *
 * @param chain PEM, the certificate first.
 */
export function renewalIdentifier(chain: string): string | undefined {
  const [certificate] = readValues(pemBlocks(chain)[0].bytes);
  const [facts] = readValues(certificate.contents);
  const fields = readValues(facts.contents);
  const serial = fields.find(({ tag }) => tag === 0x02);
  const extensions = fields.find(({ tag }) => tag === 0xa3);
  if (serial === undefined || extensions === undefined) return undefined;
  for (const { contents } of readValues(readValues(extensions.contents)[0].contents)) {
    const values = readValues(contents);
    if (!equal(values[0].whole, oid(AUTHORITY_KEY_IDENTIFIER))) continue;
    const [inner] = readValues(values[values.length - 1].contents);
    const identifier = readValues(inner.contents).find(({ tag }) => tag === 0x80);
    if (identifier === undefined) return undefined;
    return `${encodeBase64Url(identifier.contents)}.${encodeBase64Url(serial.contents)}`;
  }
  return undefined;
}

function distinguishedName(commonName: string): Der {
  return commonName === "" ? sequence() : sequence(set(sequence(oid("2.5.4.3"), utf8String(commonName))));
}

function extension(id: string, critical: boolean, value: Der): Der {
  return critical ? sequence(oid(id), boolean(true), octetString(value)) : sequence(oid(id), octetString(value));
}

/** @param critical As RFC 5280, section 4.2.1.6 asks for where there is no subject. */
function alternativeNames(names: readonly string[], critical: boolean): Der {
  const general = names.map((name) =>
    isIpAddress(name)
      ? context(7, false, Uint8Array.from(parseAddress(name) ?? []))
      : context(2, false, new TextEncoder().encode(name))
  );
  return extension("2.5.29.17", critical, sequence(...general));
}

// RFC 7093, section 2, method 1.
async function keyIdentifier(publicKey: Der): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", publicKey)).subarray(0, 20);
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
