/**
 * The URL of a Redis: `redis://[user[:password]@]host[:port][/database]`, and `rediss://` for TLS.
 *
 * @module
 */

/** Where a Redis is, and as whom to log in. */
export interface RedisAddress {
  readonly tls: boolean;
  readonly hostname: string;
  readonly port: number;
  /** Number of the database. */
  readonly database: number;
  readonly username?: string;
  readonly password?: string;
}

/** What a URL of a Redis is, for messages. */
export const REDIS_URL = 'a URL such as "redis://cache.internal:6379/0", or rediss:// for TLS';

/** Reads a URL; undefined if it is none of a Redis. */
export function parseRedisUrl(text: string): RedisAddress | undefined {
  const url = URL.parse(text);
  if (url === null || (url.protocol !== "redis:" && url.protocol !== "rediss:")) return undefined;
  const database = /^\/?(\d{0,5})$/.exec(url.pathname)?.[1];
  if (url.hostname === "" || database === undefined || url.search !== "" || url.hash !== "") return undefined;
  try {
    return {
      tls: url.protocol === "rediss:",
      hostname: decodeURIComponent(url.hostname).replace(/^\[|\]$/g, ""),
      port: url.port === "" ? 6379 : Number(url.port),
      database: Number(database),
      username: url.username === "" ? undefined : decodeURIComponent(url.username),
      password: url.password === "" ? undefined : decodeURIComponent(url.password),
    };
  } catch {
    // A percent sign that begins no escape.
    return undefined;
  }
}
