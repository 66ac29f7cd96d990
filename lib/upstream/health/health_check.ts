/**
 * The health check of an upstream: how it is probed, and which results are healthy.
 *
 * @module
 */

import type { StatusRange } from "../../http/status_range.ts";
import type { Endpoint } from "../../sockets/endpoint.ts";
import type { BodyPattern } from "./body_pattern.ts";

/** How upstreams are probed, and which results are healthy. */
export interface HealthCheck {
  /** Sends a request, or only opens a connection (with its TLS handshake, where the upstream has one). */
  readonly kind: "http" | "tcp";
  /** Path to request, below the upstream's base path; with its query, if any. */
  readonly path: string;
  /** Method of the request. */
  readonly method: string;
  /** Header lines of the request, `[name, value, …]`. */
  readonly headers: readonly string[];
  /**
   * Statuses of a healthy upstream, both ends included. Redirects are not followed.
   *
   * @default {[[200, 399]]}
   */
  readonly expectStatus?: readonly StatusRange[];
  /** Pattern of a healthy response's body, of which the first 64 KiB are read. */
  readonly expectBody?: BodyPattern;
  /** Port to probe, where it is not the upstream's own. Host stays as it is. */
  readonly port?: number;
  /** Time between two probes of an upstream. */
  readonly intervalMs: number;
  /** Longest time for all of one probe. */
  readonly timeoutMs: number;
  /** Good probes in a row after which an unhealthy upstream is healthy. */
  readonly healthyAfter: number;
  /** Bad probes in a row after which an upstream is unhealthy. */
  readonly unhealthyAfter: number;
}

/**
 * Keys of probes: upstreams with the same address and the same check have the same key, also across reloads of a config, and
 * share one probe. Owned by a prober.
 */
export class ProbeKeys {
  readonly #certificates: (readonly string[])[] = [];

  /** The key of a probe. */
  of(endpoint: Endpoint, check: HealthCheck): string {
    const { tls } = endpoint;
    return JSON.stringify([
      [endpoint.kind, endpoint.hostname, endpoint.port, endpoint.socketPath, endpoint.authority, endpoint.basePath],
      tls && [tls.serverName, tls.insecureSkipVerify === true, this.#numberOf(tls.caCertificates)],
      [check.kind, check.path, check.method, check.headers, check.expectStatus, check.port],
      check.expectBody?.source,
      [check.intervalMs, check.timeoutMs, check.healthyAfter, check.unhealthyAfter],
    ]);
  }

  // Bundles of certificates are too large to be in the key of each upstream that trusts them.
  #numberOf(certificates: readonly string[] = []): number {
    const index = this.#certificates.findIndex((known) =>
      known === certificates ||
      (known.length === certificates.length && known.every((one, i) => one === certificates[i]))
    );
    return index >= 0 ? index : this.#certificates.push(certificates) - 1;
  }
}
