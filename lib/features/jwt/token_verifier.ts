/**
 * Verifies tokens: their signature with the keys of the config and of the issuer, their times, issuer and audience (RFC 7519,
 * RFC 8725). `jose` is loaded with the first config that asks for tokens.
 *
 * @module
 */

import type { Log } from "../../log/log.ts";
import type { ServiceClient } from "../../upstream/service_client.ts";
import { fits, isShared } from "./algorithm_kind.ts";
import type { Claims } from "./claims.ts";
import { FetchedKeys } from "./fetched_keys.ts";
import type { JwtConfig } from "./jwt_schema.ts";
import { parsePublicKeys, type PublicJwk } from "./public_key_kind.ts";

type Jose = typeof import("jose");
type VerifyKey = Awaited<ReturnType<Jose["importJWK"]>>;

/** Why a token is not valid; the text is for the client, too. */
export class InvalidToken {
  readonly reason: string;

  constructor(reason: string) {
    this.reason = reason;
  }
}

/** What verifiers need besides their options. */
export interface TokenVerifierContext {
  /** The service of `jwks_url`. */
  readonly service: ServiceClient | undefined;
  readonly log: Log | undefined;
  readonly onFetched: (succeeded: boolean) => void;
}

/** Keys that are tried where several may be the one that is meant. */
const MOST_TRIED = 8;

/** Verifies the tokens of one table. Built once. */
export class TokenVerifier {
  readonly #options: JwtConfig;
  readonly #ownKeys: readonly PublicJwk[];
  readonly #secret: Uint8Array | undefined;
  readonly #fetched: FetchedKeys | undefined;
  #jose: Promise<Jose> | undefined;
  /** Keys as `jose` has them, by the key and the algorithm. */
  readonly #imported = new WeakMap<PublicJwk, Map<string, Promise<VerifyKey>>>();

  /** @throws {Error} When a file cannot be read, or has no key. */
  constructor(options: JwtConfig, { service, log, onFetched }: TokenVerifierContext) {
    this.#options = options;
    this.#ownKeys = ownKeys(options);
    this.#secret = secretOf(options);
    const { jwks_refresh: refreshMs, jwks_cooldown: cooldownMs } = options;
    this.#fetched = service && new FetchedKeys({ service, refreshMs, cooldownMs, log, onFetched });
  }

  /** Changes when the keys have changed: what was verified before is not known to be valid. */
  get version(): string {
    return this.#fetched?.version ?? "";
  }

  /** Loads what is needed and fetches the keys. Rejects only if the package cannot be loaded. */
  async prepare(): Promise<void> {
    await Promise.all([this.#load(), this.#fetched?.fetch()]);
  }

  /** The claims of a token; undefined if the keys could not be fetched. */
  async verify(token: string): Promise<Claims | InvalidToken | undefined> {
    const jose = await this.#load();
    let header: { alg?: unknown; kid?: string };
    try {
      header = jose.decodeProtectedHeader(token);
    } catch {
      return new InvalidToken("The token is malformed");
    }
    const { alg = "", kid } = header;
    if (typeof alg !== "string" || !this.#accepts(alg)) {
      return new InvalidToken("The token's algorithm is not accepted");
    }
    if (isShared(alg)) return await this.#verifyWith(jose, token, alg, this.#secret as Uint8Array);
    let keys = this.#candidates(alg, kid);
    if (this.#fetched !== undefined && !keys.some((key) => key.kid === kid)) {
      await this.#fetched.fetch();
      if (this.#fetched.keys === undefined && keys.length === 0) return undefined;
      keys = this.#candidates(alg, kid);
    }
    let verdict: Claims | InvalidToken = new InvalidToken("The token's key is not known");
    for (const key of keys.slice(0, MOST_TRIED)) {
      let imported: VerifyKey;
      try {
        imported = await this.#import(jose, key, alg);
      } catch {
        continue;
      }
      verdict = await this.#verifyWith(jose, token, alg, imported);
      if (verdict !== WRONG_SIGNATURE) break;
    }
    return verdict;
  }

  #load(): Promise<Jose> {
    return this.#jose ??= import("jose");
  }

  #accepts(alg: string): boolean {
    const { algorithms } = this.#options;
    if (algorithms !== undefined && !algorithms.includes(alg)) return false;
    return isShared(alg)
      ? this.#secret !== undefined && SHARED.has(alg)
      : this.#fetched !== undefined || this.#ownKeys.length > 0;
  }

  /** The keys that may have signed: those of the name first. One without a name may be any. */
  #candidates(alg: string, kid: string | undefined): PublicJwk[] {
    const keys = [...this.#ownKeys, ...this.#fetched?.keys ?? []].filter((key) => fits(key, alg));
    const named = keys.filter((key) => key.kid === kid);
    return [...named, ...keys.filter((key) => key.kid !== kid && (key.kid === undefined || kid === undefined))];
  }

  #import(jose: Jose, key: PublicJwk, alg: string): Promise<VerifyKey> {
    let known = this.#imported.get(key);
    if (known === undefined) this.#imported.set(key, known = new Map());
    let imported = known.get(alg);
    if (imported === undefined) known.set(alg, imported = jose.importJWK(key as Parameters<Jose["importJWK"]>[0], alg));
    return imported;
  }

  async #verifyWith(
    jose: Jose,
    token: string,
    alg: string,
    key: VerifyKey,
  ): Promise<Claims | InvalidToken> {
    const { issuer, audience, leeway, require_exp } = this.#options;
    try {
      const { payload } = await jose.jwtVerify(token, key, {
        algorithms: [alg],
        clockTolerance: leeway / 1000,
        ...(issuer.length === 0 ? {} : { issuer }),
        ...(audience.length === 0 ? {} : { audience }),
        requiredClaims: require_exp ? ["exp"] : [],
      });
      return payload;
    } catch (error) {
      if (!(error instanceof jose.errors.JOSEError)) return new InvalidToken("The token is malformed");
      if (error instanceof jose.errors.JWSSignatureVerificationFailed) return WRONG_SIGNATURE;
      if (error instanceof jose.errors.JWTExpired) return new InvalidToken("The token has expired");
      if (error instanceof jose.errors.JWTClaimValidationFailed) {
        return new InvalidToken(`The token's ${error.claim} is not accepted`);
      }
      return new InvalidToken("The token is malformed");
    }
  }
}

const WRONG_SIGNATURE = new InvalidToken("The token's signature is wrong");
const SHARED: ReadonlySet<string> = new Set(["HS256", "HS384", "HS512"]);

/** The public keys of the config. Throws where they cannot be read. */
export function ownKeys({ key_file, public_key }: JwtConfig): PublicJwk[] {
  return [
    ...key_file === undefined ? [] : parsePublicKeys(Deno.readTextFileSync(key_file)),
    ...public_key === undefined ? [] : parsePublicKeys(public_key),
  ];
}

/** The shared secret of the config. Throws where it cannot be read, or is too short to be one. */
export function secretOf({ secret, secret_file }: JwtConfig): Uint8Array | undefined {
  const text = secret ??
    (secret_file === undefined ? undefined : Deno.readTextFileSync(secret_file).replace(/[\r\n]+$/, ""));
  if (text === undefined) return undefined;
  const bytes = new TextEncoder().encode(text);
  // RFC 7518, section 3.2: as long as the hash; shorter ones are guessed from one token.
  if (bytes.length < 32) throw new SyntaxError(`has ${bytes.length} bytes`);
  return bytes;
}
