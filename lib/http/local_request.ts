/**
 * Whether a request comes from this very machine, and not through a proxy on it. Behind a proxy on the same machine
 * everybody's connection comes from loopback, and some add no field that would tell (nginx without `proxy_set_header`).
 * So a request counts as local only if nothing about it could be a proxy's: it names the loopback host itself, which
 * nobody elsewhere does by accident, and has no field besides those that a command or a browser sends by itself.
 *
 * A proxy that passes bytes on as they are cannot be told apart. What local requests are shown must bear that.
 *
 * @module
 */

import { isLoopback } from "./ip_address.ts";
import type { RequestHead } from "./message.ts";

/** Fields that commands and browsers send by themselves. All that proxies add (`via`, `x-…`, `cf-…`, `forwarded`) is none. */
const OWN_FIELDS: ReadonlySet<string> = new Set([
  ...[
    "host",
    "user-agent",
    "accept",
    "accept-encoding",
    "accept-language",
    "accept-charset",
    "cache-control",
    "pragma",
  ],
  ...["dnt", "upgrade-insecure-requests", "priority", "referer", "if-none-match", "if-modified-since", "cookie", "te"],
]);

/** Whether a request comes from this machine, as far as its head can tell. */
export function isLocalRequest(head: RequestHead): boolean {
  if (!isLoopback(head.peer.address) || !isLoopback(head.host)) return false;
  for (let i = 0; i < head.headers.length; i += 2) {
    const name = head.headers[i].toLowerCase();
    if (name === "connection") {
      // nginx says "close" to its upstreams where nothing else is configured.
      if (head.headers[i + 1].toLowerCase() !== "keep-alive") return false;
    } else if (!OWN_FIELDS.has(name) && !name.startsWith("sec-")) return false;
  }
  return true;
}
