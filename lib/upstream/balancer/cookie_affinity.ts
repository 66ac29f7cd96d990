/**
 * Cookie: a client stays with its first upstream. The cookie's value is a keyed hash of the upstream's id, so a client
 * learns nothing about the upstream and cannot make a valid value.
 *
 * @module
 */

import { createHmac, randomBytes } from "node:crypto";
import { findCookie, setCookie } from "./affinity_cookie.ts";
import { eligible } from "./draw.ts";
import type { Candidate, Policy, PolicyOptions, PolicyRequest } from "./policy.ts";
import { COOKIE_DEFAULTS, type CookieSettings } from "./policy_settings.ts";
import { hashText } from "./string_hash.ts";

/** Bytes of the hash in a value: 128 bits, which cannot be guessed. */
const VALUE_BYTES = 16;
/** Those bytes in base64url. */
const VALUE_LENGTH = 22;

/** An upstream with its cookie, made in advance: a request costs a look-up and no hash. */
interface Marked<C> {
  readonly upstream: C;
  readonly plainCookie: string;
  readonly tlsCookie: string;
}

/**
 * Picks the upstream that the client's cookie names. Without a cookie, or when its upstream is gone or not available,
 * the fallback policy chooses and the client is given a new cookie.
 *
 * A cookie only selects an upstream, also when it is copied to other clients; it grants nothing else.
 */
export class CookieAffinity<C extends Candidate> implements Policy<C> {
  readonly #fallback: Policy<C>;
  readonly #settings: CookieSettings;
  readonly #name: string;
  readonly #secret: string | Uint8Array;
  #byValue: ReadonlyMap<string, Marked<C>> = new Map();
  #byUpstream: ReadonlyMap<C, Marked<C>> = new Map();

  /**
   * Takes the fields of its fallback.
   *
   * @param fallback Chooses for clients without a cookie; holds the same upstreams.
   */
  constructor(upstreams: readonly C[], fallback: Policy<C>, options?: PolicyOptions) {
    this.#fallback = fallback;
    this.#settings = options?.settings?.cookie ?? {};
    this.#name = cookieName(this.#settings.name ?? COOKIE_DEFAULTS.name, options?.pool);
    this.#secret = this.#settings.secret ?? options?.secret ?? randomBytes(32);
    this.#mark(upstreams);
  }

  /** The upstream of the client's cookie, or the fallback's choice; undefined when none is available. */
  pick(request?: PolicyRequest, avoid?: readonly C[]): C | undefined {
    const named = this.#find(request, ({ upstream }) => eligible(upstream, avoid));
    return named === undefined ? this.#fallback.pick(request, avoid) : named.upstream;
  }

  /** The cookie of `chosen`, unless the client has sent it. */
  affinity(request: PolicyRequest | undefined, chosen: C): string | undefined {
    const marked = this.#byUpstream.get(chosen);
    // Removed since it was chosen: its cookie would name no upstream
    if (marked === undefined) return undefined;
    if (this.#find(request, (found) => found === marked) !== undefined) return undefined;
    const scheme = request === undefined ? "http" : request.clientScheme ?? request.head.scheme;
    return scheme === "https" ? marked.tlsCookie : marked.plainCookie;
  }

  /** Replaces the upstreams; cookies of those that stay remain valid. */
  update(upstreams: readonly C[]): void {
    this.#fallback.update(upstreams);
    this.#mark(upstreams);
  }

  #find(request: PolicyRequest | undefined, accept: (found: Marked<C>) => boolean): Marked<C> | undefined {
    if (request === undefined) return undefined;
    return findCookie(request.head.headers, this.#name, this.#byValue, VALUE_LENGTH, accept);
  }

  #mark(upstreams: readonly C[]): void {
    const byValue = new Map<string, Marked<C>>();
    const byUpstream = new Map<C, Marked<C>>();
    for (const upstream of upstreams) {
      const value = this.#value(upstream.id);
      const [plainCookie, tlsCookie] = [false, true].map((tls) => setCookie(this.#name, value, this.#settings, tls));
      const marked = { upstream, plainCookie, tlsCookie };
      byValue.set(value, marked);
      byUpstream.set(upstream, marked);
    }
    this.#byValue = byValue;
    this.#byUpstream = byUpstream;
  }

  #value(id: string): string {
    const hmac = createHmac("sha256", this.#secret).update(`bws upstream\0${id}`).digest();
    return hmac.subarray(0, VALUE_BYTES).toString("base64url");
  }
}

/** Pools with the same cookie name would overwrite each other's cookies, so each adds a suffix. */
function cookieName(name: string, pool: string | undefined): string {
  return pool === undefined ? name : `${name}_${hashText(pool).toString(16).padStart(8, "0")}`;
}
