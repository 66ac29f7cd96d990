/**
 * One connection to a Redis: commands are sent one behind the other, and replies come in their order.
 *
 * @module
 */

import { RedisError, type RedisReply, ReplyReader } from "./reply_reader.ts";
import type { RedisAddress } from "./redis_url.ts";

/** Where to connect, and how long to wait. */
export interface RedisSettings extends RedisAddress {
  /** CA certificates (PEM) to trust besides the system's. */
  readonly caCerts?: readonly string[];
  /** Longest time for connecting and logging in, and for a reply, in milliseconds. */
  readonly timeoutMs: number;
}

interface Waiting {
  readonly resolve: (reply: RedisReply) => void;
  readonly reject: (reason: unknown) => void;
  readonly timer: ReturnType<typeof setTimeout>;
}

/** Commands without a reply at a time; requests of clients may lead to commands. */
const MOST_WAITING = 1000;

/** A connection. Owned by a client. */
export class RedisConnection {
  readonly #conn: Deno.Conn;
  readonly #timeoutMs: number;
  readonly #reader = new ReplyReader();
  /** Oldest first. */
  readonly #waiting: Waiting[] = [];
  #sent: Promise<void> = Promise.resolve();
  #failure: Error | undefined;

  private constructor(conn: Deno.Conn, timeoutMs: number) {
    this.#conn = conn;
    this.#timeoutMs = timeoutMs;
    this.#read();
  }

  /**
   * Connects and logs in.
   *
   * @throws {Error} When that cannot be done.
   */
  static async open(settings: RedisSettings): Promise<RedisConnection> {
    const { username, password, database, timeoutMs } = settings;
    const connection = new RedisConnection(await dial(settings), timeoutMs);
    try {
      if (password !== undefined) {
        await connection.command(username === undefined ? ["AUTH", password] : ["AUTH", username, password]);
      }
      // PING finds a Redis that wants a password, and none was given.
      await connection.command(database === 0 ? ["PING"] : ["SELECT", String(database)]);
      return connection;
    } catch (error) {
      connection.close();
      throw error;
    }
  }

  /** Whether commands can be sent. */
  get usable(): boolean {
    return this.#failure === undefined;
  }

  /** Whether replies are missing. */
  get busy(): boolean {
    return this.#waiting.length > 0;
  }

  /**
   * Sends a command.
   *
   * @throws {RedisError} What Redis says against it.
   * @throws {Error} The connection broke, or no reply came in time: whether Redis has acted on it is not known.
   */
  command(words: readonly string[]): Promise<Exclude<RedisReply, RedisError>> {
    return new Promise<RedisReply>((resolve, reject) => {
      if (this.#failure !== undefined) return reject(this.#failure);
      if (this.#waiting.length >= MOST_WAITING) return reject(new Error("Too many commands wait for replies"));
      const timer = setTimeout(
        () => this.#fail(new Error(`No reply within ${this.#timeoutMs} ms`)),
        this.#timeoutMs,
      );
      this.#waiting.push({ resolve, reject, timer });
      this.#sent = this.#sent.then(() => this.#write(commandBytes(words))).catch((error) => this.#fail(error));
    }).then((reply) => {
      if (reply instanceof RedisError) throw reply;
      return reply;
    });
  }

  close(): void {
    this.#fail(new Error("The connection was closed"));
  }

  async #write(bytes: Uint8Array): Promise<void> {
    if (this.#failure !== undefined) return;
    for (let at = 0; at < bytes.length;) at += await this.#conn.write(bytes.subarray(at));
  }

  async #read(): Promise<void> {
    const buffer = new Uint8Array(16_384);
    try {
      for (let count; (count = await this.#conn.read(buffer)) !== null;) {
        this.#reader.push(buffer.subarray(0, count));
        for (let reply; (reply = this.#reader.next()) !== undefined;) this.#settle(reply);
      }
      this.#fail(new Error("The connection was closed by Redis"));
    } catch (error) {
      this.#fail(error);
    }
  }

  #settle(reply: RedisReply): void {
    const first = this.#waiting.shift();
    if (first === undefined) throw new Error("A reply came that nothing was asked for");
    clearTimeout(first.timer);
    first.resolve(reply);
  }

  #fail(error: unknown): void {
    if (this.#failure !== undefined) return;
    this.#failure = error instanceof Error ? error : new Error(String(error));
    for (const { reject, timer } of this.#waiting.splice(0)) {
      clearTimeout(timer);
      reject(this.#failure);
    }
    try {
      this.#conn.close();
    } catch {
      // Closed already.
    }
  }
}

/** Connects within the time; a connection that comes later is closed. */
async function dial({ tls, hostname, port, caCerts, timeoutMs }: RedisSettings): Promise<Deno.Conn> {
  // A signal that aborts in the turn in which the runtime connects would leave the socket open.
  const dialled: Promise<Deno.Conn> = tls
    ? Deno.connectTls({ hostname, port, caCerts: caCerts && [...caCerts] })
    : Deno.connect({ hostname, port });
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`No connection within ${timeoutMs} ms`));
      dialled.then((conn) => conn.close(), () => {});
    }, timeoutMs);
  });
  try {
    return await Promise.race([dialled, late]);
  } finally {
    clearTimeout(timer);
  }
}

function commandBytes(words: readonly string[]): Uint8Array {
  const parts = words.map((word) => `$${ENCODER.encode(word).length}\r\n${word}\r\n`);
  return ENCODER.encode(`*${words.length}\r\n${parts.join("")}`);
}

const ENCODER = new TextEncoder();
