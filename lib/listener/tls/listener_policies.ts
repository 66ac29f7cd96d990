/**
 * The TLS policies of one listener, compiled from its sites.
 *
 * @module
 */

import { compileSites, type SiteTable } from "../../routing/site_table.ts";
import { isIpAddress } from "../../http/ip_address.ts";
import type { CertificateSource, ServerCertificate } from "./certificate.ts";
import type { CertificateFiles } from "./certificate_file.ts";
import type { CertificateFileReader } from "./certificate_files.ts";
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

/** Where the certificates of all sites come from. */
export interface CertificateSources {
  /** Those in files. */
  readonly files: CertificateFileReader;
  /** Those that are issued, by ACME or by the local authority. */
  readonly issued: CertificateSource;
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
   * @throws {Error} When a file cannot be read, or a certificate cannot be used.
   */
  constructor(sites: readonly PolicySite[], sources: CertificateSources) {
    const specs = sites.map((site) => {
      const target = new SitePolicy(site, sources);
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

/** A name of a site, with its certificate. */
export interface NamedCertificate {
  readonly name: string;
  /** Undefined where it is not there yet. */
  readonly certificate: ServerCertificate | undefined;
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
  readonly #names: readonly string[];
  readonly #reader: CertificateFileReader;
  #clientAuth: ClientAuth | undefined;

  constructor(site: PolicySite, { files, issued }: CertificateSources) {
    const tls = tlsOf(site);
    if (tls === undefined) throw new TypeError(`Cannot make a TLS policy: site ${site.name} is served in cleartext`);
    this.site = site.name;
    this.tls = tls;
    this.#reader = files;
    this.files = usesFiles(tls) ? new FileCertificates(filesOf(tls), files) : undefined;
    this.#names = issuedNames(site).map(({ name }) => name);
    this.certificates = this.files ??
      new IssuedCertificates(issued, { names: this.#names, onDemand: tls.on_demand });
    this.minVersion = tls.min_version;
    this.protocols = tls.alpn;
    const { client_auth: auth } = tls;
    this.#clientAuth = auth && { required: auth.mode === "require", authorities: files.authorities(auth.ca_file) };
  }

  /** The certificates of the site: those in files by their first name, those that are issued by the name asked for. */
  get named(): NamedCertificate[] {
    if (this.files !== undefined) {
      return this.files.certificates.map((certificate) => ({ name: certificate.names[0] ?? this.site, certificate }));
    }
    return this.#names.map((name) => ({ name, certificate: this.certificates.certificateFor(name) }));
  }

  get clientAuth(): ClientAuth | undefined {
    const { client_auth: auth } = this.tls;
    const authorities = auth && this.#reader.knownAuthorities(auth.ca_file);
    if (auth !== undefined && authorities !== undefined && authorities !== this.#clientAuth?.authorities) {
      this.#clientAuth = { required: auth.mode === "require", authorities };
    }
    return this.#clientAuth;
  }
}

function filesOf({ cert_file, key_file, certificates }: TlsTable): CertificateFiles[] {
  const own = cert_file === undefined || key_file === undefined ? [] : [{ cert_file, key_file }];
  return [...own, ...certificates];
}
