/**
 * What is known of the certificates that are issued for the sites, for operators.
 *
 * @module
 */

/** Who issues certificates that are not in files. */
export type IssuerKind = "acme" | "internal";

/** A name, its certificate, and why it has none. */
export interface CertificateStatus {
  /** In lower case; with `*.` for wildcards. */
  readonly name: string;
  readonly issuer: IssuerKind;
  /** Whether a client asked for the name, which no site lists. */
  readonly onDemand: boolean;
  /** When its certificate expires, in milliseconds since 1970; null without one. */
  readonly notAfterMs: number | null;
  /** When it is renewed; null without one. */
  readonly renewAtMs: number | null;
  /** Whether one is being ordered. */
  readonly ordering: boolean;
  /** Why none could be had the last time; null after a success. */
  readonly problem: CertificateProblem | null;
}

/** An order that failed. */
export interface CertificateProblem {
  /** In the words of the authority. */
  readonly message: string;
  /** When it failed, in milliseconds since 1970. */
  readonly atMs: number;
  /** How many failed in a row. */
  readonly failures: number;
  /** When the next try is. */
  readonly nextTryAtMs: number;
}

/** How many orders ended how, since the start. */
export interface OrderCounts {
  readonly issued: number;
  readonly failed: number;
}
