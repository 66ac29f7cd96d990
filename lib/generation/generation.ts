/**
 * One generation: everything that one config builds, and the only module that knows every part. A generation is immutable:
 * another config builds another one, and the earlier one finishes its exchanges.
 *
 * @module
 */

import type { Config, SiteConfig } from "./config/config_types.ts";
import { shownSites, shownUrls } from "./config/shown_config.ts";
import { openAccessLog } from "../features/access_log/access_log.ts";
import { settingsOf } from "../features/access_log/access_log_schema.ts";
import { parseAddress } from "../http/ip_address.ts";
import { ProxyTrust } from "../http/client_address.ts";
import { ListenerPolicies } from "../listener/tls/listener_policies.ts";
import { tlsOf } from "../listener/tls/site_tls.ts";
import type { ClientAuth } from "../listener/tls/tls_policy.ts";
import { challengeResponse } from "../listener/acme/http_challenge.ts";
import type { CertificateStores } from "../listener/acme/certificate_stores.ts";
import type { CertificateRequest } from "../listener/acme/certificate_service.ts";
import { answersChallenges, certificateRequest } from "./certificate_request.ts";
import { ChallengeResponder } from "./challenge_responder.ts";
import { allSitesOf } from "./config/http_sites.ts";
import { httpsPortOf } from "./https_port.ts";
import type { Middleware } from "../listener/middleware.ts";
import type { ListenerMetrics } from "../listener/own/listener_metrics.ts";
import type { ListenerLimits } from "../listener/own/limits_schema.ts";
import type { ListenerSettings } from "../listener/own/socket_listener.ts";
import type { Log } from "../log/log.ts";
import type { SharedState } from "../state/shared_state.ts";
import { compileSites, type SiteTable } from "../routing/site_table.ts";
import type { RouteBinding, SocketRegistry } from "../handlers/websocket/socket_registry.ts";
import type { FailureReport } from "../exchange/failure_report.ts";
import { FailureReporter } from "../exchange/failure_reporter.ts";
import type { MemberChange } from "./pools/pool_members.ts";
import type { MetricsRegistry } from "./metrics/metrics_registry.ts";
import type { OwnPolicyFactory } from "./pools/pools.ts";
import { probeTargets } from "./pools/probe_targets.ts";
import type { Responder } from "../exchange/responder.ts";
import { ProcessState } from "./process_state.ts";
import { Exchanges } from "./exchanges.ts";
import { Site } from "./site.ts";
import { SiteResponder } from "./site_responder.ts";

/** What a generation needs besides its config. */
export interface GenerationOptions {
  /**
   * Where log lines go.
   *
   * @default {undefined} No log.
   */
  log?: Log;
  /**
   * Balancing policies besides the built-in ones, by the name that `load_balancing.method` uses.
   *
   * @default {{}}
   */
  policies?: Readonly<Record<string, OwnPolicyFactory>>;
  /**
   * What sees each request of its listeners first, the outermost first.
   *
   * @default {[]}
   */
  middleware?: readonly Middleware[];
  /**
   * The state that outlives this generation.
   *
   * @default {created with the generation, and closed with it}
   */
  processState?: ProcessState;
  /**
   * Called with each exchange that failed, at most 20 times a second.
   *
   * @default {none}
   */
  onFailure?: (failure: FailureReport) => void;
}

/** An address that sites listen on, with those sites. */
export interface GenerationListener {
  /** Identifies the listener; the same in the next generation. */
  readonly key: string;
  /** IP address, or undefined for all interfaces of both families. */
  readonly address: string | undefined;
  /** Port; 0 for any that is free. */
  readonly port: number;
  /** The sites by host. */
  readonly sites: SiteTable<Site>;
  /** Responds to the requests of this listener. */
  readonly responder: Responder;
  /** What sees those requests first, the outermost first. */
  readonly middleware: readonly Middleware[];
  /** Where its connections are counted; undefined where no metrics are kept. */
  readonly metrics: ListenerMetrics | undefined;
  /** Limits for clients. */
  readonly clients: ListenerSettings;
  /** How it speaks TLS; undefined where it is served in cleartext. */
  readonly tls: ListenerPolicies | undefined;
}

/** Everything that one config builds. */
export class Generation {
  /** The config from which the generation was built. */
  readonly config: Config;
  /** The addresses on which the sites listen. */
  readonly listeners: readonly GenerationListener[];
  /**
   * Resolves when every name of an upstream was looked up once, or the look-up timed out, and when the certificates that
   * can be had at once are in place.
   */
  readonly ready: Promise<void>;
  /** All sites, in the order of the config; those of http that it does not write come last. */
  readonly sites: readonly Site[];
  /** All sites by host, for embedders, which have no listener. */
  readonly allSites: SiteTable<Site>;
  /** The state that outlives the generation. */
  readonly processState: ProcessState;
  /** Metrics; undefined where none are kept. */
  readonly metrics: MetricsRegistry | undefined;
  /** The exchanges of all listeners. */
  readonly exchanges: Exchanges;
  /** The certificates that the config asks for. */
  readonly certificateRequest: CertificateRequest;
  readonly #ownsState: boolean;
  readonly #fieldNames = new Set<string>();

  /**
   * Builds a generation.
   *
   * @throws {Error} When a file that the config names cannot be read.
   */
  constructor(config: Config, options: GenerationOptions = {}) {
    this.config = config;
    const { log, onFailure } = options;
    const trust = new ProxyTrust(config.server.trusted_proxies);
    const clients: ListenerSettings = { trusts: (address) => trust.trusts(address) };
    this.exchanges = new Exchanges({
      trust,
      accessLog: log &&
        openAccessLog(settingsOf(config.logging.access_log), { log, logging: config.logging }).accessLog,
      failures: onFailure && new FailureReporter(onFailure),
    });
    this.#ownsState = options.processState === undefined;
    const processState = this.processState = options.processState ??
      new ProcessState({ log, nameServers: config.server.name_servers });
    const { management } = config;
    const metrics = this.metrics = management.enabled && management.metrics ? processState.metrics : undefined;
    const allSites = allSitesOf(config);
    const groups = Map.groupBy(
      allSites,
      (site) =>
        `${site.listen === undefined ? "" : parseAddress(site.listen)} ${site.port === 0 ? site.name : site.port}`,
    );
    const sites = new Map<SiteConfig, Site>();
    const shown = { shownUrls: shownUrls(config), shownSites: shownSites(config) };
    const sharedState: SharedState = {
      take: (count, name) => {
        this.#fieldNames.add(name);
        return processState.sharedState.take(count, name);
      },
      retain: (names) => processState.sharedState.retain(names),
    };
    const certificates = this.certificateRequest = certificateRequest(config);
    const challengePort = answersChallenges(certificates) ? config.acme.http_port : undefined;
    this.listeners = [...groups].map(([key, group]) => {
      const table = compileSites(group.map((site) => {
        const { policies = {} } = options;
        const context = {
          server: config.server,
          logging: config.logging,
          processState,
          sharedState,
          metrics,
          policies,
          ...shown,
          listener: key,
          configFile: config.file,
          httpsPort: (site: SiteConfig) => httpsPortOf(site, config.sites),
        };
        const built = new Site(site, context);
        sites.set(site, built);
        return specOf(built);
      }));
      const { listen: address, port } = group[0];
      const tls = tlsOf(group[0]) && new ListenerPolicies(group, {
        files: processState.certificateFiles,
        issued: processState.certificates,
      });
      const responder = new SiteResponder(table, this.exchanges, metrics?.refused, clientAuthOf(group, sites, tls));
      return {
        key,
        address,
        port,
        sites: table,
        responder: port === challengePort && tls === undefined
          ? new ChallengeResponder(
            responder,
            this.exchanges,
            (token) => findChallenge(processState.certificateStores, config, token),
          )
          : responder,
        middleware: options.middleware ?? [],
        metrics: metrics?.listener(key),
        clients: { ...clients, limits: limitsOf(group, config), proxyProtocol: group[0].proxy_protocol },
        tls,
      };
    });
    this.sites = allSites.map((site) => sites.get(site) as Site);
    this.allSites = compileSites(this.sites.map(specOf));
    // Last: if the constructor threw after this, nothing would stop the look-ups.
    this.ready = Promise.all([
      ...this.sites.flatMap((site) => site.dynamic.map((one) => one.start())),
      ...this.sites.map((site) => site.prepared),
      processState.certificateService?.prepare(certificates),
    ]).then(() => {});
  }

  /** Activates the generation: its upstreams are probed, and its certificates are ordered, from now on. */
  activate(): void {
    this.processState.certificateService?.activate(this.certificateRequest);
    for (const site of this.sites) {
      for (const dynamic of site.dynamic) dynamic.onChange = () => this.#probe();
    }
    this.#probe();
  }

  /** Changes the members of a pool, until another config is activated. A pool that does not exist is ignored. */
  changeMembers(change: MemberChange): void {
    const site = this.sites.find(({ config }) => config.name === change.site);
    site?.members.get(change.pool)?.change(change);
    this.#probe();
  }

  /** All changes of members that are in effect. */
  get memberChanges(): MemberChange[] {
    return this.sites.flatMap((site) => [...site.members.values()].flatMap((members) => members.changes));
  }

  /** Retires the generation after another was activated. Settles when its exchanges have ended and it is closed. */
  async retire(): Promise<void> {
    for (const site of this.sites) {
      for (const dynamic of site.dynamic) dynamic.stop();
    }
    if (this.underWay > 0) await this.exchanges.allEnded();
    this.close();
  }

  /** Names of the fields of shared state that the generation uses. */
  get fieldNames(): ReadonlySet<string> {
    return this.#fieldNames;
  }

  /** Whether the route and the upstream of an open WebSocket exist in this generation, unchanged. */
  stillRouted(binding: RouteBinding): boolean {
    return this.sites.some((site) => site.stillRouted(binding));
  }

  /** Open WebSockets, including those of earlier generations. */
  get sockets(): SocketRegistry {
    return this.processState.sockets;
  }

  /** Exchanges that have begun and not ended. */
  get underWay(): number {
    return this.exchanges.underWay;
  }

  /** Responds to requests for `sites`. */
  responder(sites: SiteTable<Site>): Responder {
    return new SiteResponder(sites, this.exchanges, this.metrics?.refused);
  }

  /** Closes idle connections and releases memory. Exchanges under way are not affected. */
  close(): void {
    for (const site of this.sites) site.close();
    if (this.#ownsState) this.processState.close();
  }

  /** Closes idle connections to upstreams. */
  releaseIdle(): void {
    for (const site of this.sites) {
      for (const pool of site.pools.values()) {
        for (const upstream of pool.upstreams) upstream.connections.releaseIdle();
      }
    }
  }

  /** Cuts all exchanges under way. */
  destroy(): void {
    this.sockets.destroy();
    for (const site of this.sites) {
      for (const pool of site.pools.values()) {
        for (const upstream of pool.upstreams) upstream.connections.destroy();
      }
      site.close();
    }
  }

  #probe(): void {
    this.processState.prober?.update(this.sites.flatMap(probeTargets));
  }
}

/** The limits of a port: those of `[server.limits]`, and of the sites that set other ones. */
function limitsOf(sites: readonly SiteConfig[], { server }: Config): ListenerLimits {
  return Object.assign({ ...server.limits }, ...sites.map(({ limits }) => limits));
}

function specOf(site: Site): { hosts: readonly string[]; default: boolean; target: Site } {
  return { hosts: site.hosts, default: site.config.default, target: site };
}

/** Challenges stand in the store, so that each worker and each process of a store responds to them. */
async function findChallenge(stores: CertificateStores, config: Config, token: string): Promise<string | undefined> {
  try {
    return await challengeResponse(await stores.of(config), token);
  } catch {
    // There is no folder, so there is no order under way.
    return undefined;
  }
}

/** The sites of a listener whose clients are asked for a certificate; undefined where none are. */
function clientAuthOf(
  group: readonly SiteConfig[],
  sites: ReadonlyMap<SiteConfig, Site>,
  tls: ListenerPolicies | undefined,
): ReadonlyMap<Site, ClientAuth> | undefined {
  const found = new Map<Site, ClientAuth>();
  for (const [index, { clientAuth }] of (tls?.policies ?? []).entries()) {
    if (clientAuth !== undefined) found.set(sites.get(group[index]) as Site, clientAuth);
  }
  return found.size === 0 ? undefined : found;
}
