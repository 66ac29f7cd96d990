/**
 * The certificates of clients, and whether a site's authorities vouch for them. The runtime verifies a certificate in a
 * full handshake alone: a session that is resumed carries the certificate of the earlier one, whatever authorities that
 * had. So what was found is kept, for each set of authorities, and what is not known is verified here.
 *
 * @module
 */

import { createHash } from "node:crypto";
import type { ClientCertificate } from "../../sockets/tls_session.ts";
import { readCertificate } from "./certificate_content.ts";
import { chainFault } from "./client_chain.ts";
import type { ClientAuth } from "./tls_policy.ts";

/** What was found of one chain for one set of authorities. */
interface Verdict {
  readonly certificate: ClientCertificate;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

/** Verdicts that are kept; the oldest one goes first. */
const MOST_KEPT = 10_000;

/** Verdicts of one listener. */
export class ClientVerdicts {
  readonly #kept = new Map<string, Verdict>();
  readonly #authorities = new WeakMap<ClientAuth, string>();

  /**
   * The certificate of a client.
   *
   * @param chain DER, the client's own first.
   * @param reason Why the runtime does not verify it, a code; empty where it does, undefined where it was not asked,
   * because a session was resumed.
   */
  judge(chain: readonly Uint8Array[], auth: ClientAuth, reason: string | undefined): ClientCertificate {
    const key = `${this.#nameOf(auth)} ${sha256(...chain)}`;
    let verdict = this.#kept.get(key);
    if (verdict === undefined || reason !== undefined) {
      verdict = verdictOf(chain, reason ?? chainFault(chain, auth.authorities));
      this.#keep(key, verdict);
    }
    const { certificate, notBeforeMs, notAfterMs } = verdict;
    const nowMs = Date.now();
    if (!certificate.verified || (nowMs >= notBeforeMs && nowMs <= notAfterMs)) return certificate;
    return { ...certificate, verified: false, reason: "CERT_HAS_EXPIRED" };
  }

  #keep(key: string, verdict: Verdict): void {
    this.#kept.delete(key);
    this.#kept.set(key, verdict);
    if (this.#kept.size <= MOST_KEPT) return;
    const [oldest] = this.#kept.keys();
    this.#kept.delete(oldest);
  }

  #nameOf(auth: ClientAuth): string {
    let name = this.#authorities.get(auth);
    if (name === undefined) {
      name = sha256(new TextEncoder().encode(auth.authorities));
      this.#authorities.set(auth, name);
    }
    return name;
  }
}

function verdictOf(chain: readonly Uint8Array[], reason: string): Verdict {
  const fingerprint = sha256(chain[0]);
  try {
    const { subject, issuer, serial, notBeforeMs, notAfterMs } = readCertificate(chain[0]);
    const certificate = { subject, issuer, fingerprint, serial, verified: reason === "", reason };
    return { certificate, notBeforeMs, notAfterMs };
  } catch (error) {
    const unreadable = { subject: "", issuer: "", fingerprint, serial: "", verified: false };
    return { certificate: { ...unreadable, reason: (error as Error).message }, notBeforeMs: 0, notAfterMs: 0 };
  }
}

function sha256(...pieces: readonly Uint8Array[]): string {
  const hash = createHash("sha256");
  for (const piece of pieces) hash.update(piece);
  return hash.digest("hex");
}
