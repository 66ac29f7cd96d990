/**
 * An account at one ACME server (RFC 8555, section 7.3): made once, kept in the store, and used for all orders.
 *
 * @module
 */

import { AcmeError } from "./acme_error.ts";
import { type AcmeResponse, AcmeSession, type AcmeSessionOptions, type Directory } from "./acme_session.ts";
import type { CertificateStore } from "./certificate_store.ts";
import { externalBinding, thumbprint } from "./jws.ts";
import { SigningKey } from "./signing_key.ts";

/** The server, and who its customer is. */
export interface AuthoritySettings extends AcmeSessionOptions {
  /** How operators call it, as `letsencrypt`. */
  readonly name: string;
  /** Address for notices of the authority; none without it. */
  readonly email?: string;
  /** An account that the authority knows otherwise; undefined where it asks for none. */
  readonly binding?: { readonly keyId: string; readonly hmacKey: string };
  /** Common name of a certificate in the chain that is preferred where the authority offers several chains. */
  readonly preferredChain?: string;
}

/** An account. Owned by the manager of certificates. */
export class AcmeAccount {
  readonly settings: AuthoritySettings;
  readonly #session: AcmeSession;
  readonly #store: CertificateStore;
  #account: Promise<{ key: SigningKey; url: string }> | undefined;

  constructor(settings: AuthoritySettings, store: CertificateStore) {
    this.settings = settings;
    this.#session = new AcmeSession(settings);
    this.#store = store;
  }

  close(): void {
    this.#session.close();
  }

  directory(signal?: AbortSignal): Promise<Directory> {
    return this.#session.directory(signal);
  }

  /** Reads a resource that needs no signature. */
  get(url: string, signal?: AbortSignal): Promise<AcmeResponse> {
    return this.#session.get(url, signal);
  }

  /**
   * Sends a request of the account, which is made first where there is none.
   *
   * @throws {AcmeError} When the server cannot be reached or refuses.
   */
  async post(url: string, payload: unknown, what: string, signal?: AbortSignal): Promise<AcmeResponse> {
    const { key, url: kid } = await this.#opened(signal);
    try {
      return await this.#session.post(url, payload, { key, identity: { kid }, signal, what });
    } catch (error) {
      // The server has lost its accounts, as pebble does with each start: the next try makes another one.
      if (error instanceof AcmeError && error.type === "accountDoesNotExist") {
        this.#account = undefined;
        await this.#store.delete(this.#place);
      }
      throw error;
    }
  }

  /** What proves the control of a name: the token of a challenge with the thumbprint of the account's key (section 8.1). */
  async keyAuthorization(token: string, signal?: AbortSignal): Promise<string> {
    const { key } = await this.#opened(signal);
    return `${token}.${await thumbprint(await key.jwk())}`;
  }

  get #place(): string {
    return `accounts/${authorityPlace(this.settings.directoryUrl)}.json`;
  }

  #opened(signal: AbortSignal | undefined): Promise<{ key: SigningKey; url: string }> {
    this.#account ??= this.#open(signal).catch((error) => {
      this.#account = undefined;
      throw error;
    });
    return this.#account;
  }

  async #open(signal: AbortSignal | undefined): Promise<{ key: SigningKey; url: string }> {
    const kept = await this.#kept();
    if (kept !== undefined) return kept;
    // Two processes on one store have one account.
    await using _lock = await this.#store.lock(this.#place, signal);
    return await this.#kept() ?? await this.#register(signal);
  }

  async #kept(): Promise<{ key: SigningKey; url: string } | undefined> {
    const text = await this.#store.get(this.#place);
    if (text === undefined) return undefined;
    const { url, key } = JSON.parse(text) as { url: string; key: string };
    return { url, key: await SigningKey.read(key) };
  }

  async #register(signal: AbortSignal | undefined): Promise<{ key: SigningKey; url: string }> {
    const what = "Cannot make an account";
    const { email, binding, name } = this.settings;
    const { newAccount, bindingRequired } = await this.#session.directory(signal);
    if (bindingRequired && binding === undefined) {
      throw new AcmeError(`${what}: ${name} needs an external account binding, and none is configured`);
    }
    const key = await SigningKey.generate();
    const jwk = await key.jwk();
    const payload = {
      termsOfServiceAgreed: true,
      ...(email === undefined ? {} : { contact: [`mailto:${email}`] }),
      ...(binding === undefined
        ? {}
        : { externalAccountBinding: await externalBinding({ ...binding, url: newAccount }, jwk) }),
    };
    const { headers } = await this.#session.post(newAccount, payload, { key, identity: { jwk }, signal, what });
    const url = headers.get("location");
    if (url === null) throw new AcmeError(`${what}: the response has no Location`);
    await this.#store.put(this.#place, JSON.stringify({ url, key: await key.pem() }));
    return { key, url };
  }
}

/** The folder of an authority in the store, after its directory. */
export function authorityPlace(directoryUrl: string): string {
  return directoryUrl.replace(/^https?:\/\//, "").replace(/[^A-Za-z0-9.-]+/g, "-").replace(/^[.-]+|[.-]+$/g, "");
}
