/**
 * Bearer tokens (RFC 6750) that are JWTs (RFC 7519): requests without a valid one get 401, those whose claims are not enough 403.
 *
 * @module
 */

import type { Exchange } from "../../exchange/exchange.ts";
import { ExchangeFailure, type Outcome } from "../../exchange/exchange_failure.ts";
import type { Filter } from "../../exchange/filter.ts";
import { MetricSet, type ValuesOf } from "../../metrics/metric_set.ts";
import type { BuildContext, Feature, Report } from "../feature.ts";
import { UpstreamFields } from "../upstream_fields.ts";
import { isShared } from "./algorithm_kind.ts";
import { bearerToken, TokenFault } from "./bearer_token.ts";
import { claimOf, type Claims, fieldOf, missingClaim } from "./claims.ts";
import { type JwtConfig, jwtKeys } from "./jwt_schema.ts";
import { InvalidToken, ownKeys, secretOf, TokenVerifier } from "./token_verifier.ts";
import { VerifiedTokens } from "./verified_tokens.ts";

const RESULTS = ["verified", "cached", "missing", "invalid", "insufficient", "unavailable"] as const;
const [VERIFIED, CACHED, MISSING, INVALID, INSUFFICIENT, UNAVAILABLE] = RESULTS.keys();
const FETCHES = ["success", "failure"] as const;

/** The metrics `bws_jwt_…`. */
const JWT_METRICS = new MetricSet({
  requests: {
    ...{ kind: "counter", name: "bws_jwt_requests_total" },
    help: "Requests by what became of their token; cached is one that was verified before, unavailable without keys.",
    labels: [["result", RESULTS]],
  },
  fetches: {
    ...{ kind: "counter", name: "bws_jwt_key_fetches_total" },
    help: "Fetches of the keys of jwks_url.",
    labels: [["result", FETCHES]],
  },
});

const { requests, fetches } = JWT_METRICS.metrics;

/** `jwt`. */
export const jwt = {
  key: "jwt",
  scopes: ["site", "route"],
  order: 410,
  metrics: JWT_METRICS,
  files: ["key_file", "secret_file", "ca_file"],
  schema: jwtKeys.optional().describe("Bearer tokens that are JWTs."),
  check: (options, report) => void (options?.enabled === true && checkKeys(options, report)),
  compile: (options, context) => options?.enabled === true ? new Jwt(options, context) : undefined,
} as const satisfies Feature<JwtConfig | undefined>;

function checkKeys(options: JwtConfig, report: Report): void {
  const { jwks_url, key_file, public_key, secret_file, secret, algorithms = [], ca_file } = options;
  const shared = secret ?? secret_file;
  const open = jwks_url ?? key_file ?? public_key;
  if (shared === undefined && open === undefined) {
    report.error([], {
      message: "jwt has no key: no token could be verified",
      expected: "jwks_url, key_file, public_key, secret or secret_file",
    });
  }
  if (secret !== undefined && secret_file !== undefined) {
    report.error(["secret_file"], { message: "there is a secret already", expected: "secret or secret_file" });
  }
  for (const [read, key] of [[ownKeys, "key_file"], [secretOf, "secret_file"]] as const) {
    try {
      read(options);
    } catch (error) {
      // Whether a file can be read at all is checked with the other files of the config.
      if (!(error instanceof SyntaxError)) continue;
      const expected = key === "key_file" ? "public keys in PEM, a JWK or a JWKS" : "a secret of at least 32 bytes";
      report.error([key], { message: `${key} ${error.message}`, expected });
    }
  }
  const useless = algorithms.findIndex((algorithm) => (isShared(algorithm) ? shared : open) === undefined);
  if (useless >= 0) {
    report.error(["algorithms", useless], {
      message: `there is no key for ${algorithms[useless]}`,
      expected: isShared(algorithms[useless]) ? "secret or secret_file" : "jwks_url, key_file or public_key",
    });
  }
  if (ca_file !== undefined && !/^https:/i.test(jwks_url ?? "")) {
    report.error(["ca_file"], { message: "ca_file has no effect: no jwks_url uses TLS", expected: "https://" });
  }
  if (jwks_url !== undefined && /^http:/i.test(jwks_url) && !/^http:\/\/(?:localhost|127\.|\[::1\])/i.test(jwks_url)) {
    report.warning(["jwks_url"], {
      message: "the keys come without TLS: who changes them on the way signs tokens of his own",
      expected: "https://",
    });
  }
}

/** What is known of a valid token. */
interface Bearer {
  readonly user: string;
  /** Fields for upstreams. */
  readonly lines: readonly string[];
  /** Claim that is not enough; undefined if all are. */
  readonly missing: string | undefined;
}

type Context = Pick<BuildContext, "openService" | "metrics" | "awaitBefore" | "log">;

/** Asks for tokens on one site or route. Built once for a generation. */
export class Jwt implements Filter {
  readonly #options: JwtConfig;
  readonly #verifier: TokenVerifier;
  readonly #verified = new VerifiedTokens<Bearer>();
  readonly #fields: UpstreamFields | undefined;
  readonly #claimHeaders: readonly (readonly [name: string, claim: string])[];
  readonly #challenge: string;
  readonly #metrics: ValuesOf<typeof JWT_METRICS> | undefined;

  /** @throws {Error} When a file cannot be read, or has no key. */
  constructor(options: JwtConfig, { openService, metrics, awaitBefore, log }: Context) {
    this.#options = options;
    const { jwks_url: url, ca_file: caFile, claim_headers, forward_token, realm } = options;
    this.#metrics = metrics(JWT_METRICS);
    this.#verifier = new TokenVerifier(options, {
      service: url === undefined ? undefined : openService({ url, caFile, timeoutMs: 5000, maxBodyBytes: 256 * 1024 }),
      log,
      onFetched: (succeeded) => this.#metrics?.add(fetches, 1, succeeded ? 0 : 1),
    });
    awaitBefore(this.#verifier.prepare());
    this.#claimHeaders = Object.entries(claim_headers);
    const names = [...Object.keys(claim_headers), ...forward_token ? [] : ["authorization"]];
    this.#fields = names.length === 0 ? undefined : new UpstreamFields(names);
    this.#challenge = `Bearer realm="${realm.replace(/["\\]/g, "\\$&")}"`;
  }

  request(exchange: Exchange): Outcome | undefined | Promise<Outcome | undefined> {
    const token = bearerToken(exchange.head, this.#options);
    if (token === undefined) return this.#refused(exchange, 401, "The request has no bearer token", MISSING);
    if (token instanceof TokenFault) {
      const status = token.error === "invalid_token" ? 401 : 400;
      return this.#refused(exchange, status, token.cause, INVALID, `error="${token.error}"`);
    }
    if (exchange.dryRun !== undefined) return undefined;
    const known = this.#verified.find(token, this.#verifier.version);
    return known === undefined ? this.#verify(exchange, token) : this.#judge(exchange, known, CACHED);
  }

  async #verify(exchange: Exchange, token: string): Promise<Outcome | undefined> {
    const claims = await this.#verifier.verify(token);
    if (claims === undefined) {
      this.#metrics?.add(requests, 1, UNAVAILABLE);
      return new ExchangeFailure(503, "The keys of jwks_url could not be fetched", { lines: ["retry-after", "10"] });
    }
    if (claims instanceof InvalidToken) {
      const { reason } = claims;
      return this.#refused(exchange, 401, reason, INVALID, `error="invalid_token", error_description="${reason}"`);
    }
    const bearer = this.#bearerOf(claims);
    const { exp } = claims;
    const untilMs = typeof exp === "number" ? exp * 1000 + this.#options.leeway : Infinity;
    this.#verified.add(token, bearer, untilMs);
    return this.#judge(exchange, bearer, VERIFIED);
  }

  #judge(exchange: Exchange, { user, lines, missing }: Bearer, result: number): Outcome | undefined {
    exchange.user = user;
    if (missing !== undefined) {
      return this.#refused(
        exchange,
        403,
        `The token's claim ${missing} is not enough`,
        INSUFFICIENT,
        'error="insufficient_scope"',
      );
    }
    this.#metrics?.add(requests, 1, result);
    if (this.#fields !== undefined) exchange.head = this.#fields.replaced(exchange.head, lines);
    return undefined;
  }

  #refused({ dryRun }: Exchange, status: 400 | 401 | 403, cause: string, result: number, error?: string): Outcome {
    if (dryRun === undefined) this.#metrics?.add(requests, 1, result);
    const value = error === undefined ? this.#challenge : `${this.#challenge}, ${error}`;
    return new ExchangeFailure(status, cause, { lines: ["www-authenticate", value] });
  }

  #bearerOf(claims: Claims): Bearer {
    const { user_claim, require } = this.#options;
    const user = claimOf(claims, user_claim);
    const lines = this.#claimHeaders.flatMap(([name, claim]) => {
      const value = fieldOf(claimOf(claims, claim));
      return value === undefined ? [] : [name, value];
    });
    return { user: typeof user === "string" ? user : "", lines, missing: missingClaim(claims, require) };
  }
}
