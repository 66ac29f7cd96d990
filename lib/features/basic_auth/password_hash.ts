/**
 * Hashes of passwords: bcrypt, argon2 and SHA-crypt. Loaded by the thread that checks passwords, and by `bws hash-password`.
 *
 * @module
 */

import { argon2id, argon2Verify, bcrypt, bcryptVerify } from "hash-wasm";
import { verify as verifySha } from "unixcrypt";

/** A kind of hash. */
export type HashKind = "bcrypt" | "argon2" | "sha-crypt";

/** The hashes that `hashPassword` makes. */
export type NewHashKind = "bcrypt" | "argon2id";

/** Whether a password has this hash. False where the hash is malformed. */
export async function verifyPassword(password: string, hash: string): Promise<boolean> {
  try {
    if (hash.startsWith("$2")) return await bcryptVerify({ password, hash });
    if (hash.startsWith("$argon2")) return await argon2Verify({ password, hash });
    return verifySha(password, hash);
  } catch {
    // The libraries throw for malformed hashes, which the config's check has not found.
    return false;
  }
}

/** The hash of a new password, with the cost that OWASP recommends. */
export function hashPassword(password: string, kind: NewHashKind): Promise<string> {
  const salt = crypto.getRandomValues(new Uint8Array(16));
  if (kind === "bcrypt") return bcrypt({ password, salt, costFactor: 12, outputType: "encoded" });
  const cost = { iterations: 2, memorySize: 19 * 1024, parallelism: 1, hashLength: 32 };
  return argon2id({ password, salt, ...cost, outputType: "encoded" });
}
