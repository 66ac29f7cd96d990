/**
 * The certificates of a site that are in files.
 *
 * @module
 */

import type { CertificateSource, ServerCertificate } from "./certificate.ts";
import type { CertificateFiles } from "./certificate_file.ts";
import type { CertificateFileReader } from "./certificate_files.ts";
import { wildcardOf } from "./certificate_names.ts";

/** The certificates of one site, by the names that they cover. */
export class FileCertificates implements CertificateSource {
  /** The files, in the order of the config. */
  readonly files: readonly CertificateFiles[];
  readonly #reader: CertificateFileReader;
  #certificates: readonly ServerCertificate[] = [];
  #byName: ReadonlyMap<string, ServerCertificate> = new Map();
  #version: number;

  /**
   * Reads the files. Of several certificates for a name, and for names that none has, the first is used.
   *
   * @throws {Error} When a certificate cannot be used.
   */
  constructor(files: readonly CertificateFiles[], reader: CertificateFileReader) {
    this.files = files;
    this.#reader = reader;
    this.#version = reader.version;
    this.#use(files.map((pair) => reader.certificate(pair)));
  }

  /** All certificates, in the order of the config. */
  get certificates(): readonly ServerCertificate[] {
    if (this.#version !== this.#reader.version) {
      this.#version = this.#reader.version;
      this.#use(this.files.map((pair, index) => this.#reader.knownCertificate(pair) ?? this.#certificates[index]));
    }
    return this.#certificates;
  }

  certificateFor(serverName: string): ServerCertificate {
    const [first] = this.certificates;
    return this.#byName.get(serverName) ?? this.#byName.get(wildcardOf(serverName)) ?? first;
  }

  #use(certificates: readonly ServerCertificate[]): void {
    this.#certificates = certificates;
    const byName = new Map<string, ServerCertificate>();
    for (const certificate of certificates) {
      for (const name of certificate.names) if (!byName.has(name)) byName.set(name, certificate);
    }
    this.#byName = byName;
  }
}
