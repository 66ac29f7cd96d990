/**
 * The contract of the store of certificates, keys and accounts, which several processes may have in common.
 *
 * @module
 */

/**
 * A store of texts by key. A key is a path such as `certificates/example.com.pem`, of segments of letters, digits and
 * `._-@`. A value is written whole or not at all, and read as it was written by this or another process.
 */
export interface CertificateStore {
  /** Where it is, for messages. */
  readonly place: string;
  /**
   * The value of a key; undefined where there is none.
   *
   * @throws {Error} When the store cannot be read.
   */
  get(key: string): Promise<string | undefined>;
  /**
   * Writes a value, which only the user of the process can read.
   *
   * @throws {Error} When the store cannot be written.
   */
  put(key: string, value: string): Promise<void>;
  /** Removes a value, if there is one. */
  delete(key: string): Promise<void>;
  /** The keys below `folder`, without those of folders in it. */
  list(folder: string): Promise<readonly string[]>;
  /**
   * Waits until no process holds the lock of `name`, and takes it. It is free again once it is disposed of, or when this
   * process ends, however it ends.
   *
   * @throws The reason of `signal` when that is aborted first.
   */
  lock(name: string, signal?: AbortSignal): Promise<AsyncDisposable>;
}

/** The segment of a key for a name of a certificate: no path, and the same for all spellings. */
export function nameSegment(name: string): string {
  return name.toLowerCase().replace(/^\*\./, "wildcard_.").replace(/[^a-z0-9._-]/g, "_");
}
