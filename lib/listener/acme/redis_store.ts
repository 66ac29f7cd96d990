/**
 * A store in a Redis, which several machines have in common. A lock is a key that expires, so that it ends some time after
 * its process; who holds it renews it, and removes it only while it is its own.
 *
 * @module
 */

// @ts-types="../../../types/std/path.d.ts"
import { dirname } from "@std/path/dirname";
import { RedisClient } from "../../redis/redis_client.ts";
import type { RedisSettings } from "../../redis/redis_connection.ts";
import { type CertificateStore, checkKey, lockPause, type StoreChanges, type StoreLock } from "./certificate_store.ts";

/** Options of {@linkcode RedisStore}. */
export interface RedisStoreOptions extends RedisSettings {
  /** Text that all keys begin with. */
  readonly prefix: string;
  /**
   * How long a lock outlives its process, in milliseconds.
   *
   * @default {30_000}
   */
  readonly lockMs?: number;
}

/**
 * Writes a value, and under its folder when that was: numbers that rise with each write, so that changes are found with one
 * command.
 */
const PUT = `redis.call("SET", KEYS[1], ARGV[1])
redis.call("ZADD", KEYS[2], redis.call("INCR", KEYS[3]), ARGV[2])`;
const DELETE = `redis.call("DEL", KEYS[1])
redis.call("ZREM", KEYS[2], ARGV[1])`;
/** The last number, and the keys above a number. Numbers that fell are those of a Redis that has lost its data. */
const CHANGES = `local last = tonumber(redis.call("GET", KEYS[2]) or "0")
local since = tonumber(ARGV[1])
if last < since then since = 0 end
return {last, redis.call("ZRANGEBYSCORE", KEYS[1], "(" .. since, "+inf")}`;
const RENEW = `if redis.call("GET", KEYS[1]) == ARGV[1] then return redis.call("PEXPIRE", KEYS[1], ARGV[2]) end
return 0`;
const RELEASE = `if redis.call("GET", KEYS[1]) == ARGV[1] then return redis.call("DEL", KEYS[1]) end
return 0`;

/** A Redis as a store. */
export class RedisStore implements CertificateStore {
  readonly place: string;
  readonly #client: RedisClient;
  readonly #prefix: string;
  readonly #lockMs: number;

  constructor(options: RedisStoreOptions) {
    this.#client = new RedisClient(options);
    this.#prefix = options.prefix;
    this.#lockMs = options.lockMs ?? 30_000;
    this.place = this.#client.place;
  }

  async get(key: string): Promise<string | undefined> {
    const value = await this.#client.command("GET", this.#key(key));
    return value === null ? undefined : String(value);
  }

  async put(key: string, value: string): Promise<void> {
    await this.#script(PUT, [this.#key(key), this.#index(dirname(key)), this.#revision], [value, key]);
  }

  async delete(key: string): Promise<void> {
    await this.#script(DELETE, [this.#key(key), this.#index(dirname(key))], [key]);
  }

  async list(folder: string): Promise<readonly string[]> {
    return (await this.changes(folder, undefined)).keys.toSorted();
  }

  async changes(folder: string, mark = 0): Promise<StoreChanges> {
    const reply = await this.#script(CHANGES, [this.#index(folder), this.#revision], [String(mark)]);
    const [last, keys] = reply as [number, string[]];
    return { keys, mark: last };
  }

  async lock(name: string, signal?: AbortSignal): Promise<StoreLock> {
    const key = this.#key(`locks/${name.replaceAll("/", "_")}`);
    const token = crypto.randomUUID();
    let askedMs = performance.now();
    signal?.throwIfAborted();
    while (await this.#client.command("SET", key, token, "NX", "PX", String(this.#lockMs)) === null) {
      await lockPause(LOCK_POLL_MS, signal);
      askedMs = performance.now();
    }
    const lock = new RedisLock({
      ...{ lockMs: this.#lockMs, heldUntilMs: askedMs + this.#lockMs },
      run: (script, ...more) => this.#script(script, [key], [token, ...more]),
    });
    if (signal?.aborted) await lock[Symbol.asyncDispose]();
    signal?.throwIfAborted();
    return lock;
  }

  close(): void {
    this.#client.close();
  }

  #script(script: string, keys: readonly string[], values: readonly string[]) {
    return this.#client.command("EVAL", script, String(keys.length), ...keys, ...values);
  }

  #key(key: string): string {
    checkKey(key);
    return this.#prefix + key;
  }

  #index(folder: string): string {
    return `${this.#prefix}written/${folder}`;
  }

  get #revision(): string {
    return `${this.#prefix}revision`;
  }
}

interface RedisLockParts {
  readonly lockMs: number;
  /** When it expires, by the clock of the process. */
  readonly heldUntilMs: number;
  /** Runs a script on the key with the token, and further values. */
  readonly run: (script: string, ...values: string[]) => Promise<unknown>;
}

/** A lock that is held. */
class RedisLock implements StoreLock {
  readonly #parts: RedisLockParts;
  readonly #lost = new AbortController();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #heldUntilMs: number;
  #released = false;

  constructor(parts: RedisLockParts) {
    this.#parts = parts;
    this.#heldUntilMs = parts.heldUntilMs;
    this.#renewSoon();
  }

  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#released = true;
    clearTimeout(this.#timer);
    // Where it cannot be removed, it expires.
    await this.#parts.run(RELEASE).catch(() => {});
  }

  #renewSoon(): void {
    this.#timer = setTimeout(() => this.#renew(), this.#parts.lockMs / 3);
  }

  async #renew(): Promise<void> {
    const { lockMs, run } = this.#parts;
    const startedMs = performance.now();
    const renewed = await run(RENEW, String(lockMs)).catch(() => undefined);
    if (this.#released) return;
    if (renewed === 1) this.#heldUntilMs = startedMs + lockMs;
    if (renewed === 0 || performance.now() + lockMs / 3 > this.#heldUntilMs) {
      this.#lost.abort(new Error("The lock of the store was lost, so another process may order the same"));
    } else this.#renewSoon();
  }
}

const LOCK_POLL_MS = 300;
