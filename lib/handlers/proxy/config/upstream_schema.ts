/**
 * The tables `[[sites.proxy.upstreams]]`.
 *
 * @module
 */

import type { z } from "zod";
import { choice, duration, type Fault, flag, integer, judged, table, text } from "../../../config/fields.ts";
import { isHostName, normalHost } from "../../../config/host_pattern.ts";
import { upstreamUrlFault } from "../../../upstream/upstream_url.ts";

const SERVER_NAME = "a host name";
const FINGERPRINT =
  "64 hexadecimal digits, with or without colons, as `openssl x509 -noout -fingerprint -sha256` prints them";

/** How to speak TLS with an upstream. */
const upstreamTlsSchema = table({
  ca_file: text("the path of a PEM file").optional().describe(
    "PEM file of certificates to trust in addition to the system's: authorities, or the upstream's own one. Beside cert_file " +
      "they are the only ones.",
  ),
  cert_file: text("the path of a PEM file").optional().describe(
    "PEM file of a certificate that is shown to the upstream, with its intermediate certificates behind it.",
  ),
  key_file: text("the path of a PEM file").optional().describe("PEM file of the private key of cert_file."),
  fingerprint: judged(fingerprintFault, FINGERPRINT).transform(bareFingerprint).optional().describe(
    "SHA-256 fingerprint of the upstream's certificate: this one alone is accepted, whoever issued it and whatever its names.",
  ),
  insecure_skip_verify: flag().default(false)
    .describe("Accept any certificate: a man in the middle can then read and change all traffic."),
  server_name: judged((value) => isHostName(value) ? undefined : { expected: SERVER_NAME }, SERVER_NAME).transform(
    normalHost,
  )
    .optional()
    .describe("Name for SNI and for the check of the certificate, where it is not the URL's host."),
});

/** One upstream. Upstreams of the same name form a pool. */
export const upstreamSchema = table({
  name: text("the name of a pool").describe("Name of the pool; upstreams of the same name share its load."),
  url: judged(
    upstreamUrlFault,
    "a URL that begins with http://, https://, h2c://, unix:/ or, for SRV records, srv+http://, srv+https:// or srv+h2c://",
    "^((?:[sS][rR][vV]\\+)?(?:[hH][tT][tT][pP][sS]?|[hH]2[cC])://|[uU][nN][iI][xX]:/)",
  )
    .describe(
      "Where the upstream listens: http://, https://, h2c:// (HTTP/2 in clear text), srv+http://name (SRV records) or " +
        "unix:/path.sock; a base path is put before every path.",
    ),
  protocol: choice(["http/1.1", "h2", "auto"]).optional().describe(
    "Version of HTTP: http/1.1, h2 (HTTP/2), or, for https:// only, auto (what the upstream prefers). Without it h2 for " +
      "h2c:// and http/1.1 for other URLs. WebSockets use HTTP/1.1 where the upstream does not announce them for h2.",
  ),
  weight: integer(1, 65535).default(1).describe("Share of the load, relative to the pool's other upstreams."),
  max_connections: integer(0, 1_000_000).default(0)
    .describe("Maximum number of exchanges in flight; 0 is the value of connections.max_connections."),
  backup: flag().default(false).describe("Used only when no other upstream of the pool is available."),
  resolve: flag().optional().describe(
    "Look the URL's name up periodically, and make every address an upstream; srv+http:// always does.",
  ),
  resolve_interval: duration({ maxMs: 86_400_000 }).optional().describe(
    "Time between two look-ups; sets resolve. Without it, the TTL of the records.",
  ),
  proxy_protocol: choice(["v1", "v2"]).optional().describe(
    "Begin each connection with a header of the PROXY protocol of this version, which tells the client's address. Such " +
      "connections are not shared between clients. Probes tell that they are BWS's own (UNKNOWN, LOCAL).",
  ),
  tls: upstreamTlsSchema.optional().describe("How to speak TLS with this upstream; for https:// only."),
});

function fingerprintFault(value: string): Fault | undefined {
  return /^[0-9a-f]{64}$/.test(bareFingerprint(value)) ? undefined : { expected: FINGERPRINT };
}

function bareFingerprint(value: string): string {
  return value.replaceAll(":", "").toLowerCase();
}

/** An upstream, after defaults. */
export type UpstreamConfig = z.output<typeof upstreamSchema>;
