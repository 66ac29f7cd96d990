/**
 * One name whose certificate is issued: which it has, when it is renewed, and why it could not be.
 *
 * @module
 */

import type { ServerCertificate } from "../tls/certificate.ts";
import type { AcmeError } from "./acme_error.ts";
import type { CertificateProblem, CertificateStatus, IssuerKind } from "./certificate_status.ts";
import { type OrderPauses, type RenewalWindow, retryPauseMs, timeInWindow } from "./renewal.ts";

/** What is due for a name. */
export type DueWork = "order" | "window";

/** What is known of a certificate that is put in place. */
export interface Adoption {
  /** When it is to be renewed. */
  readonly renewAtMs: number;
  /** The earliest time of the next order. */
  readonly notBeforeMs: number;
  /** Whether its issuer is asked for a window. */
  readonly asksForWindow: boolean;
}

/** A name. Owned by the manager of certificates. */
export class ManagedName {
  readonly name: string;
  readonly issuer: IssuerKind;
  readonly onDemand: boolean;
  certificate: ServerCertificate | undefined;
  /** What is under way. */
  busy: DueWork | undefined;
  #renewAtMs = 0;
  /** A server that suggests the past for each certificate must not be asked for one after the other. */
  #notBeforeMs = 0;
  /** The window that the time of renewal was chosen in. */
  #window: RenewalWindow | undefined;
  /** When to ask for the window; Infinity where there are none. */
  #askAtMs = Infinity;
  #problem: CertificateProblem | undefined;

  constructor(name: string, issuer: IssuerKind, onDemand: boolean) {
    this.name = name;
    this.issuer = issuer;
    this.onDemand = onDemand;
  }

  get status(): CertificateStatus {
    const { name, issuer, onDemand, busy } = this;
    return {
      ...{ name, issuer, onDemand, ordering: busy === "order" },
      notAfterMs: this.certificate?.notAfterMs ?? null,
      renewAtMs: this.certificate === undefined ? null : Math.round(this.#renewAtMs),
      problem: this.#problem ?? null,
    };
  }

  /** When there is something to do. */
  get dueAtMs(): number {
    if (this.busy !== undefined) return Infinity;
    return Math.min(this.#orderAtMs, this.#askAtMs);
  }

  /** What there is to do now; undefined for nothing. */
  due(nowMs: number): DueWork | undefined {
    if (this.busy !== undefined) return undefined;
    if (this.#orderAtMs <= nowMs) return "order";
    return this.#askAtMs <= nowMs ? "window" : undefined;
  }

  get #orderAtMs(): number {
    return Math.max(this.#renewAtMs, this.#notBeforeMs, this.#problem?.nextTryAtMs ?? 0);
  }

  /** Puts another certificate in place. */
  adopt(certificate: ServerCertificate, { renewAtMs, notBeforeMs, asksForWindow }: Adoption): void {
    this.certificate = certificate;
    this.#renewAtMs = renewAtMs;
    this.#notBeforeMs = notBeforeMs;
    this.#window = undefined;
    this.#askAtMs = asksForWindow ? 0 : Infinity;
    this.#problem = undefined;
  }

  /** The authority suggests a window, or nothing. */
  suggested(window: RenewalWindow | undefined, nowMs: number): void {
    this.#askAtMs = window?.askAgainAtMs ?? nowMs + ASK_AGAIN_MS;
    if (window === undefined) return;
    // Chosen once for a window: choosing again with each answer would move all renewals to its end.
    const same = window.startMs === this.#window?.startMs && window.endMs === this.#window.endMs;
    if (!same) this.#renewAtMs = timeInWindow(window);
    this.#window = window;
  }

  failed(error: AcmeError, nowMs: number, pauses: OrderPauses): CertificateProblem {
    const failures = (this.#problem?.failures ?? 0) + 1;
    const pauseMs = retryPauseMs(failures, error.concernsName, pauses);
    const nextTryAtMs = Math.round(Math.max(nowMs + pauseMs, error.retryAtMs));
    this.#problem = { message: error.message, atMs: nowMs, failures, nextTryAtMs };
    return this.#problem;
  }
}

/** Where the authority suggested nothing, as while it cannot be reached. */
const ASK_AGAIN_MS = 6 * 60 * 60_000;
