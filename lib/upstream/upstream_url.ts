/**
 * The `url` of an upstream: which ones are valid, and what kind they are.
 *
 * @module
 */

import type { Fault } from "../config/fields.ts";
import type { UpstreamProtocol } from "../sockets/endpoint.ts";

/**
 * What is wrong with an upstream's URL. It must be `http://`, `https://` or `h2c://` with a host, or `unix:` with an absolute
 * path; a base path is allowed, a query, a fragment and credentials are not.
 */
export function upstreamUrlFault(url: string): Fault | undefined {
  if (/^unix:/i.test(url)) return unixFault(url);
  if (/^srv\+/i.test(url)) return srvFault(url);
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(url)?.[1].toLowerCase();
  if (scheme !== "http" && scheme !== "https" && scheme !== "h2c") return schemeFault(url, scheme);
  if (/[\s\\]/.test(url)) return { expected: "a URL without spaces and backslashes" };
  if (url.includes("?")) return { expected: "a URL without a query", suggestion: url.slice(0, url.indexOf("?")) };
  if (url.includes("#")) return { expected: "a URL without a fragment", suggestion: url.slice(0, url.indexOf("#")) };
  const authority = url.slice(scheme.length + 3).split("/")[0];
  if (authority.includes("@")) {
    return {
      message: "holds credentials",
      expected: 'a URL without them; send a header instead, as in headers.request.set."Authorization"',
    };
  }
  // The form of nginx; read as a URL it has the host "unix".
  if (authority.toLowerCase() === "unix:") {
    return {
      expected: 'a unix socket as "unix:/run/app.sock"',
      suggestion: url.slice(scheme.length + 3).replace(/(?<=.):$/, ""),
    };
  }
  const port = /:(\d+)$/.exec(authority)?.[1];
  if (port !== undefined && (Number(port) < 1 || Number(port) > 65535)) {
    return { message: `has the port ${port}`, expected: "a port from 1 to 65535" };
  }
  if (!URL.canParse(plainUrl(url))) return { expected: 'a URL with a valid host, such as "http://127.0.0.1:3000"' };
  return undefined;
}

/** Whether connections to this URL use TLS. */
export function usesTls(url: string): boolean {
  return /^(?:srv\+)?https:/i.test(url);
}

/** Whether this URL names SRV records. */
export function usesSrv(url: string): boolean {
  return /^srv\+/i.test(url);
}

/** The URL without the prefix `srv+`, and with `http` for `h2c`: host, base path and TLS are as in any other URL. */
export function plainUrl(url: string): string {
  return url.replace(/^srv\+/i, "").replace(/^h2c:/i, "http:");
}

/** The protocol that is spoken with an upstream: HTTP/2 with an `h2c://` URL, else what its config says. */
export function protocolOf(url: string, chosen: UpstreamProtocol = "http/1.1"): UpstreamProtocol {
  return usesH2c(url) ? "h2" : chosen;
}

/** Whether this URL means HTTP/2 in clear text, without an upgrade ("prior knowledge"). */
export function usesH2c(url: string): boolean {
  return /^(?:srv\+)?h2c:/i.test(url);
}

function srvFault(url: string): Fault | undefined {
  const plain = url.replace(/^srv\+/i, "");
  const fault = upstreamUrlFault(plain);
  if (fault !== undefined) {
    const suggestion = fault.suggestion === undefined ? undefined : `srv+${fault.suggestion}`;
    return { ...fault, suggestion };
  }
  const authority = plain.slice(plain.indexOf("//") + 2).split("/")[0];
  if (!/:\d*$/.test(authority) && /[a-z_]/i.test(authority)) return undefined;
  return { expected: 'a name without a port, such as "srv+http://_web._tcp.example.com": SRV records have the port' };
}

function unixFault(url: string): Fault | undefined {
  const path = url.slice("unix:".length);
  if (path.startsWith("/") && !path.startsWith("//") && path.length > 1 && !path.includes("\0")) return undefined;
  const absolute = `unix:/${path.replace(/^[/.]+/, "")}`;
  const suggestion = path.startsWith("//") && absolute.length > "unix:/".length ? absolute : undefined;
  return { expected: 'an absolute path, such as "unix:/run/app.sock"', suggestion };
}

function schemeFault(url: string, scheme: string | undefined): Fault {
  const expected =
    "a URL that begins with http://, https://, h2c://, unix:/ or, for SRV records, srv+http://, srv+https:// or srv+h2c://";
  const rest = scheme === undefined ? url : url.slice(scheme.length + 3);
  const candidate = scheme === "srv" ? `srv+http://${rest}` : `${scheme === "wss" ? "https" : "http"}://${rest}`;
  // A suggestion only for a URL that is nearly valid
  const guessed = scheme === "ws" || scheme === "wss" || scheme === "srv" ||
    (scheme === undefined && /^[\w.-]+(?::\d+)?(?:\/|$)/.test(rest));
  return { expected, suggestion: guessed && upstreamUrlFault(candidate) === undefined ? candidate : undefined };
}
