/**
 * The authority of a request: `host` or `host:port` as in the Host field (RFC 9110, section 7.2). The client chooses
 * it, and the runtime builds the request's URL from it. So it is validated before that URL is used: a Host that
 * contains `/`, `?`, `#` or `@` would otherwise change the path or the authority.
 *
 * @module
 */

/**
 * The host of an authority in lower case, without the port and without a trailing dot; IPv6 in brackets. Undefined if
 * `authority` is invalid: empty, or with user information, characters outside a host name (RFC 3986, section 3.2.2), or
 * an invalid port.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { hostOf } from "@bws/bws";
 *
 * assertEquals(hostOf("Example.com:8080"), "example.com");
 * assertEquals(hostOf("a/b"), undefined);
 * ```
 */
export function hostOf(authority: string): string | undefined {
  const known = recent.get(authority);
  if (known !== undefined) return known;
  const host = parseHost(authority);
  if (host === undefined) return undefined;
  // Clients choose these strings, so the cache is bounded.
  if (recent.size >= RECENT_LIMIT) recent.clear();
  recent.set(authority, host);
  return host;
}

/** The port of a valid authority, or undefined if it has none. */
export function portOf(authority: string): number | undefined {
  const colon = authority.lastIndexOf(":");
  if (colon < 0 || colon < authority.lastIndexOf("]") || colon === authority.length - 1) return undefined;
  return Number(authority.slice(colon + 1));
}

const RECENT_LIMIT = 1024;
const recent = new Map<string, string>();

function parseHost(authority: string): string | undefined {
  if (authority.length === 0 || authority.length > 255 + 6) return undefined;
  let end = authority.length;
  if (authority.charCodeAt(0) === BRACKET) {
    end = authority.indexOf("]") + 1;
    if (end === 0 || !/^\[[0-9a-fA-F:.]+\]$/.test(authority.slice(0, end)) || !authority.includes(":")) {
      return undefined;
    }
  } else {
    const colon = authority.indexOf(":");
    if (colon >= 0) end = colon;
    for (let i = 0; i < end; i++) {
      if (!isHostCode(authority.charCodeAt(i))) return undefined;
    }
  }
  if (end < authority.length && !/^:(\d{0,5})$/.test(authority.slice(end))) return undefined;
  if (end < authority.length && Number(authority.slice(end + 1)) > 65535) return undefined;
  if (authority.charCodeAt(end - 1) === DOT) end--;
  return end === 0 ? undefined : authority.slice(0, end).toLowerCase();
}

const BRACKET = 0x5b;
const DOT = 0x2e;

// Letters, digits, `-`, `.` and `_`. Percent-encoding and sub-delimiters are legal in a reg-name, but no served host
// name contains them, and software behind the proxy may interpret them differently.
function isHostCode(code: number): boolean {
  return (code >= 0x61 && code <= 0x7a) || (code >= 0x30 && code <= 0x39) || code === 0x2d || code === DOT ||
    (code >= 0x41 && code <= 0x5a) || code === 0x5f;
}
