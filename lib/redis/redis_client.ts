/**
 * A client of Redis: a connection that is opened with the first command, and again after it broke.
 *
 * @module
 */

import { RedisConnection, type RedisSettings } from "./redis_connection.ts";
import { RedisError, type RedisReply } from "./reply_reader.ts";

/** How long after a failure nothing is tried again: commands of that time fail at once. */
const PAUSE_MS = 1000;
/** How long an idle connection is kept. */
const IDLE_MS = 60_000;

/** A client. Holds one connection at most, and none after a minute without commands. */
export class RedisClient {
  /** Where it is, without the password. */
  readonly place: string;
  readonly #settings: RedisSettings;
  #connection: RedisConnection | undefined;
  #opening: Promise<RedisConnection> | undefined;
  #failure: { readonly error: Error; readonly untilMs: number } | undefined;
  #idle: ReturnType<typeof setTimeout> | undefined;
  #closed = false;

  constructor(settings: RedisSettings) {
    const { tls, hostname, port, database } = settings;
    const host = hostname.includes(":") ? `[${hostname}]` : hostname;
    this.place = `${tls ? "rediss" : "redis"}://${host}:${port}/${database}`;
    this.#settings = settings;
  }

  /**
   * Sends a command, once: whether Redis acted on one whose connection broke is not known.
   *
   * @throws {Error} It could not be sent, or Redis refuses it.
   */
  async command(...words: string[]): Promise<Exclude<RedisReply, RedisError>> {
    try {
      const connection = await this.#usable();
      return await connection.command(words);
    } catch (error) {
      const cause = error instanceof Error ? error.message : String(error);
      const verb = error instanceof RedisError ? "use" : "reach";
      throw new Error(`Cannot ${verb} ${this.place}: ${cause}`, { cause: error });
    } finally {
      this.#watchIdle();
    }
  }

  /** Closes the connection; commands fail afterwards. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#idle);
    this.#connection?.close();
    this.#opening?.then((connection) => connection.close(), () => {});
  }

  #usable(): Promise<RedisConnection> {
    if (this.#closed) return Promise.reject(new Error("The client is closed"));
    if (this.#connection?.usable === true) return Promise.resolve(this.#connection);
    if (this.#failure !== undefined && performance.now() < this.#failure.untilMs) {
      return Promise.reject(this.#failure.error);
    }
    this.#opening ??= this.#open().finally(() => this.#opening = undefined);
    return this.#opening;
  }

  async #open(): Promise<RedisConnection> {
    try {
      this.#connection = await RedisConnection.open(this.#settings);
      this.#failure = undefined;
      return this.#connection;
    } catch (error) {
      this.#failure = { error: error as Error, untilMs: performance.now() + PAUSE_MS };
      throw error;
    }
  }

  #watchIdle(): void {
    clearTimeout(this.#idle);
    if (this.#closed || this.#connection === undefined) return;
    this.#idle = setTimeout(() => {
      if (this.#connection?.busy === false) this.#connection.close();
    }, IDLE_MS);
  }
}
