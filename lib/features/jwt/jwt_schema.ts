/**
 * The table `jwt`.
 *
 * @module
 */

import { z } from "zod";
import { duration, type Fault, fieldValue, flag, judged, list, table, text, token } from "../../config/fields.ts";
import { ownFault } from "../../config/header_fields.ts";
import { SERVICE_URL, serviceUrlFault } from "../../upstream/service_url.ts";
import { nearestName, oneOf } from "../../config/nearest_name.ts";
import { type Algorithm, ALGORITHMS } from "./algorithm_kind.ts";
import { PUBLIC_KEYS, publicKeysFault } from "./public_key_kind.ts";

const CLAIM = "the name of a claim";
const ALGORITHM = oneOf(ALGORITHMS);

/** The keys of `jwt`. */
export const jwtKeys = table({
  enabled: flag().default(true).describe("Whether tokens are asked for."),
  jwks_url: judged(serviceUrlFault, SERVICE_URL).optional().describe(
    "Where the issuer has its keys (JWKS). They are fetched at the start, again after jwks_refresh, and when a token names a key " +
      "that is not known; while they cannot be fetched, the earlier ones hold.",
  ),
  jwks_refresh: duration().prefault("10m").describe("How long fetched keys hold before they are fetched again."),
  jwks_cooldown: duration().prefault("10s").describe(
    "Shortest time between two fetches, whatever keys tokens name and whether a fetch failed.",
  ),
  ca_file: text("the path of a PEM file").optional().describe(
    "PEM file of certificates to trust in addition to the system's, for jwks_url with https://.",
  ),
  key_file: text("the path of a file").optional().describe(
    "A file of public keys: PEM (also certificates), a JWK or a JWKS.",
  ),
  public_key: judged(publicKeysFault, PUBLIC_KEYS).optional().describe("The same as text in the config."),
  secret_file: text("the path of a file").optional().describe(
    "A file with the shared secret of HS256, HS384 and HS512, at least 32 bytes; line breaks at its end do not count.",
  ),
  secret: text("a secret of at least 32 characters").min(32, { error: "a secret of at least 32 characters" }).optional()
    .describe("The same as text, best as ${NAME}."),
  algorithms: list(judged(algorithmFault, ALGORITHM, `^(${ALGORITHMS.join("|")})$`), "a list of algorithms").optional()
    .describe(
      "Algorithms of signatures that are accepted; default: those that the keys are for. none is never.",
    ),
  issuer: list(text()).prefault([]).describe("Values of iss that are accepted; default: any."),
  audience: list(text()).prefault([]).describe("Values of which aud must have one; default: any."),
  leeway: duration({ zero: true, maxMs: 600_000 }).prefault("5s").describe(
    "How far the clocks of issuer and server may differ.",
  ),
  require_exp: flag().default(true).describe("Whether tokens without exp are refused, which hold for ever."),
  require: z.record(text(CLAIM), list(text()).min(1, { error: "a list of texts" }), {
    error: "a table of claims and lists of values",
  })
    .prefault({}).describe(
      "Claims of which a token must have one of the values; 403 otherwise. Of lists one member counts, of scope and scp one word; a " +
        "name with dots leads into objects.",
    ),
  claim_headers: z.record(token("the name of a header field", ownFault), text(CLAIM), {
    error: "a table of header fields and claims",
  }).prefault({}).describe(
    "Fields in which upstreams get claims; those that a client sends are removed, in any spelling. Lists are joined by commas.",
  ),
  user_claim: text(CLAIM).default("sub").describe("Claim with the user's name, for the access log and limits by user."),
  cookie: token("the name of a cookie").optional().describe(
    "A cookie that may have the token in place of Authorization.",
  ),
  query: token("the name of a parameter").optional().describe(
    "A parameter of the query that may have the token, as for WebSockets of browsers. Queries stand in logs.",
  ),
  forward_token: flag().default(true).describe("Whether upstreams get the Authorization field."),
  realm: fieldValue().default("Restricted").describe("realm in WWW-Authenticate."),
});

/** `jwt`, after defaults. */
export type JwtConfig = z.output<typeof jwtKeys>;

function algorithmFault(value: string): Fault | undefined {
  if (ALGORITHMS.includes(value as Algorithm)) return undefined;
  return { expected: ALGORITHM, suggestion: nearestName(value.toUpperCase(), ALGORITHMS) };
}
