/**
 * The certificates of a site that are in files.
 *
 * @module
 */

import type { CertificateSource, ServerCertificate } from "./certificate.ts";
import { type CertificateFault, type CertificateFiles, readCertificate } from "./certificate_file.ts";
import { wildcardOf } from "./certificate_names.ts";

/** What reading the files of a certificate again has found. */
export interface CertificateRefresh {
  readonly files: CertificateFiles;
  /** The certificate that is used from now on; the earlier one where the files have errors. */
  readonly certificate: ServerCertificate;
  readonly changed: boolean;
  readonly faults: readonly CertificateFault[];
}

/** The certificates of one site, by the names that they cover. */
export class FileCertificates implements CertificateSource {
  readonly #files: readonly CertificateFiles[];
  #certificates: readonly ServerCertificate[];
  #byName: ReadonlyMap<string, ServerCertificate>;

  /**
   * Reads the files. Of several certificates for a name, and for names that none has, the first is used.
   *
   * @throws {Error} When a certificate cannot be used.
   */
  constructor(files: readonly CertificateFiles[]) {
    this.#files = files;
    this.#certificates = files.map((pair) => {
      const { certificate, faults } = readCertificate(pair);
      if (certificate === undefined) throw new Error(`Cannot use a certificate: ${faultsText(pair, faults)}`);
      return certificate;
    });
    this.#byName = byName(this.#certificates);
  }

  /** All certificates, in the order of the config. */
  get certificates(): readonly ServerCertificate[] {
    return this.#certificates;
  }

  certificateFor(serverName: string): ServerCertificate {
    return this.#byName.get(serverName) ?? this.#byName.get(wildcardOf(serverName)) ?? this.#certificates[0];
  }

  /** Reads the files again. A certificate whose files have errors stays in use. */
  refresh(): CertificateRefresh[] {
    const read = this.#files.map((files, index): CertificateRefresh => {
      const { certificate, faults } = readCertificate(files);
      const before = this.#certificates[index];
      if (certificate === undefined) return { files, certificate: before, changed: false, faults };
      return { files, certificate, changed: !same(certificate, before), faults };
    });
    this.#certificates = read.map(({ certificate }) => certificate);
    this.#byName = byName(this.#certificates);
    return read;
  }
}

/** Faults as one line of text. */
export function faultsText(files: CertificateFiles, faults: readonly CertificateFault[]): string {
  return faults.filter(({ severity }) => severity === "error")
    .map(({ key, line, message }) => `${files[key]}${line === 0 ? "" : `, line ${line},`} ${message}`)
    .join("; ");
}

function byName(certificates: readonly ServerCertificate[]): ReadonlyMap<string, ServerCertificate> {
  const found = new Map<string, ServerCertificate>();
  for (const certificate of certificates) {
    for (const name of certificate.names) if (!found.has(name)) found.set(name, certificate);
  }
  return found;
}

function same(one: ServerCertificate, other: ServerCertificate): boolean {
  return one.chain === other.chain && one.key === other.key;
}
