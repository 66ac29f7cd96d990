/**
 * Signed requests as ACME has them: JSON Web Signatures in flattened form (RFC 7515, RFC 8555, section 6.2).
 *
 * @module
 */

import { decodeBase64, encodeBase64Url } from "./base64.ts";
import type { PublicJwk, SigningKey } from "./signing_key.ts";

/** A signed message. */
export interface Jws {
  readonly protected: string;
  readonly payload: string;
  readonly signature: string;
}

/**
 * Signs `payload` with the key of an account.
 *
 * @param header Members beside `alg`: `url`, `nonce`, and `kid` or `jwk`.
 * @param payload Undefined for an empty payload, by which resources are read (RFC 8555, section 6.3).
 */
export async function signedJws(
  key: SigningKey,
  header: Readonly<Record<string, unknown>>,
  payload: unknown,
): Promise<Jws> {
  const unsigned = encoded({ alg: "ES256", ...header }, payload);
  return { ...unsigned, signature: encodeBase64Url(await key.sign(signedBytes(unsigned))) };
}

/**
 * The binding of an account to one that the authority knows otherwise (RFC 8555, section 7.3.4).
 *
 * @throws {SyntaxError} When `hmacKey` is not Base64 of URLs.
 */
export async function externalBinding(
  { keyId, hmacKey, url }: { keyId: string; hmacKey: string; url: string },
  jwk: PublicJwk,
): Promise<Jws> {
  const hmac = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", decodeBase64(hmacKey), hmac, false, ["sign"]);
  const unsigned = encoded({ alg: "HS256", kid: keyId, url }, jwk);
  const signature = new Uint8Array(await crypto.subtle.sign("HMAC", key, signedBytes(unsigned)));
  return { ...unsigned, signature: encodeBase64Url(signature) };
}

/** The thumbprint of a key (RFC 7638). */
export async function thumbprint({ crv, kty, x, y }: PublicJwk): Promise<string> {
  const bytes = new TextEncoder().encode(JSON.stringify({ crv, kty, x, y }));
  return encodeBase64Url(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)));
}

function encoded(header: Readonly<Record<string, unknown>>, payload: unknown): Omit<Jws, "signature"> {
  return {
    protected: encodeBase64Url(JSON.stringify(header)),
    payload: payload === undefined ? "" : encodeBase64Url(JSON.stringify(payload)),
  };
}

function signedBytes(unsigned: Omit<Jws, "signature">): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`${unsigned.protected}.${unsigned.payload}`);
}
