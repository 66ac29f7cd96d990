/**
 * The health check of an upstream: how it is probed, and which results are healthy.
 *
 * @module
 */

import type { Endpoint } from "../../sockets/endpoint.ts";
import type { HealthCheckConfig } from "../config/health_check_schema.ts";
import { BodyPattern } from "./body_pattern.ts";

/** How upstreams are probed: their table, and what is compiled of it. */
export interface HealthCheck extends HealthCheckConfig {
  /** `expect_body`: found in a healthy response's body, of which the first 64 KiB are read. */
  readonly bodyPattern?: BodyPattern | undefined;
}

/** The health check of a table of the config. */
export function healthCheckOf(config: HealthCheckConfig): HealthCheck {
  return { ...config, bodyPattern: config.expect_body === undefined ? undefined : new BodyPattern(config.expect_body) };
}

/**
 * Keys of probes: upstreams with the same address and the same check have the same key, also across reloads of a
 * config, and share one probe. Owned by a prober.
 */
export class ProbeKeys {
  readonly #certificates: (readonly string[])[] = [];

  /** The key of a probe. */
  of(endpoint: Endpoint, check: HealthCheck): string {
    const { tls } = endpoint;
    return JSON.stringify([
      [endpoint.kind, endpoint.hostname, endpoint.port, endpoint.socketPath, endpoint.authority, endpoint.basePath],
      tls && [tls.serverName, tls.insecureSkipVerify === true, this.#numberOf(tls.caCertificates)],
      [check.kind, check.path, check.method, check.headers, check.expect_status, check.port],
      [check.service, endpoint.protocol],
      check.expect_body,
      [check.interval, check.timeout, check.healthy_after, check.unhealthy_after],
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
