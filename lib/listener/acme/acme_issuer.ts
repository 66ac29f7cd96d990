/**
 * Certificates by ACME: the authorities in turn, one order of a name at a time on all processes of a store, and what was
 * issued is kept there.
 *
 * @module
 */

import type { Log } from "../../log/log.ts";
import type { ServerCertificate } from "../tls/certificate.ts";
import { AcmeAccount, authorityPlace, type AuthoritySettings } from "./acme_account.ts";
import { AcmeError, objectOf } from "./acme_error.ts";
import { retryTime } from "./acme_session.ts";
import type { CertificateIssuer, Issued } from "./certificate_issuer.ts";
import { type CertificateStore, nameSegment } from "./certificate_store.ts";
import type { ChallengeSolver } from "./challenge.ts";
import { bundleText, isNewer, readBundle } from "./issued_certificate.ts";
import { orderCertificate } from "./order.ts";
import type { RenewalWindow } from "./renewal.ts";
import type { KeyType } from "./signing_key.ts";
import { renewalIdentifier } from "./x509.ts";

/** Options of {@linkcode AcmeIssuer}. */
export interface AcmeIssuerOptions {
  readonly store: CertificateStore;
  /** In the order in which they are tried, one at least. */
  readonly authorities: readonly AuthoritySettings[];
  readonly solvers: readonly ChallengeSolver[];
  readonly keyType: KeyType;
  readonly log: Pick<Log, "log">;
}

/** The issuer. Owned by the manager of certificates. */
export class AcmeIssuer implements CertificateIssuer {
  readonly #options: AcmeIssuerOptions;
  readonly #accounts: readonly AcmeAccount[];
  /** Until when an authority takes no order for a name, by both. */
  readonly #blockedUntilMs = new Map<string, number>();
  /** What could not be written to the store yet, by key. */
  readonly #unkept = new Map<string, string>();
  /** Up to where the changes of a folder are known. */
  readonly #marks = new Map<string, number>();

  constructor(options: AcmeIssuerOptions) {
    this.#options = options;
    this.#accounts = options.authorities.map((settings) => new AcmeAccount(settings, options.store));
  }

  close(): void {
    for (const account of this.#accounts) account.close();
  }

  async kept(name: string): Promise<ServerCertificate | undefined> {
    let newest: ServerCertificate | undefined;
    for (const { settings } of this.#accounts) {
      const found = await this.#stored(settings, name);
      if (found !== undefined && found.notAfterMs > (newest?.notAfterMs ?? 0)) newest = found;
    }
    return newest;
  }

  async issue(
    name: string,
    replaced: ServerCertificate | undefined,
    signal: AbortSignal,
  ): Promise<Issued> {
    await using lock = await this.#options.store.lock(nameSegment(name), signal);
    const meanwhile = await this.kept(name);
    if (meanwhile !== undefined && isNewer(meanwhile, replaced)) return { certificate: meanwhile, ordered: false };
    return await this.#issue(name, replaced, AbortSignal.any([signal, lock.lost]));
  }

  async #issue(name: string, replaced: ServerCertificate | undefined, signal: AbortSignal): Promise<Issued> {
    const failures: { authority: string; error: AcmeError }[] = [];
    for (const account of this.#accounts) {
      try {
        return { certificate: await this.#order(account, name, replaced, signal), ordered: true };
      } catch (error) {
        signal.throwIfAborted();
        const failure = error instanceof AcmeError ? error : new AcmeError(messageOf(error), { cause: error });
        if (failure.retryAtMs > Date.now()) this.#blockedUntilMs.set(blockKey(account, name), failure.retryAtMs);
        failures.push({ authority: account.settings.name, error: failure });
      }
    }
    throw combined(failures);
  }

  async changed(names: Iterable<string>): Promise<readonly string[]> {
    const { store } = this.#options;
    for (const [key, text] of this.#unkept) {
      await store.put(key, text);
      this.#unkept.delete(key);
    }
    const written = new Set<string>();
    for (const { settings } of this.#accounts) {
      const folder = certificateFolder(settings);
      const changes = await store.changes?.(folder, this.#marks.get(folder));
      if (changes === undefined) continue;
      this.#marks.set(folder, changes.mark);
      for (const key of changes.keys) written.add(key);
    }
    const wasWritten = (name: string) =>
      this.#accounts.some(({ settings }) => written.has(certificateKey(settings, name)));
    return written.size === 0 ? [] : [...names].filter(wasWritten);
  }

  async renewalWindow(certificate: ServerCertificate, signal: AbortSignal): Promise<RenewalWindow | undefined> {
    try {
      const account = await this.#issuerOf(certificate);
      const url = (await account?.directory(signal))?.renewalInfo;
      const identifier = renewalIdentifier(certificate.chain);
      if (account === undefined || url === undefined || identifier === undefined) return undefined;
      const { body, headers } = await account.get(`${url.replace(/\/$/, "")}/${identifier}`, signal);
      const window = objectOf(objectOf(body)?.suggestedWindow);
      const [startMs, endMs] = [window?.start, window?.end].map((time) => Date.parse(String(time)));
      if (!(startMs <= endMs)) return undefined;
      const againMs = (retryTime(headers) ?? Date.now() + ASK_AGAIN_MS) - Date.now();
      const askAgainAtMs = Date.now() + Math.min(Math.max(againMs, SOONEST_ASK_MS), LATEST_ASK_MS);
      return { startMs, endMs, askAgainAtMs };
    } catch {
      return undefined;
    }
  }

  async #order(
    account: AcmeAccount,
    name: string,
    replaced: ServerCertificate | undefined,
    signal: AbortSignal,
  ): Promise<ServerCertificate> {
    const { store, solvers, keyType, log } = this.#options;
    const { settings } = account;
    const blockedUntilMs = this.#blockedUntilMs.get(blockKey(account, name)) ?? 0;
    if (blockedUntilMs > Date.now()) {
      const until = new Date(blockedUntilMs).toISOString().slice(0, 19) + "Z";
      throw new AcmeError(`takes no order for this name before ${until}`, {
        type: "rateLimited",
        retryAtMs: blockedUntilMs,
      });
    }
    const own = replaced !== undefined && await this.#issuerOf(replaced) === account;
    const replaces = own ? renewalIdentifier(replaced.chain) : undefined;
    const issued = await orderCertificate(account, { name, solvers, keyType, replaces, signal });
    const text = bundleText(issued);
    const certificate = readBundle(text, "acme");
    const key = certificateKey(settings, name);
    this.#unkept.delete(key);
    await store.put(key, text).catch((error) => {
      this.#unkept.set(key, text);
      // It is used all the same: authorities limit how often they issue one.
      log.log("error", "certificate cannot be kept", { name, store: store.place, cause: messageOf(error) });
    });
    return certificate;
  }

  /** The authority that issued a certificate: the one below which it is kept. */
  async #issuerOf({ fingerprint, names }: ServerCertificate): Promise<AcmeAccount | undefined> {
    for (const account of this.#accounts) {
      for (const name of names) {
        if ((await this.#stored(account.settings, name))?.fingerprint === fingerprint) return account;
      }
    }
    return undefined;
  }

  // A file that cannot be read as a certificate is as none: the order that follows replaces it.
  async #stored(settings: AuthoritySettings, name: string): Promise<ServerCertificate | undefined> {
    const text = await this.#options.store.get(certificateKey(settings, name));
    try {
      return text === undefined ? undefined : readBundle(text, "acme");
    } catch {
      return undefined;
    }
  }
}

function certificateFolder({ directoryUrl }: AuthoritySettings): string {
  return `certificates/${authorityPlace(directoryUrl)}`;
}

function certificateKey(settings: AuthoritySettings, name: string): string {
  return `${certificateFolder(settings)}/${nameSegment(name)}.pem`;
}

function blockKey({ settings }: AcmeAccount, name: string): string {
  return `${settings.directoryUrl} ${name}`;
}

/** All failures as one, in the words of the authorities. */
function combined(failures: readonly { authority: string; error: AcmeError }[]): AcmeError {
  const message = failures.map(({ authority, error }) => `${authority}: ${error.message}`).join("; ");
  const inner = failures.map(({ error }) => error);
  const concernsName = inner.find((error) => !error.concernsName) ?? inner[0];
  // The soonest time at which one of them takes an order again.
  const retryAtMs = Math.min(...inner.map((error) => error.retryAtMs));
  return new AcmeError(message, { type: concernsName?.type, retryAtMs, cause: inner[0] });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

const ASK_AGAIN_MS = 6 * 60 * 60_000;
const SOONEST_ASK_MS = 60_000;
const LATEST_ASK_MS = 24 * 60 * 60_000;
