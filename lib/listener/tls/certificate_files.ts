/**
 * The certificates, keys and authorities in files that the sites of a process use. They are read by one thread, which tells
 * the others, so that all threads use the same ones.
 *
 * @module
 */

import type { ServerCertificate } from "./certificate.ts";
import { type CertificateFault, type CertificateFiles, readCertificate } from "./certificate_file.ts";
import { pemBlocks } from "./pem.ts";

/** What is in the files, by their paths; survives structured cloning. */
export interface CertificateContents {
  readonly certificates: ReadonlyMap<string, ServerCertificate>;
  readonly authorities: ReadonlyMap<string, string>;
}

/** What reading the files again has found. */
export interface CertificateRefresh {
  /** Certificates that are used from now on. */
  readonly changed: readonly { readonly files: CertificateFiles; readonly certificate: ServerCertificate }[];
  /** Files whose content cannot be used, so that the earlier content stays in use. */
  readonly refused: readonly { readonly path: string; readonly reason: string }[];
  /** Authorities that are used from now on. */
  readonly changedAuthorities: readonly string[];
}

/** Reads files once, and again when told to. Outlives generations; owned by the state of the process. */
export class CertificateFileReader {
  /** Counts changes, so that what is derived from the content can be made again. */
  version = 0;
  #contents: CertificateContents;

  /** @param known What another thread has read already. */
  constructor(known: CertificateContents = { certificates: new Map(), authorities: new Map() }) {
    this.#contents = known;
  }

  /** Everything that was read. */
  get contents(): CertificateContents {
    return this.#contents;
  }

  /**
   * The certificate of a pair of files, which are read if they were not yet.
   *
   * @throws {Error} When it cannot be used.
   */
  certificate(files: CertificateFiles): ServerCertificate {
    const known = this.knownCertificate(files);
    if (known !== undefined) return known;
    const key = keyOf(files);
    const { certificate, faults } = readCertificate(files);
    if (certificate === undefined) throw new Error(`Cannot use a certificate: ${faultsText(files, faults)}`);
    this.#learn({ certificates: new Map([[key, certificate]]), authorities: new Map() });
    return certificate;
  }

  /** The certificate of a pair of files; undefined where they were not read, or are no longer used. */
  knownCertificate(files: CertificateFiles): ServerCertificate | undefined {
    return this.#contents.certificates.get(keyOf(files));
  }

  /** The certificates of authorities in a file; undefined where it was not read, or is no longer used. */
  knownAuthorities(path: string): string | undefined {
    return this.#contents.authorities.get(path);
  }

  /**
   * The certificates of authorities in a file, which is read if it was not yet.
   *
   * @throws {Error} When it cannot be read.
   */
  authorities(path: string): string {
    const known = this.#contents.authorities.get(path);
    if (known !== undefined) return known;
    const text = Deno.readTextFileSync(path);
    this.#learn({ certificates: new Map(), authorities: new Map([[path, text]]) });
    return text;
  }

  /** Reads all files again. Content that cannot be used changes nothing. */
  refresh(): CertificateRefresh {
    const certificates = new Map(this.#contents.certificates);
    const authorities = new Map(this.#contents.authorities);
    const changed: CertificateRefresh["changed"][number][] = [];
    const refused: CertificateRefresh["refused"][number][] = [];
    const changedAuthorities: string[] = [];
    for (const [key, before] of certificates) {
      const files = filesOf(key);
      const { certificate, faults } = readCertificate(files);
      if (certificate === undefined) {
        refused.push({ path: files.cert_file, reason: faultsText(files, faults) });
      } else if (certificate.chain !== before.chain || certificate.key !== before.key) {
        certificates.set(key, certificate);
        changed.push({ files, certificate });
      }
    }
    for (const [path, before] of authorities) {
      const { text, reason } = readAuthorities(path);
      if (text === undefined) refused.push({ path, reason });
      else if (text !== before) {
        authorities.set(path, text);
        changedAuthorities.push(path);
      }
    }
    if (changed.length + changedAuthorities.length > 0) this.replace({ certificates, authorities });
    return { changed, refused, changedAuthorities };
  }

  /** Forgets files that are no longer used. */
  retain(files: readonly CertificateFiles[], authorities: readonly string[]): void {
    const [keys, paths] = [new Set(files.map(keyOf)), new Set(authorities)];
    this.#contents = {
      certificates: new Map([...this.#contents.certificates].filter(([key]) => keys.has(key))),
      authorities: new Map([...this.#contents.authorities].filter(([path]) => paths.has(path))),
    };
  }

  /** Puts what another thread has read in place. */
  replace(contents: CertificateContents): void {
    this.#contents = contents;
    this.version++;
  }

  /** Paths of all files. */
  get paths(): string[] {
    const { certificates, authorities } = this.#contents;
    const pairs = [...certificates.keys()].map(filesOf);
    return [...new Set([...pairs.flatMap(({ cert_file, key_file }) => [cert_file, key_file]), ...authorities.keys()])];
  }

  #learn({ certificates, authorities }: CertificateContents): void {
    this.#contents = {
      certificates: new Map([...this.#contents.certificates, ...certificates]),
      authorities: new Map([...this.#contents.authorities, ...authorities]),
    };
  }
}

/** Faults as one line of text. */
export function faultsText(files: CertificateFiles, faults: readonly CertificateFault[]): string {
  return faults.filter(({ severity }) => severity === "error")
    .map(({ key, line, message }) => `${files[key]}${line === 0 ? "" : `, line ${line},`} ${message}`)
    .join("; ");
}

function readAuthorities(path: string): { text?: string; reason: string } {
  try {
    const text = Deno.readTextFileSync(path);
    if (pemBlocks(text).some(({ label }) => label === "CERTIFICATE")) return { text, reason: "" };
    return { reason: `${path} holds no certificate` };
  } catch (error) {
    return { reason: error instanceof Error ? error.message : String(error) };
  }
}

function keyOf({ cert_file, key_file }: CertificateFiles): string {
  return `${cert_file}\n${key_file}`;
}

function filesOf(key: string): CertificateFiles {
  const [cert_file, key_file] = key.split("\n");
  return { cert_file, key_file };
}
