/**
 * The local authority: issues certificates for names that no public authority issues any for. Its own certificate is made
 * once and kept in the store; whoever trusts it trusts the sites.
 *
 * @module
 */

import { X509Certificate } from "node:crypto";
import type { ServerCertificate } from "../tls/certificate.ts";
import type { CertificateIssuer, Issued } from "./certificate_issuer.ts";
import type { CertificateStore } from "./certificate_store.ts";
import { bundleText, readBundle } from "./issued_certificate.ts";
import { pemBlocks } from "./pem.ts";
import { SigningKey } from "./signing_key.ts";
import { issueCertificate } from "./x509.ts";

/** Where the authority is in a store: its key and its certificate. */
const PLACE = "local/authority.pem";
const DAY_MS = 86_400_000;
const ROOT_DAYS = 3650;
const LEAF_DAYS = 7;
/** Clocks of clients may be behind. */
const EARLIER_MS = 60 * 60_000;

interface Root {
  /** Its certificate, PEM. */
  readonly certificate: string;
  readonly commonName: string;
  readonly key: SigningKey;
  readonly notAfterMs: number;
}

/** The authority. Owned by the manager of certificates. */
export class LocalAuthority implements CertificateIssuer {
  readonly #store: CertificateStore;
  #root: Promise<Root> | undefined;

  constructor(store: CertificateStore) {
    this.#store = store;
  }

  close(): void {}

  /** None: certificates are short-lived and made in a moment, so each process makes its own. */
  kept(): Promise<ServerCertificate | undefined> {
    return Promise.resolve(undefined);
  }

  async issue(name: string): Promise<Issued> {
    const root = await this.#opened();
    const key = await SigningKey.generate();
    const nowMs = Date.now();
    const chain = await issueCertificate({
      // Common names have at most 64 characters (RFC 5280, appendix A.1).
      subject: name.length <= 64 ? name : "",
      issuer: root.commonName,
      names: [name],
      notBeforeMs: nowMs - EARLIER_MS,
      notAfterMs: Math.min(nowMs + LEAF_DAYS * DAY_MS, root.notAfterMs),
      ...{ key, issuerKey: root.key },
    });
    return { certificate: readBundle(bundleText({ key: await key.pem(), chain }), "internal"), ordered: true };
  }

  /** The authority's certificate, PEM. It is made where there is none. */
  async certificate(): Promise<string> {
    return (await this.#opened()).certificate;
  }

  async #opened(): Promise<Root> {
    this.#root ??= this.#open().catch((error) => {
      this.#root = undefined;
      throw error;
    });
    const root = await this.#root;
    if (root.notAfterMs - Date.now() > LEAF_DAYS * DAY_MS) return root;
    this.#root = undefined;
    return await this.#open();
  }

  async #open(): Promise<Root> {
    const kept = await this.#kept();
    if (kept !== undefined) return kept;
    await using _lock = await this.#store.lock(PLACE);
    return await this.#kept() ?? await this.#make();
  }

  async #kept(): Promise<Root | undefined> {
    const text = await this.#store.get(PLACE);
    if (text === undefined) return undefined;
    const certificate = pemBlocks(text).find(({ label }) => label === "CERTIFICATE")?.text;
    if (certificate === undefined) {
      throw new Error(`Cannot use the local authority in ${this.#store.place}: no certificate`);
    }
    const { subject, validTo } = new X509Certificate(certificate);
    const notAfterMs = Date.parse(validTo);
    // One that expires before its certificates would is replaced.
    if (notAfterMs - Date.now() <= LEAF_DAYS * DAY_MS) return undefined;
    const commonName = subject.replace(/^CN=/, "");
    return { certificate, commonName, key: await SigningKey.read(text), notAfterMs };
  }

  async #make(): Promise<Root> {
    const key = await SigningKey.generate();
    const nowMs = Date.now();
    // With the year, so that a later one has another name.
    const commonName = `BWS local authority ${new Date(nowMs).getUTCFullYear()} ${crypto.randomUUID().slice(0, 8)}`;
    const notAfterMs = Math.trunc((nowMs + ROOT_DAYS * DAY_MS) / 1000) * 1000;
    const dates = { notBeforeMs: nowMs - EARLIER_MS, notAfterMs };
    const certificate = await issueCertificate({
      ...{ subject: commonName, issuer: commonName, names: [], key, issuerKey: key, ...dates },
    });
    await this.#store.put(PLACE, await key.pem() + certificate);
    return { certificate, commonName, key, notAfterMs };
  }
}
