/**
 * PEM (RFC 7468): text around DER.
 *
 * @module
 */

import { decodeBase64, encodeBase64 } from "./base64.ts";

/** A block of PEM. */
export interface PemBlock {
  /** As `CERTIFICATE`. */
  readonly label: string;
  /** The block as it stands, with a line end. */
  readonly text: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** A block with this label. */
export function pem(label: string, bytes: Uint8Array): string {
  const lines = encodeBase64(bytes).match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ""].join("\n");
}

/**
 * All blocks of a text, in order. What stands between them is ignored.
 *
 * @throws {SyntaxError} When the text between the lines of a block is not Base64.
 */
export function pemBlocks(text: string): PemBlock[] {
  return [...text.matchAll(/-----BEGIN ([A-Z0-9 ]+)-----\r?\n([A-Za-z0-9+/=\s]*?)-----END \1-----/g)].map((match) => ({
    label: match[1],
    text: match[0].replaceAll("\r\n", "\n") + "\n",
    bytes: decodeBase64(match[2].replace(/\s/g, "")),
  }));
}
