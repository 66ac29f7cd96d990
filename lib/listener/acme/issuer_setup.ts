/**
 * Makes the issuers of certificates from `[acme]`. A reload that changes nothing there keeps them, with their accounts.
 *
 * @module
 */

import type { Log } from "../../log/log.ts";
import type { AuthoritySettings } from "./acme_account.ts";
import { AcmeIssuer } from "./acme_issuer.ts";
import { ACME_DIRECTORIES, type AcmeConfig } from "./acme_schema.ts";
import type { CertificateIssuer } from "./certificate_issuer.ts";
import type { CertificatePlan } from "./certificate_manager.ts";
import type { CertificateRequest } from "./certificate_service.ts";
import type { CertificateStore } from "./certificate_store.ts";
import type { CertificateStores } from "./certificate_stores.ts";
import { DnsChallenge } from "./dns_challenge.ts";
import { FolderStore } from "./folder_store.ts";
import { HttpChallenge } from "./http_challenge.ts";
import { LocalAuthority } from "./local_authority.ts";

type Issuers = CertificatePlan["issuers"];

/** The issuers of the process. Owned by the certificate service. */
export class IssuerSetup {
  readonly #stores: CertificateStores;
  readonly #log: Pick<Log, "log">;
  readonly #made = new Map<string, Issuers>();
  /** Local authorities by their store: in a folder, by its place. */
  readonly #local = new Map<CertificateStore | string, LocalAuthority>();

  constructor(stores: CertificateStores, log: Pick<Log, "log">) {
    this.#stores = stores;
    this.#log = log;
  }

  /** What a config asks for, with its issuers. Never rejects: what is missing fails when a certificate is ordered. */
  async plan({ acme, store, names, onDemand }: CertificateRequest): Promise<CertificatePlan> {
    const issuers = await this.#issuers({ acme, store });
    if (onDemand === undefined || acme.on_demand === undefined) return { names, issuers };
    const { ask, max_per_minute: maxPerMinute, max_names: maxNames } = acme.on_demand;
    return { names, issuers, onDemand: { ask, maxPerMinute, maxNames, issuer: onDemand } };
  }

  /** Releases connections. */
  close(): void {
    for (const { acme, internal } of this.#made.values()) for (const issuer of [acme, internal]) issuer.close();
  }

  async #issuers(config: Pick<CertificateRequest, "acme" | "store">): Promise<Issuers> {
    const { acme } = config;
    let store: CertificateStore;
    try {
      store = await this.#stores.of(config);
    } catch (error) {
      const unusable = new UnusableIssuer(error);
      return { acme: unusable, internal: unusable };
    }
    try {
      if (!acme.agree_tos) throw new Error("The terms of service are not agreed to (acme.agree_tos)");
      const authorities = await Promise.all(directoriesOf(acme).map((directory) => authorityOf(directory, acme)));
      // With the content of ca_file: a reload reads it again.
      const settings = JSON.stringify([store.place, config.store, authorities, { ...acme, on_demand: undefined }]);
      const made = this.#made.get(settings) ?? this.#make(acme, { store, authorities });
      this.#made.set(settings, made);
      return made;
    } catch (error) {
      return { acme: new UnusableIssuer(error), internal: this.#localAuthority(store) };
    }
  }

  #make(
    acme: AcmeConfig,
    { store, authorities }: { store: CertificateStore; authorities: AuthoritySettings[] },
  ): Issuers {
    const { dns_command: command, dns_timeout: timeoutMs, propagation_delay: propagationMs, key_type: keyType } = acme;
    const solver = command === undefined
      ? new HttpChallenge(store)
      : new DnsChallenge({ command, timeoutMs, propagationMs });
    const issuer = new AcmeIssuer({ store, keyType, log: this.#log, authorities, solvers: [solver] });
    return { acme: issuer, internal: this.#localAuthority(store) };
  }

  /** The same for the same store, so that a reload does not issue all its certificates again. */
  #localAuthority(store: CertificateStore): LocalAuthority {
    const key = store instanceof FolderStore ? store.place : store;
    const authority = this.#local.get(key) ?? new LocalAuthority(store);
    this.#local.set(key, authority);
    return authority;
  }
}

type DirectoryConfig = AcmeConfig["directories"][number];

function directoriesOf({ staging, directories }: AcmeConfig): readonly DirectoryConfig[] {
  if (staging) return [{ url: "letsencrypt-staging" }];
  return directories.length > 0 ? directories : [{ url: "letsencrypt" }];
}

async function authorityOf({ url, eab, ca_file, preferred_chain }: DirectoryConfig, { email }: AcmeConfig) {
  const directoryUrl = Object.hasOwn(ACME_DIRECTORIES, url) ? ACME_DIRECTORIES[url] : url;
  return {
    name: url === directoryUrl ? new URL(url).host : url,
    directoryUrl,
    authorities: ca_file === undefined ? undefined : await Deno.readTextFile(ca_file),
    email,
    binding: eab && { keyId: eab.key_id, hmacKey: eab.hmac_key },
    preferredChain: preferred_chain,
  } satisfies AuthoritySettings;
}

/** In the place of an issuer that the config does not allow to make. */
class UnusableIssuer implements CertificateIssuer {
  readonly #reason: unknown;

  constructor(reason: unknown) {
    this.#reason = reason;
  }

  kept(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  issue(): Promise<never> {
    return Promise.reject(this.#reason);
  }

  close(): void {}
}
