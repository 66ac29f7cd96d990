/**
 * Which upstreams one probe answers for: those that are reached and asked in the same way.
 *
 * @module
 */

import type { Endpoint } from "../../sockets/endpoint.ts";
import type { HealthCheck } from "./health_check.ts";

/** Gives the same key for the same probe, also across reloads of a config. Owned by a prober. */
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
