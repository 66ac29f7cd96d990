/**
 * Keys of accounts, authorities and certificates.
 *
 * @module
 */

import { type Der, der, integer, oid, sequence } from "./der.ts";
import { pem, pemBlocks } from "./pem.ts";

/** Kind of a key. Every client of TLS 1.2 and 1.3 takes `p256`, which costs least in handshakes. */
export type KeyType = "p256" | "p384" | "rsa2048" | "rsa4096";

interface Algorithm {
  readonly generate: EcKeyGenParams | RsaHashedKeyGenParams;
  readonly sign: AlgorithmIdentifier | EcdsaParams;
  /** Identifier of the signature (RFC 5758, section 3.2; RFC 4055, section 5). */
  readonly identifier: Der;
}

function ecdsa(namedCurve: string, hash: string, id: string): Algorithm {
  return { generate: { name: "ECDSA", namedCurve }, sign: { name: "ECDSA", hash }, identifier: sequence(oid(id)) };
}

function rsa(modulusLength: number): Algorithm {
  const name = "RSASSA-PKCS1-v1_5";
  const generate = { name, modulusLength, publicExponent: Uint8Array.of(1, 0, 1), hash: "SHA-256" };
  return { generate, sign: { name }, identifier: sequence(oid("1.2.840.113549.1.1.11"), der(0x05)) };
}

const ALGORITHMS: Readonly<Record<KeyType, Algorithm>> = {
  p256: ecdsa("P-256", "SHA-256", "1.2.840.10045.4.3.2"),
  p384: ecdsa("P-384", "SHA-384", "1.2.840.10045.4.3.3"),
  rsa2048: rsa(2048),
  rsa4096: rsa(4096),
};

/** The public part as a JSON Web Key, with its members in the order in which its thumbprint needs them (RFC 7638). */
export interface PublicJwk {
  readonly crv: string;
  readonly kty: string;
  readonly x: string;
  readonly y: string;
}

/** A key that signs. */
export class SigningKey {
  readonly #pair: CryptoKeyPair;
  readonly #algorithm: Algorithm;

  private constructor(pair: CryptoKeyPair, type: KeyType) {
    this.#pair = pair;
    this.#algorithm = ALGORITHMS[type];
  }

  /** Makes a new key. */
  static async generate(type: KeyType = "p256"): Promise<SigningKey> {
    const pair = await crypto.subtle.generateKey(ALGORITHMS[type].generate, true, ["sign", "verify"]);
    return new SigningKey(pair as CryptoKeyPair, type);
  }

  /**
   * Reads a key of kind `p256` from PEM (PKCS #8), as accounts and the local authority have it.
   *
   * @throws {Error} When it is not a key of this kind.
   */
  static async read(text: string): Promise<SigningKey> {
    const block = pemBlocks(text).find(({ label }) => label === "PRIVATE KEY");
    if (block === undefined) throw new Error("Cannot read a private key: found none, expected PKCS #8 in PEM");
    const { generate } = ALGORITHMS.p256;
    const privateKey = await crypto.subtle.importKey("pkcs8", block.bytes, generate, true, ["sign"]);
    const { kty, crv, x, y } = await crypto.subtle.exportKey("jwk", privateKey);
    const publicKey = await crypto.subtle.importKey("jwk", { kty, crv, x, y }, generate, true, ["verify"]);
    return new SigningKey({ privateKey, publicKey }, "p256");
  }

  /** Identifier of its signatures, as certificates have it. */
  get identifier(): Der {
    return this.#algorithm.identifier;
  }

  /** The private key as PEM. */
  async pem(): Promise<string> {
    return pem("PRIVATE KEY", new Uint8Array(await crypto.subtle.exportKey("pkcs8", this.#pair.privateKey)));
  }

  /** SubjectPublicKeyInfo (RFC 5280, section 4.1). */
  async publicKeyInfo(): Promise<Der> {
    return new Uint8Array(await crypto.subtle.exportKey("spki", this.#pair.publicKey));
  }

  async jwk(): Promise<PublicJwk> {
    const { crv = "", kty = "", x = "", y = "" } = await crypto.subtle.exportKey("jwk", this.#pair.publicKey);
    return { crv, kty, x, y };
  }

  /** A signature as JOSE has it; of ECDSA r and s, of one length each. */
  async sign(bytes: Uint8Array<ArrayBuffer>): Promise<Der> {
    return new Uint8Array(await crypto.subtle.sign(this.#algorithm.sign, this.#pair.privateKey, bytes));
  }

  /** A signature as certificates have it (RFC 5758, section 3.2). */
  async signDer(bytes: Uint8Array<ArrayBuffer>): Promise<Der> {
    const raw = await this.sign(bytes);
    if (this.#algorithm.generate.name !== "ECDSA") return raw;
    return sequence(integer(raw.subarray(0, raw.length / 2)), integer(raw.subarray(raw.length / 2)));
  }
}
