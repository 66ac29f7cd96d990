/**
 * Opens the store of certificates that a config names: a folder, or a Redis, whose client is loaded with the first config
 * that has one.
 *
 * @module
 */

import type { StoreConfig } from "../../redis/store_schema.ts";
import type { CertificateStore } from "./certificate_store.ts";
import { FolderStore } from "./folder_store.ts";
import { storageFolder } from "./storage_folder.ts";

/** What a config says of the store. */
export interface StoreChoice {
  readonly acme: { readonly storage?: string };
  readonly store?: StoreConfig;
}

/** The stores of one thread. Owned by the state of the process. */
export class CertificateStores {
  /** By their settings: one connection serves all generations. */
  readonly #opened = new Map<string, Promise<CertificateStore>>();

  /**
   * The store of a config; the same for the same settings.
   *
   * @throws {Error} There is no folder for it, or a file of it cannot be read.
   */
  async of({ acme, store }: StoreChoice): Promise<CertificateStore> {
    if (store === undefined) return new FolderStore(acme.storage ?? storageFolder());
    const settings = JSON.stringify(store);
    let opened = this.#opened.get(settings);
    if (opened === undefined) {
      opened = openRedis(store);
      this.#opened.set(settings, opened);
      // A file that is missing now may be there later.
      opened.catch(() => this.#opened.delete(settings));
    }
    return await opened;
  }

  close(): void {
    for (const opened of this.#opened.values()) opened.then((store) => store.close(), () => {});
  }
}

async function openRedis(
  { url, username, password, ca_file, prefix, timeout }: StoreConfig,
): Promise<CertificateStore> {
  const [{ RedisStore }, { parseRedisUrl, REDIS_URL }] = await Promise.all([
    import("./redis_store.ts"),
    import("../../redis/redis_url.ts"),
  ]);
  const address = parseRedisUrl(url);
  if (address === undefined) throw new Error(`Cannot use store.url, expected ${REDIS_URL}`);
  return new RedisStore({
    ...address,
    username: username ?? address.username,
    password: password ?? address.password,
    caCerts: ca_file === undefined ? undefined : [await Deno.readTextFile(ca_file)],
    ...{ prefix, timeoutMs: timeout },
  });
}
