/**
 * Upstreams, from their config.
 *
 * @module
 */

import type { ProxyConfig } from "../../handlers/proxy/config/proxy_schema.ts";
import type { UpstreamConfig } from "../../handlers/proxy/config/upstream_schema.ts";
import { MASK } from "../../config/secret_names.ts";
import { plainUrl, protocolOf, usesSrv } from "../../upstream/upstream_url.ts";
import { fieldsWithin, type SharedState } from "../../state/shared_state.ts";
import { type Endpoint, type EndpointTls, parseEndpoint } from "../../sockets/endpoint.ts";
import { addressKey, type DiscoveredAddress } from "../../upstream/discovery/addresses.ts";
import { Upstream } from "../../upstream/upstream.ts";
import type { UpstreamMetrics } from "../../upstream/upstream_metrics.ts";
import type { ProcessState } from "../process_state.ts";

/** Larger response heads are refused. nginx accepts 4 to 8 KiB, Node 16 KiB. */
const MAX_HEAD_BYTES = 64 * 1024;

/** Prefix of the names of the shared state of upstreams. */
export const UPSTREAM_FIELDS = "upstream ";

/** What upstreams need besides their config. */
export interface UpstreamFactoryContext {
  readonly processState: ProcessState;
  readonly sharedState: SharedState;
  /** URLs with secrets masked; only those that have any. */
  readonly shownUrls: ReadonlyMap<UpstreamConfig, string>;
  /** The metrics of an upstream, by its id; undefined where none are kept. */
  readonly metrics: (id: string) => UpstreamMetrics | undefined;
}

/** Creates the upstreams of one pool. */
export class UpstreamFactory {
  readonly #config: ProxyConfig;
  readonly #processState: ProcessState;
  readonly #sharedState: SharedState;
  readonly #metrics: UpstreamFactoryContext["metrics"];
  readonly #prefix: string;
  readonly #shownUrls: ReadonlyMap<UpstreamConfig, string>;
  readonly #endpoints = new Map<UpstreamConfig, Endpoint>();
  readonly #ids = new Set<string>();

  /** @param prefix Distinguishes the pool's shared state from that of other pools. */
  constructor(
    config: ProxyConfig,
    { processState, sharedState, shownUrls, metrics }: UpstreamFactoryContext,
    prefix: string,
  ) {
    this.#config = config;
    this.#processState = processState;
    this.#sharedState = sharedState;
    this.#metrics = metrics;
    this.#prefix = prefix;
    this.#shownUrls = shownUrls;
  }

  /**
   * The upstream of an entry of the config.
   *
   * @throws {Deno.errors.NotFound} And its like, when a CA file cannot be read.
   */
  create(entry: UpstreamConfig): Upstream {
    const url = this.#shownUrl(entry);
    let id = url;
    for (let twin = 2; this.#ids.has(id); twin++) id = `${url}#${twin}`;
    this.#ids.add(id);
    return this.#make(entry, { id, url, endpoint: this.#endpoint(entry), weight: entry.weight });
  }

  /** The upstream of an entry that an operator adds. If it existed before, it gets its earlier state. */
  createAdded(entry: UpstreamConfig): Upstream {
    const id = `${entry.url} api`;
    return this.#make(entry, { id, url: entry.url, endpoint: this.#endpoint(entry), weight: entry.weight });
  }

  /** The upstream at an address that was found for an entry. Host, base path and the name in certificates are the entry's. */
  createAt(entry: UpstreamConfig, address: DiscoveredAddress, backup: boolean): Upstream {
    const named = this.#endpoint(entry);
    const tls = named.tls === undefined
      ? undefined
      : { ...named.tls, serverName: named.tls.serverName ?? named.hostname };
    const endpoint = { ...named, hostname: address.hostname, port: address.port, tls };
    const key = addressKey(address);
    const weight = Math.min(65_535, entry.weight * address.weight);
    const shownUrl = this.#shownUrl(entry);
    const basePath = shownUrl === entry.url ? named.basePath : `/${MASK}`;
    const url = `${schemeOf(named)}://${key}${basePath}`;
    return this.#make(entry, { id: `${shownUrl} ${key}`, url, endpoint, weight, backup });
  }

  // Also used for the id, since that names upstreams of equal URL.
  #shownUrl(entry: UpstreamConfig): string {
    return this.#shownUrls.get(entry) ?? entry.url;
  }

  #endpoint(entry: UpstreamConfig): Endpoint {
    let endpoint = this.#endpoints.get(entry);
    if (endpoint === undefined) {
      endpoint = parseEndpoint(plainUrl(entry.url), tlsOf(entry), protocolOf(entry.url, entry.protocol));
      if (entry.proxy_protocol !== undefined) endpoint = { ...endpoint, proxyProtocol: entry.proxy_protocol };
      // Servers of a service have certificates for its domain. The target name of an SRV record must not be used: a forged
      // record would choose the certificate.
      const domain = endpoint.hostname.replace(/^(?:_[^.]+\.)+/, "");
      if (usesSrv(entry.url)) endpoint = { ...endpoint, hostname: domain, authority: domain };
      this.#endpoints.set(entry, endpoint);
    }
    return endpoint;
  }

  #make(
    entry: UpstreamConfig,
    place: { id: string; url: string; endpoint: Endpoint; weight: number; backup?: boolean },
  ): Upstream {
    const { timeout, connections, health_check, passive_health, circuit_breaker, load_balancing } = this.#config;
    const limits = [entry.max_connections || connections.max_connections, bulkhead(this.#config)].filter((n) => n > 0);
    return new Upstream({
      ...place,
      backup: entry.backup || place.backup === true,
      maxConnections: limits.length === 0 ? 0 : Math.min(...limits),
      clock: this.#processState.clock,
      worker: this.#processState.worker,
      metrics: this.#metrics(place.id),
      takeFields: fieldsWithin(this.#sharedState, `${UPSTREAM_FIELDS}${this.#prefix} ${place.id}`),
      loadBalancing: load_balancing,
      probedFirst: health_check.enabled ? health_check.initial : undefined,
      passiveHealth: passive_health,
      circuitBreaker: circuit_breaker,
      dialLimit: this.#processState.dialLimit,
      idleConnections: this.#processState.idleConnections,
      readTimeoutMs: timeout.read || Infinity,
      writeTimeoutMs: timeout.write || Infinity,
      clientTimeoutMs: timeout.client || Infinity,
      idle_timeout: connections.idle_timeout,
      max_idle: connections.max_idle,
      shared: connections,
      maxHeadBytes: MAX_HEAD_BYTES,
    });
  }
}

function schemeOf({ kind, protocol }: Endpoint): string {
  if (kind === "tls") return "https";
  return protocol === "h2" ? "h2c" : "http";
}

function bulkhead({ circuit_breaker }: ProxyConfig): number {
  return circuit_breaker.enabled ? circuit_breaker.max_in_flight : 0;
}

function tlsOf({ tls }: UpstreamConfig): EndpointTls | undefined {
  if (tls === undefined) return undefined;
  return {
    caCertificates: tls.ca_file === undefined ? undefined : [Deno.readTextFileSync(tls.ca_file)],
    insecureSkipVerify: tls.insecure_skip_verify,
    serverName: tls.server_name,
    cert: tls.cert_file === undefined ? undefined : Deno.readTextFileSync(tls.cert_file),
    key: tls.key_file === undefined ? undefined : Deno.readTextFileSync(tls.key_file),
    fingerprint: tls.fingerprint,
  };
}
