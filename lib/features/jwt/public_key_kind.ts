/**
 * Public keys as text: PEM, a JWK or a JWKS (RFC 7517).
 *
 * @module
 */

import { createPublicKey } from "node:crypto";
import type { Fault } from "../../config/fields.ts";
import { ALGORITHMS, fits, type KeyFacts } from "./algorithm_kind.ts";

/** A public key. */
export interface PublicJwk extends KeyFacts {
  readonly kid?: string;
  readonly [member: string]: unknown;
}

/** What such a text must be, for messages. */
export const PUBLIC_KEYS = "public keys in PEM, a JWK or a JWKS";

/** What is wrong with a text of public keys. The text is never in a message. */
export function publicKeysFault(content: string): Fault | undefined {
  try {
    parsePublicKeys(content);
    return undefined;
  } catch (error) {
    return { message: (error as Error).message, expected: PUBLIC_KEYS };
  }
}

/**
 * The keys of a text.
 *
 * @throws {SyntaxError} When there is none, or one that must not be there. Its message fits behind a name.
 */
export function parsePublicKeys(content: string): PublicJwk[] {
  const keys = /-----BEGIN /.test(content) ? pemKeys(content) : jsonKeys(content);
  if (keys.length === 0) throw new SyntaxError("has no key");
  for (const key of keys) {
    const fault = keyFault(key);
    if (fault !== undefined) throw new SyntaxError(fault);
  }
  return keys;
}

/** Why a key cannot be used; undefined if it can. */
export function keyFault(key: PublicJwk): string | undefined {
  if (key.kty === "oct" || "k" in key) return "has a shared secret among public keys";
  if ("d" in key) return "has a private key, which only the issuer needs";
  // RFC 7518, section 3.3: 2048 bits at least.
  if (key.kty === "RSA" && String(key.n ?? "").length < 342) return "has an RSA key of less than 2048 bits";
  if (!ALGORITHMS.some((algorithm) => fits({ ...key, use: undefined, key_ops: undefined }, algorithm))) {
    return "has a key of another kind than RSA, EC (P-256, P-384, P-521) and Ed25519";
  }
  return undefined;
}

function pemKeys(content: string): PublicJwk[] {
  if (/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(content)) {
    throw new SyntaxError("has a private key, which only the issuer needs");
  }
  return (content.match(PEM) ?? []).map((block) => {
    try {
      return createPublicKey(block).export({ format: "jwk" }) as PublicJwk;
    } catch {
      throw new SyntaxError("has a key that cannot be read");
    }
  });
}

const PEM = /-----BEGIN (PUBLIC KEY|RSA PUBLIC KEY|CERTIFICATE)-----[^-]+-----END \1-----/g;

function jsonKeys(content: string): PublicJwk[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(content);
  } catch {
    throw new SyntaxError("is neither PEM nor JSON");
  }
  const keys = isObject(parsed) && Array.isArray(parsed.keys) ? parsed.keys : [parsed];
  return keys.map((key) => {
    if (!isObject(key) || typeof key.kty !== "string") throw new SyntaxError("is no JWK");
    return key as PublicJwk;
  });
}

/** Whether a value is an object, and no array. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
