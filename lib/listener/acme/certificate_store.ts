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
   * The keys of {@linkcode list} that were written after an earlier call, by any process. Missing where a store does not
   * tell changes.
   *
   * @param mark What the earlier call returned; without it, or where the store has lost what it had, all keys are changes.
   * @throws {Error} When the store cannot be read.
   */
  changes?(folder: string, mark: number | undefined): Promise<StoreChanges>;
  /**
   * Waits until no process holds the lock of `name`, and takes it. It is free again once it is disposed of, or when this
   * process has ended, however it ended: at once, or half a minute later.
   *
   * @throws The reason of `signal` when that is aborted first.
   */
  lock(name: string, signal?: AbortSignal): Promise<StoreLock>;
  /** Releases connections. */
  close(): void;
}

/** Keys that were written, and what to say with the next call. */
export interface StoreChanges {
  readonly keys: readonly string[];
  readonly mark: number;
}

/** A lock that is held. Disposing of it never rejects. */
export interface StoreLock extends AsyncDisposable {
  /** Aborted if the lock ended before it was disposed of, as while the store could not be reached. */
  readonly lost: AbortSignal;
}

/**
 * Checks a key.
 *
 * @throws {Error} When it is none.
 */
export function checkKey(key: string): void {
  if (!KEY.test(key)) throw new Error(`Cannot use ${JSON.stringify(key)} as a key of the store`);
}

/** The segment of a key for a name of a certificate: no path, and the same for all spellings. */
export function nameSegment(name: string): string {
  return name.toLowerCase().replace(/^\*\./, "wildcard_.").replace(/[^a-z0-9._-]/g, "_");
}

/** Waits between two looks at a lock. */
export function lockPause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  signal?.throwIfAborted();
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, ms);
    const stop = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    signal?.addEventListener("abort", stop, { once: true });
  });
}

/** No segment begins with a dot, so that a key never leaves a folder. */
const KEY = /^[A-Za-z0-9_@-][A-Za-z0-9._@-]*(?:\/[A-Za-z0-9_@-][A-Za-z0-9._@-]*)*$/;
