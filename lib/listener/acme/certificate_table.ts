/**
 * The certificates that are issued for the sites, in one thread. Which are there is decided by the thread that orders
 * them; it tells all others.
 *
 * @module
 */

import type { CertificateSource, ServerCertificate } from "../tls/certificate.ts";

/** A certificate under the name that it was issued for. */
export interface NamedCertificate {
  /** In lower case; with `*.` for wildcards. */
  readonly name: string;
  /** Undefined where the name has none any more. */
  readonly certificate: ServerCertificate | undefined;
}

/** Certificates by name. Owned by the state of the process. */
export class CertificateTable implements CertificateSource {
  /** Gets a certificate for a name without one; undefined where none are issued on demand. */
  obtainer: ((serverName: string) => Promise<ServerCertificate | undefined>) | undefined;
  readonly #byName = new Map<string, ServerCertificate>();
  readonly #underWay = new Map<string, Promise<ServerCertificate | undefined>>();

  certificateFor(serverName: string): ServerCertificate | undefined {
    return this.#byName.get(serverName);
  }

  /** As {@linkcode CertificateSource.obtain}; once at a time for a name, whoever asks. */
  obtain(serverName: string): Promise<ServerCertificate | undefined> {
    const known = this.#byName.get(serverName);
    if (known !== undefined || this.obtainer === undefined) return Promise.resolve(known);
    let obtained = this.#underWay.get(serverName);
    if (obtained === undefined) {
      obtained = this.obtainer(serverName).catch(() => undefined).finally(() => this.#underWay.delete(serverName));
      this.#underWay.set(serverName, obtained);
    }
    return obtained;
  }

  /** Puts a certificate in place, or removes that of a name. */
  set({ name, certificate }: NamedCertificate): void {
    if (certificate === undefined) this.#byName.delete(name);
    else this.#byName.set(name, certificate);
  }

  /** All certificates. */
  get all(): NamedCertificate[] {
    return [...this.#byName].map(([name, certificate]) => ({ name, certificate }));
  }
}
