/**
 * The TLS policies of one listener, compiled from its sites.
 *
 * @module
 */

import { compileSites, type SiteTable } from "../../routing/site_table.ts";
import { isIpAddress } from "../../http/ip_address.ts";
import type { CertificateSource } from "./certificate.ts";
import type { CertificateFiles } from "./certificate_file.ts";
import { bareAddress } from "./certificate_names.ts";
import { FileCertificates } from "./file_certificates.ts";
import { IssuedCertificates } from "./issued_certificates.ts";
import { hostsOf, issuedNames, tlsOf, type TlsSite, usesFiles } from "./site_tls.ts";
import type { ClientAuth, TlsPolicies, TlsPolicy } from "./tls_policy.ts";
import type { TlsTable } from "./tls_schema.ts";

/** The keys of a site that its policy depends on. */
export interface PolicySite extends TlsSite {
  readonly name: string;
  readonly default: boolean;
}

/** The policies of a listener. Immutable but for the content of certificate files. */
export class ListenerPolicies implements TlsPolicies {
  /** The policy of each site, in the order of the config. */
  readonly policies: readonly SitePolicy[];
  readonly #byName: SiteTable<SitePolicy>;
  /** For clients that name no host: the site that has an IP address for a name, else undefined. */
  readonly #byAddress: SitePolicy | undefined;
  readonly #strict: boolean;

  /**
   * @param sites The sites of the listener, all with TLS.
   * @param issued The certificates of the process that are not in files.
   * @throws {Error} When a file cannot be read, or a certificate cannot be used.
   */
  constructor(sites: readonly PolicySite[], issued: CertificateSource) {
    const specs = sites.map((site) => {
      const target = new SitePolicy(site, issued);
      return { hosts: [...hostsOf(site), ...target.tls.names], default: site.default, target };
    });
    this.policies = specs.map(({ target }) => target);
    this.#byName = compileSites(specs);
    this.#byAddress = specs.find(({ hosts }) => hosts.some((host) => isIpAddress(bareAddress(host))))?.target;
    this.#strict = this.policies.some(({ tls }) => tls.strict_sni);
  }

  policyFor(serverName: string): TlsPolicy | undefined {
    // RFC 6066, section 3: addresses are not sent as names.
    if (serverName === "" && this.#byAddress !== undefined) return this.#byAddress;
    if (this.#strict && this.#byName.how(serverName) === "fallback") return undefined;
    return this.#byName.find(serverName);
  }
}

/** How one site speaks TLS. */
export class SitePolicy implements TlsPolicy {
  readonly site: string;
  readonly tls: TlsTable;
  readonly certificates: CertificateSource;
  /** The certificates in files; undefined where the site has none. */
  readonly files: FileCertificates | undefined;
  readonly minVersion: TlsPolicy["minVersion"];
  readonly protocols: readonly string[];
  readonly clientAuth: ClientAuth | undefined;

  constructor(site: PolicySite, issued: CertificateSource) {
    const tls = tlsOf(site);
    if (tls === undefined) throw new TypeError(`Cannot make a TLS policy: site ${site.name} is served in cleartext`);
    this.site = site.name;
    this.tls = tls;
    this.files = usesFiles(tls) ? new FileCertificates(filesOf(tls)) : undefined;
    this.certificates = this.files ??
      new IssuedCertificates(issued, { names: issuedNames(site).map(({ name }) => name), onDemand: tls.on_demand });
    this.minVersion = tls.min_version;
    this.protocols = tls.alpn;
    const { client_auth: auth } = tls;
    this.clientAuth = auth && {
      required: auth.mode === "require",
      authorities: Deno.readTextFileSync(auth.ca_file),
    };
  }
}

function filesOf({ cert_file, key_file, certificates }: TlsTable): CertificateFiles[] {
  const own = cert_file === undefined || key_file === undefined ? [] : [{ cert_file, key_file }];
  return [...own, ...certificates];
}
