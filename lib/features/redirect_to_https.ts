/**
 * The redirect from http to https: 308 to the same host, path and query. Challenges of ACME and the site's own endpoints,
 * which load balancers probe, are excepted.
 *
 * @module
 */

import { flag } from "../config/fields.ts";
import type { Exchange } from "../exchange/exchange.ts";
import { ExchangeFailure, type Outcome } from "../exchange/exchange_failure.ts";
import type { Filter } from "../exchange/filter.ts";
import { firstMember } from "../http/forwarded_client.ts";
import type { BuildContext, Feature } from "./feature.ts";

/** Paths below which ACME authorities look for the response to a challenge (RFC 8555, section 8.3). */
export const CHALLENGE_PATH = "/.well-known/acme-challenge/";

const CHALLENGE = /^\/\.well-known\/acme-challenge\/[\w-][\w.-]*$/;

/** Whether a path is that of a token. One with dot segments, which leads elsewhere once they are resolved, is not. */
export function isChallenge(path: string): boolean {
  return path.startsWith(CHALLENGE_PATH) && CHALLENGE.test(path);
}

/** `redirect_to_https`. */
export const redirectToHttps = {
  key: "redirect_to_https",
  scopes: ["site"],
  order: 110,
  schema: flag().optional().describe(
    "Redirect requests in cleartext to https (308), except for /.well-known/acme-challenge/ and the site's own endpoints. Of a " +
      "site with TLS: those to acme.http_port, which is opened for it where no site has the host there; true without it where " +
      "the certificate comes by ACME.",
  ),
  compile: (on, context) => on === true ? new RedirectToHttps(context) : undefined,
} as const satisfies Feature<boolean | undefined>;

class RedirectToHttps implements Filter {
  readonly #isEndpoint: BuildContext["isEndpoint"];
  readonly #port: string;
  /** Host for requests without one, of HTTP/1.0; empty where the site has no exact name. */
  readonly #host: string;

  constructor({ site, httpsPort, isEndpoint }: BuildContext) {
    this.#isEndpoint = isEndpoint;
    this.#port = httpsPort === 443 ? "" : `:${httpsPort}`;
    this.#host = [site.hostname ?? [], site.hostnames].flat().find((host) => !host.startsWith("*")) ?? "";
  }

  request(exchange: Exchange): Outcome | undefined {
    if (exchange.clientScheme === "https") return undefined;
    const { head, forwarded, path, query } = exchange;
    if (isChallenge(path) || this.#isEndpoint(head)) return undefined;
    const host = hostOf(forwarded?.host === undefined ? head.authority : firstMember(forwarded.host)) || this.#host;
    if (host === "") return new ExchangeFailure(400, "The request is to be redirected to https, and names no host");
    const target = path.startsWith("/") ? `${path}${query}` : "/";
    return { status: 308, headers: ["location", `https://${host}${this.#port}${target}`], body: null };
  }
}

/** An authority without its port. */
function hostOf(authority: string): string {
  const colon = authority.lastIndexOf(":");
  return colon > authority.lastIndexOf("]") ? authority.slice(0, colon) : authority;
}
