/**
 * Algorithms of signatures (RFC 7518, section 3.1; RFC 8037), and which keys each is for. A token says which one it has been signed with: so
 * that it cannot make a public key a shared secret, the kind of the key decides.
 *
 * @module
 */

/** The algorithms that are known; `none` is not one. */
export const ALGORITHMS = [
  ...["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"],
  ...["HS256", "HS384", "HS512"],
] as const;

/** One of them. */
export type Algorithm = typeof ALGORITHMS[number];

/** The members of a JWK that decide what it is for (RFC 7517, section 4). */
export interface KeyFacts {
  readonly kty?: string;
  readonly crv?: string;
  readonly alg?: string;
  readonly use?: string;
  readonly key_ops?: readonly string[];
}

/** Whether signatures of `algorithm` may be verified with a public key. */
export function fits({ kty, crv, alg, use, key_ops }: KeyFacts, algorithm: string): boolean {
  if (alg !== undefined && alg !== algorithm && !(alg === "EdDSA" && algorithm === "Ed25519")) return false;
  if ((use !== undefined && use !== "sig") || (key_ops !== undefined && !key_ops.includes("verify"))) return false;
  if (kty === "RSA") return /^[RP]S/.test(algorithm);
  if (kty === "EC") return CURVES[algorithm] === crv;
  return kty === "OKP" && crv === "Ed25519" && (algorithm === "EdDSA" || algorithm === "Ed25519");
}

/** Whether an algorithm is of a shared secret. */
export function isShared(algorithm: string): boolean {
  return algorithm.startsWith("HS");
}

const CURVES: Readonly<Record<string, string>> = { ES256: "P-256", ES384: "P-384", ES512: "P-521" };
