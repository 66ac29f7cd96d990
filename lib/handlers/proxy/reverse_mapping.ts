/**
 * Addresses of upstreams in responses, mapped back to the client's: Location, Content-Location, Refresh, and the Path
 * and Domain of cookies. Needed where the upstream gets another host or another path than the client requested.
 *
 * @module
 */

import { hostOf } from "../../http/authority.ts";
import type { Endpoint } from "../../sockets/endpoint.ts";

/** How a route changes what its upstreams see. */
export interface ReverseMappingOptions {
  /** Prefix of the clients' paths, which {@linkcode upstreamPath} replaces; `/` where nothing changes. */
  readonly clientPath: string;
  /** Prefix of the upstreams' paths, without their base path. */
  readonly upstreamPath: string;
  /** Host that upstreams get; undefined where it is the client's. */
  readonly host: ((endpoint: Endpoint) => string) | undefined;
}

/** Maps addresses of one upstream, for one route. */
export class UpstreamReverseMapping {
  readonly #clientPath: string;
  readonly #client: string;
  readonly #upstream: string;
  /** Authorities of the upstream. */
  readonly #authorities: ReadonlySet<string>;
  /** Hosts of these authorities, for cookies; without the client's. */
  readonly #hosts: ReadonlySet<string>;
  /** Whether the upstream gets the client's Host. */
  readonly #seesClient: boolean;

  /** Prepares what does not depend on the response. */
  constructor(endpoint: Endpoint, { clientPath, upstreamPath, host }: ReverseMappingOptions) {
    this.#clientPath = clientPath;
    this.#client = withoutSlash(clientPath);
    this.#upstream = endpoint.basePath + withoutSlash(upstreamPath);
    this.#seesClient = host === undefined;
    const port = `:${endpoint.port}`;
    const own = [endpoint.authority, endpoint.authority.endsWith(port) ? "" : endpoint.authority + port];
    if (host !== undefined) own.push(host(endpoint));
    // A unix socket has no authority.
    const named = endpoint.kind === "unix" && host === undefined ? [] : own.filter((authority) => authority !== "");
    this.#authorities = new Set(named.map((authority) => authority.toLowerCase()));
    this.#hosts = new Set(named.map((authority) => hostOf(authority) ?? ""));
  }

  /**
   * The value of a response field for the client.
   *
   * @param lowerName Name of the field, in lower case.
   * @param authority The client's authority, as sent.
   */
  map(lowerName: string, value: string, authority: string): string {
    switch (lowerName) {
      case "location":
      case "content-location":
        return this.#address(value, authority);
      case "refresh":
        return value.replace(REFRESH, (_, before: string, url: string) => before + this.#address(url, authority));
      case "set-cookie":
        return this.#cookie(value);
      default:
        return value;
    }
  }

  #address(value: string, authority: string): string {
    // Browsers read `///a` and `/\\a` as a host, other clients as a path: it is left as it is.
    if (value.startsWith("/") && !/^\/[/\\]/.test(value)) return this.#pathAddress(value);
    const [, origin, named, rest = ""] = ABSOLUTE.exec(value) ?? [];
    if (origin === undefined) return value;
    const path = rest.startsWith("/") ? rest : "/" + rest;
    const lower = named.toLowerCase();
    // An upstream that gets the client's Host uses the client's authority for itself.
    if (this.#seesClient && lower === authority.toLowerCase()) return origin + this.#pathAddress(path);
    return this.#authorities.has(lower) ? this.#pathAddress(path) : value;
  }

  #pathAddress(address: string): string {
    const end = address.search(/[?#]/);
    const path = end < 0 ? address : address.slice(0, end);
    const mapped = this.#path(path);
    // `//a` and `/\\a` would be read as a host.
    const safe = NAMES_HOST.test(mapped) ? "/." + mapped : mapped;
    return end < 0 ? safe : safe + address.slice(end);
  }

  #path(path: string): string {
    if (this.#upstream === "") {
      // An upstream that uses X-Forwarded-Prefix has added the prefix already.
      return isBelow(path, this.#client) ? path : this.#client + path;
    }
    if (!isBelow(path, this.#upstream)) return path;
    const rest = path.slice(this.#upstream.length);
    return rest === "" ? this.#clientPath : this.#client + rest;
  }

  #cookie(cookie: string): string {
    const attributes = cookie.split(";");
    // A cookie with this prefix must have the Path "/" (RFC 6265bis, section 4.1.3.2).
    const fixed = /^\s*__host-/i.test(attributes[0]);
    let changed = false;
    const kept: string[] = [];
    for (const [index, attribute] of attributes.entries()) {
      const [, before, name, quote, value] = COOKIE_ATTRIBUTE.exec(attribute.trimEnd()) ?? [];
      const lowerName = index === 0 ? "" : name?.toLowerCase();
      // Without Domain the cookie is for the host that the client requested.
      if (lowerName === "domain" && !this.#seesClient && this.#hosts.has(hostOf(value.replace(/^\./, "")) ?? "-")) {
        changed = true;
      } else if (lowerName === "path" && !fixed && value.startsWith("/")) {
        // "/app" covers "/app" and all paths below it, "/app/" only the latter.
        const path = value === "/" && this.#upstream === "" ? this.#client || "/" : this.#path(value);
        kept.push(path === value ? attribute : before + quote + path + quote);
        changed ||= path !== value;
      } else {
        kept.push(attribute);
      }
    }
    return changed ? kept.join(";") : cookie;
  }
}

/** Maps addresses of the upstreams of one route; built once. */
export class ReverseMapping {
  readonly #options: ReverseMappingOptions;
  readonly #byEndpoint = new WeakMap<Endpoint, UpstreamReverseMapping>();

  /** For a route that changes paths or Host. */
  constructor(options: ReverseMappingOptions) {
    this.#options = options;
  }

  /** The mapping of the upstream at `endpoint`. */
  of(endpoint: Endpoint): UpstreamReverseMapping {
    let found = this.#byEndpoint.get(endpoint);
    if (found === undefined) {
      this.#byEndpoint.set(endpoint, found = new UpstreamReverseMapping(endpoint, this.#options));
    }
    return found;
  }
}

/** Fields that hold such addresses. */
export const MAPPED_FIELDS: ReadonlySet<string> = new Set(["location", "content-location", "refresh", "set-cookie"]);

// Origin, its authority, and the rest.
const ABSOLUTE = /^((?:https?:)?\/\/([^/?#\\@]+))([/?#].*)?$/is;
// Browsers remove tabs and line ends from anywhere in a URL (WHATWG URL, section 4.4), so they do not end it.
const REFRESH = /^(\s*[\d.]+\s*[;,]\s*(?:url\s*=\s*)?["']?)([^"' ]+)/i;
// deno-lint-ignore no-control-regex
const NAMES_HOST = /^\/[\x00-\x20\x7f]*[/\\]/;
const COOKIE_ATTRIBUTE = /^(\s*([^=\s]+)\s*=\s*)("?)(.*)\3\s*$/s;

function withoutSlash(path: string): string {
  return path.endsWith("/") ? path.slice(0, -1) : path;
}

function isBelow(path: string, prefix: string): boolean {
  return path.startsWith(prefix) && (path.length === prefix.length || path.charCodeAt(prefix.length) === SLASH);
}

const SLASH = 0x2f;
