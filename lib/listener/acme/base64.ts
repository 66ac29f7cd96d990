/**
 * Base64 (RFC 4648), in its usual form and in that of URLs, without padding, which JOSE has.
 *
 * @module
 */

/** With padding. */
export function encodeBase64(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}

/**
 * Reads both forms, with and without padding.
 *
 * @throws {SyntaxError} When the text is not Base64.
 */
export function decodeBase64(text: string): Uint8Array<ArrayBuffer> {
  try {
    return Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (char) => char.charCodeAt(0));
  } catch (cause) {
    throw new SyntaxError("Cannot read Base64: found other characters", { cause });
  }
}

/** The form of URLs, without padding. */
export function encodeBase64Url(bytes: Uint8Array | string): string {
  const given = typeof bytes === "string" ? new TextEncoder().encode(bytes) : bytes;
  return encodeBase64(given).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
