/**
 * What is asked of an upstream to find out how it is.
 *
 * @module
 */

import type { BodyPattern } from "./body_pattern.ts";

/** How upstreams are probed, and what their answers mean. */
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
  /** Found in a healthy answer's body, of which the first 64 KiB are read. */
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

/** Statuses from the first to the second, both included. */
export type StatusRange = readonly [from: number, to: number];
