/**
 * HTTP authentication by user and password (RFC 7617). Unknown users take as long as known ones. Each address has a limited
 * number of attempts.
 *
 * @module
 */

import type { Exchange } from "../../exchange/exchange.ts";
import { ExchangeFailure, type Outcome } from "../../exchange/exchange_failure.ts";
import type { Filter } from "../../exchange/filter.ts";
import { headerValue } from "../../http/header_lines.ts";
import type { RequestHead } from "../../http/message.ts";
import { sharedTime } from "../../state/shared_time.ts";
import type { SharedState } from "../../state/shared_state.ts";
import type { Feature } from "../feature.ts";
import { MemoryRateStore } from "../rate_limit/rate_store.ts";
import { type BasicAuthConfig, basicAuthKeys } from "./basic_auth_schema.ts";
import { parseHtpasswd } from "./htpasswd.ts";
import { KnownPasswords } from "./known_passwords.ts";
import { passwordThread } from "./password_thread.ts";

/** `basic_auth`. */
export const basicAuth = {
  key: "basic_auth",
  scopes: ["site", "route"],
  order: 400,
  files: ["users_file"],
  schema: basicAuthKeys.optional().describe("Users and passwords by HTTP authentication."),
  check(options, report) {
    if (options === undefined) return;
    try {
      if (options.users_file !== undefined) {
        parseHtpasswd(Deno.readTextFileSync(options.users_file), options.users_file);
      }
    } catch (error) {
      // Whether the file can be read at all is checked with the other files of the config.
      if (error instanceof SyntaxError) report.error(["users_file"], { message: error.message, expected: "user:hash" });
    }
    const colon = Object.keys(options.users).find((user) => user.includes(":"));
    if (colon !== undefined) {
      report.error(["users", colon], { message: "a user's name has a colon, which ends it", expected: "another name" });
    }
    if (Object.keys(options.users).length === 0 && options.users_file === undefined) {
      report.error([], { message: "basic_auth has no users: nobody would be let in", expected: "users or users_file" });
    }
  },
  compile: (options, { sharedState, site, route }) => {
    if (options === undefined) return undefined;
    return new BasicAuth(options, sharedState, `basic auth ${site.name ?? ""} ${route?.path ?? ""}`);
  },
} as const satisfies Feature<BasicAuthConfig | undefined>;

/** Asks for user and password. Built once for a generation. */
export class BasicAuth implements Filter {
  readonly #users: ReadonlyMap<string, string>;
  /** The hash that unknown users are checked with. */
  readonly #anyHash: string;
  readonly #known = new KnownPasswords();
  readonly #attempts: MemoryRateStore;
  readonly #challenge: readonly string[];
  readonly #userHeader: string | undefined;
  readonly #forwards: boolean;

  /**
   * @param name Of the limit of attempts, the same in all workers.
   * @throws {Error} When the file of users cannot be read.
   */
  constructor(options: BasicAuthConfig, sharedState: SharedState, name: string) {
    const { users, users_file, realm, user_header, forward_credentials, attempts_per_minute } = options;
    const filed = users_file === undefined ? [] : parseHtpasswd(Deno.readTextFileSync(users_file), users_file);
    this.#users = new Map([...filed, ...Object.entries(users)]);
    this.#anyHash = [...this.#users.values()][0] ?? "";
    const rate = { requests: attempts_per_minute, periodMs: 60_000, burst: attempts_per_minute, maxKeys: 16_384 };
    this.#attempts = new MemoryRateStore(rate, sharedState, name);
    this.#challenge = ["www-authenticate", `Basic realm="${realm.replace(/["\\]/g, "\\$&")}", charset="UTF-8"`];
    this.#userHeader = user_header;
    this.#forwards = forward_credentials;
  }

  request(exchange: Exchange): Outcome | undefined | Promise<Outcome | undefined> {
    const given = credentialsOf(exchange.head.headers);
    if (given === undefined) return this.#refused("The request has no user and password");
    const { user, password } = given;
    const hash = this.#users.get(user);
    const nowMs = sharedTime.nowMs;
    if (hash !== undefined && this.#known.has(user, password, hash, nowMs)) return this.#passed(exchange, user);
    const { allowed, retryMs } = this.#attempts.take(exchange.clientAddress, nowMs);
    if (!allowed) {
      const lines = ["retry-after", String(Math.ceil(retryMs / 1000))];
      return new ExchangeFailure(429, "The client has tried too many passwords", { lines });
    }
    return this.#check(exchange, user, password, hash);
  }

  async #check(
    exchange: Exchange,
    user: string,
    password: string,
    hash: string | undefined,
  ): Promise<Outcome | undefined> {
    const verified = await passwordThread.verify(password, hash ?? this.#anyHash);
    if (verified === undefined) {
      return new ExchangeFailure(503, "Too many passwords wait to be checked", { lines: ["retry-after", "1"] });
    }
    if (!verified || hash === undefined) {
      return this.#refused(`User and password are wrong, for ${JSON.stringify(user)}`);
    }
    this.#known.add(user, password, hash, sharedTime.nowMs);
    return this.#passed(exchange, user);
  }

  #refused(cause: string): Outcome {
    return new ExchangeFailure(401, cause, { lines: this.#challenge });
  }

  #passed(exchange: Exchange, user: string): undefined {
    exchange.user = user;
    if (this.#forwards && this.#userHeader === undefined) return;
    exchange.head = withUser(exchange.head, this.#userHeader, user, this.#forwards);
  }
}

interface Credentials {
  readonly user: string;
  readonly password: string;
}

/** User and password of a request; undefined where it has none, or none that can be read. */
function credentialsOf(headers: readonly string[]): Credentials | undefined {
  const value = headerValue(headers, "authorization");
  if (value === undefined || !/^basic /i.test(value)) return undefined;
  let text: string;
  try {
    const bytes = Uint8Array.from(atob(value.slice("basic ".length).trim()), (char) => char.charCodeAt(0));
    text = new TextDecoder().decode(bytes);
  } catch {
    return undefined;
  }
  const colon = text.indexOf(":");
  // bcrypt looks at 72 bytes; a long password would only take time.
  if (colon < 0 || text.length > MOST_CHARS) return undefined;
  return { user: text.slice(0, colon), password: text.slice(colon + 1) };
}

const MOST_CHARS = 1024;

function withUser(head: RequestHead, name: string | undefined, user: string, keepsCredentials: boolean): RequestHead {
  const lowerName = name?.toLowerCase();
  const headers: string[] = [];
  for (let i = 0; i < head.headers.length; i += 2) {
    const lower = head.headers[i].toLowerCase();
    if (lower === lowerName || (lower === "authorization" && !keepsCredentials)) continue;
    headers.push(head.headers[i], head.headers[i + 1]);
  }
  if (name !== undefined) headers.push(name, latin1(user));
  return { ...head, headers };
}

/** Header fields have one character for each byte of UTF-8. */
function latin1(text: string): string {
  return String.fromCharCode(...new TextEncoder().encode(text));
}
