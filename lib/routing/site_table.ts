/**
 * The site table of one port: which site a host name belongs to. Look-ups use hash maps: ten thousand names cost no
 * more than ten.
 *
 * @module
 */

/** A site of the config. */
export interface SiteSpec<T> {
  /** Host names, `*.example.com` wildcards, or `*`; compared without case. No names means every name. */
  readonly hosts: readonly string[];
  /** Whether the site serves hosts that no site names. */
  readonly default: boolean;
  readonly target: T;
}

/** How a host was matched: by an exact name, by a wildcard, or by neither, so that the fallback site serves it. */
export type SiteMatch = "name" | "wildcard" | "fallback";

/**
 * Finds the site of a host: the exact name, then the most specific wildcard (the longest), then the site marked
 * default, then the first site with `*` or without names, then the first site. If two sites have the same name, the
 * first in the file wins.
 *
 * `*.example.com` stands for one or more labels: it matches `a.example.com` and `b.a.example.com`, not `example.com`.
 *
 * Immutable once compiled; {@linkcode compileSites} creates it.
 */
export class SiteTable<T> {
  readonly #exact = new Map<string, T>();
  /** Targets by the suffix after `*.`. */
  readonly #wildcards = new Map<string, T>();
  /** Number of labels of the longest wildcard: limits the look-ups for a host with many labels. */
  #maxWildcardLabels = 0;
  readonly #fallback: T;

  /** See {@linkcode compileSites}. */
  constructor(sites: readonly SiteSpec<T>[]) {
    if (sites.length === 0) throw new RangeError("Cannot compile sites: found none, expected one or more");
    for (const site of sites) {
      for (const host of site.hosts) this.#add(host.toLowerCase(), site.target);
    }
    const fallback = sites.find((site) => site.default) ??
      sites.find((site) => site.hosts.length === 0 || site.hosts.includes("*")) ??
      sites[0];
    this.#fallback = fallback.target;
  }

  /**
   * The target of the site of a host.
   *
   * @param host Host in lower case, without port and without a trailing dot. The empty string and unknown names give
   * the fallback.
   */
  find(host: string): T {
    const exact = this.#exact.get(host);
    if (exact !== undefined) return exact;
    if (this.#maxWildcardLabels > 0) {
      const wild = this.#findWildcard(host);
      if (wild !== undefined) return wild;
    }
    return this.#fallback;
  }

  /** How {@linkcode find} matches `host`. */
  how(host: string): SiteMatch {
    if (this.#exact.has(host)) return "name";
    return this.#findWildcard(host) === undefined ? "fallback" : "wildcard";
  }

  #findWildcard(host: string): T | undefined {
    // Backwards over as many labels as the longest wildcard has: a host with thousands of labels costs no more.
    let dot = host.length;
    for (let label = 0; label < this.#maxWildcardLabels; label++) {
      const before = host.lastIndexOf(".", dot - 1);
      // The dot must have a label before it.
      if (before <= 0) break;
      dot = before;
    }
    // Then forwards, longest suffix first.
    while (dot !== -1 && dot < host.length) {
      const target = this.#wildcards.get(host.slice(dot + 1));
      if (target !== undefined) return target;
      dot = host.indexOf(".", dot + 1);
    }
    return undefined;
  }

  #add(host: string, target: T): void {
    if (host === "*") return;
    if (!host.startsWith("*.")) {
      if (!this.#exact.has(host)) this.#exact.set(host, target);
      return;
    }
    const suffix = host.slice(2);
    if (!this.#wildcards.has(suffix)) this.#wildcards.set(suffix, target);
    this.#maxWildcardLabels = Math.max(this.#maxWildcardLabels, suffix.split(".").length);
  }
}

/**
 * Compiles the sites of one port.
 *
 * @param sites Sites of the port in the order of the file.
 * @throws {RangeError} If the list is empty.
 *
 * @example
 * ```ts
 * const table = compileSites([
 *   { hosts: ["example.com"], default: true, target: "main" },
 *   { hosts: ["*.example.com"], default: false, target: "tenants" },
 * ]);
 * if (table.find("a.example.com") !== "tenants") throw new Error("expected the wildcard");
 * if (table.find("example.org") !== "main") throw new Error("expected the default");
 * ```
 */
export function compileSites<T>(sites: readonly SiteSpec<T>[]): SiteTable<T> {
  return new SiteTable(sites);
}
