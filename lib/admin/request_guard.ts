/**
 * Refuses requests that pages of other sites make: a browser on an operator's machine can reach loopback, and any page may
 * make it send requests there. Host is checked against DNS rebinding, where an attacker's name is made to resolve to
 * 127.0.0.1, so that his page and this listener are of one origin; Origin and Sec-Fetch-Site are checked against requests
 * from other origins.
 *
 * @module
 */

import { isIpAddress } from "../http/ip_address.ts";
import { hostOf } from "../http/authority.ts";

/** Why a request is refused. */
export interface GuardRefusal {
  /** Status of the response. */
  readonly status: 400 | 403 | 421;
  /** Why. */
  readonly detail: string;
}

/**
 * Why a request is refused; undefined if it is allowed.
 *
 * @param names Host names of this listener besides `localhost`, in lower case.
 */
export function guard(request: Request, names: ReadonlySet<string>): GuardRefusal | undefined {
  const { headers, url } = request;
  const authority = headers.get("host") ?? "";
  const host = hostOf(authority);
  // The runtime builds the URL from Host, unless the target is in absolute form and names another authority.
  if (host === undefined || !url.startsWith(`http://${authority}/`)) {
    return { status: 400, detail: "The request does not name one host" };
  }
  if (!isIpAddress(host.replace(/^\[|\]$/g, "")) && host !== "localhost" && !names.has(host)) {
    return {
      status: 421,
      detail: `Host is ${JSON.stringify(host)}, expected an IP address, "localhost", management.host or one of ` +
        "management.hosts",
    };
  }
  const origin = headers.get("origin");
  // A proxy in front of this listener may speak TLS.
  if (origin !== null && origin !== `http://${authority}` && origin !== `https://${authority}`) {
    return { status: 403, detail: "The request comes from a page of another origin" };
  }
  const site = headers.get("sec-fetch-site");
  if (site === null || site === "same-origin" || site === "none" || opensPage(request)) return undefined;
  return { status: 403, detail: "The request comes from a page of another site" };
}

// A link on another page to the dashboard is allowed: it opens the dashboard as a document that the page cannot read.
function opensPage({ method, headers, url }: Request): boolean {
  return method === "GET" && headers.get("sec-fetch-mode") === "navigate" &&
    headers.get("sec-fetch-dest") === "document" && /^http:\/\/[^/]+\/(?:\?|$)/.test(url);
}
