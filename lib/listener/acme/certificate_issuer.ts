/**
 * The contract between the manager of certificates and who issues them: authorities by ACME, and the local authority.
 *
 * @module
 */

import type { ServerCertificate } from "../tls/certificate.ts";
import type { RenewalWindow } from "./renewal.ts";

/** What became of an order. */
export interface Issued {
  readonly certificate: ServerCertificate;
  /** Whether it was issued now; false where another process had it issued meanwhile. */
  readonly ordered: boolean;
}

/** Issues certificates. */
export interface CertificateIssuer {
  /**
   * The certificate of a name that is kept, whoever ordered it; undefined where there is none that can be used.
   *
   * @throws {Error} When the store cannot be read.
   */
  kept(name: string): Promise<ServerCertificate | undefined>;
  /**
   * Issues a certificate, unless another process has done so meanwhile.
   *
   * @param replaced The certificate that it takes the place of, if there is one.
   * @throws {AcmeError} When it cannot be had.
   */
  issue(name: string, replaced: ServerCertificate | undefined, signal: AbortSignal): Promise<Issued>;
  /**
   * Which of `names` have been written to the store since the last call, by any process. Missing where the store does not
   * tell changes.
   *
   * @throws {Error} When the store cannot be read.
   */
  changed?(names: Iterable<string>): Promise<readonly string[]>;
  /** When the authority suggests to renew; undefined where it suggests nothing. Never rejects. */
  renewalWindow?(certificate: ServerCertificate, signal: AbortSignal): Promise<RenewalWindow | undefined>;
  /** Releases connections. */
  close(): void;
}
