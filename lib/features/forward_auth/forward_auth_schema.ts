/**
 * The table `forward_auth`.
 *
 * @module
 */

import type { z } from "zod";
import {
  choice,
  duration,
  type Fault,
  flag,
  integer,
  judged,
  list,
  size,
  table,
  text,
  token,
} from "../../config/fields.ts";
import { ownFault } from "../../config/header_fields.ts";
import { SERVICE_URL, serviceUrlFault } from "../../upstream/service_url.ts";

/** The keys of `forward_auth`. */
export const forwardAuthKeys = table({
  enabled: flag().default(true).describe("Whether the service is asked."),
  url: judged(serviceUrlFault, SERVICE_URL, "^((?:[hH][tT][tT][pP][sS]?)://|[uU][nN][iI][xX]:/)").optional().describe(
    "What is asked with GET before each request: http://, https:// or unix:/path.sock:/path. A status of 2xx lets the request pass.",
  ),
  copy_headers: list(token("the name of a header field", copiedFault)).prefault([]).describe(
    "Fields of the service's response with 2xx that upstreams get; those that a client sends are removed, in any spelling.",
  ),
  user_header: token("the name of a header field").optional().describe(
    "Field of the response with the user's name, for the access log and for limits by user.",
  ),
  forward_cookies: flag().default(false).describe(
    "Whether clients get the cookies that the service sets with 2xx. Those of other responses they get in any case.",
  ),
  timeout: duration().prefault("5s").describe(
    "Longest time for a response of the service; after it the request gets 503.",
  ),
  max_response: size().prefault("1MiB").describe(
    "Largest body of a response of the service; with a larger one the request gets 502.",
  ),
  max_in_flight: integer(1, 100_000).default(256).describe(
    "Most questions to the service at a time, in each worker; further requests get 503.",
  ),
  cache: duration({ zero: true, maxMs: 3_600_000 }).prefault(0).describe(
    "How long a 2xx holds for further requests with the same Cookie and Authorization, from the same address; 0 is not at all.",
  ),
  cache_by: choice(["uri", "credentials"]).default("uri").describe(
    "Whether a 2xx that is kept holds for the same method, host and URI alone, or for all: only for services that look at none of " +
      "these.",
  ),
  ca_file: text("the path of a PEM file").optional().describe(
    "PEM file of certificates to trust in addition to the system's, for https://.",
  ),
});

/** `forward_auth`, after defaults. */
export type ForwardAuthConfig = z.output<typeof forwardAuthKeys>;

function copiedFault(name: string): Fault | undefined {
  const lower = name.toLowerCase();
  if (lower !== "host" && lower !== "set-cookie") return ownFault(name);
  return { expected: lower === "host" ? "a field that upstreams are not chosen by" : "forward_cookies = true" };
}
