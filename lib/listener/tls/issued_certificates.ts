/**
 * The certificates of a site that are issued for it, by ACME or by the local authority: those of the process, for the
 * names of this site only.
 *
 * @module
 */

import type { CertificateSource, ServerCertificate } from "./certificate.ts";
import { coversHost, wildcardOf } from "./certificate_names.ts";

/** How certificates are chosen. */
export interface IssuedOptions {
  /** Names of the site for which certificates are issued. */
  readonly names: readonly string[];
  /** Whether a certificate may be requested for another name, when a client asks for it. */
  readonly onDemand: boolean;
}

/** The certificates of one site. */
export class IssuedCertificates implements CertificateSource {
  readonly #source: CertificateSource;
  readonly #names: readonly string[];
  readonly #onDemand: boolean;

  /** @param source The certificates of all sites. */
  constructor(source: CertificateSource, { names, onDemand }: IssuedOptions) {
    this.#source = source;
    this.#names = names;
    this.#onDemand = onDemand;
  }

  certificateFor(serverName: string): ServerCertificate | undefined {
    if (this.#onDemand || coversHost(this.#names, serverName)) {
      const found = this.#source.certificateFor(serverName) ?? this.#source.certificateFor(wildcardOf(serverName));
      if (found !== undefined || this.#onDemand) return found;
    }
    // For clients that name no host, or one that is not known: the first certificate that is there.
    for (const name of this.#names) {
      const found = this.#source.certificateFor(name);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  obtain(serverName: string): Promise<ServerCertificate | undefined> {
    if (!this.#onDemand || serverName === "" || this.#source.obtain === undefined) return Promise.resolve(undefined);
    return this.#source.obtain(serverName);
  }
}
