/**
 * HTTP authentication by user and password (RFC 7617). Unknown users take as long as known ones. Each address has a limited
 * number of attempts.
 *
 * @module
 */

import type { Exchange } from "../../exchange/exchange.ts";
import { ExchangeFailure, type Outcome } from "../../exchange/exchange_failure.ts";
import type { Filter } from "../../exchange/filter.ts";
import { headerValues } from "../../http/header_lines.ts";
import type { Log } from "../../log/log.ts";
import { MetricSet, type ValuesOf } from "../../metrics/metric_set.ts";
import { sharedTime } from "../../state/shared_time.ts";
import type { SharedState } from "../../state/shared_state.ts";
import type { Feature } from "../feature.ts";
import { addressKey } from "../rate_limit/limit_key.ts";
import { MemoryRateStore } from "../rate_limit/rate_store.ts";
import { type BasicAuthConfig, basicAuthKeys } from "./basic_auth_schema.ts";
import { parseHtpasswd } from "./htpasswd.ts";
import { KnownPasswords } from "./known_passwords.ts";
import { passwordThread } from "./password_thread.ts";
import { UpstreamFields } from "../upstream_fields.ts";
import { UsersFile } from "./users_file.ts";

const RESULTS = ["verified", "cached", "missing", "wrong", "limited", "overloaded"] as const;
const [VERIFIED, CACHED, MISSING, WRONG, LIMITED, OVERLOADED] = RESULTS.keys();

/** The metrics `bws_basic_auth_…`. */
const BASIC_AUTH_METRICS = new MetricSet({
  requests: {
    ...{ kind: "counter", name: "bws_basic_auth_requests_total" },
    help: "Requests by what became of their password; cached is one that was right before, limited one too many.",
    labels: [["result", RESULTS]],
  },
});

const { requests } = BASIC_AUTH_METRICS.metrics;

/** `basic_auth`. */
export const basicAuth = {
  key: "basic_auth",
  scopes: ["site", "route"],
  order: 400,
  metrics: BASIC_AUTH_METRICS,
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
    if (options.enabled && Object.keys(options.users).length === 0 && options.users_file === undefined) {
      report.error([], { message: "basic_auth has no users: nobody would be let in", expected: "users or users_file" });
    }
  },
  compile: (options, { sharedState, site, route, log, metrics }) => {
    if (options?.enabled !== true) return undefined;
    const name = `basic auth ${site.name ?? ""} ${route?.path ?? ""} ${options.attempts_per_minute}`;
    return new BasicAuth(options, sharedState, { name, log, metrics: metrics(BASIC_AUTH_METRICS) });
  },
} as const satisfies Feature<BasicAuthConfig | undefined>;

/** What the filter has besides its options. */
export interface BasicAuthParts {
  /** Name of the limit of attempts, the same in all workers. */
  readonly name: string;
  readonly log?: Log | undefined;
  readonly metrics?: ValuesOf<typeof BASIC_AUTH_METRICS> | undefined;
}

/** Asks for user and password. Built once for a generation. */
export class BasicAuth implements Filter {
  readonly #ownUsers: ReadonlyMap<string, string>;
  readonly #file: UsersFile | undefined;
  readonly #known = new KnownPasswords();
  /** Checks under way, so that the requests of a page that come together share one. */
  readonly #checks = new Map<string, Promise<boolean | undefined>>();
  readonly #attempts: MemoryRateStore;
  readonly #challenge: readonly string[];
  readonly #userHeader: string | undefined;
  readonly #fields: UpstreamFields | undefined;
  readonly #metrics: ValuesOf<typeof BASIC_AUTH_METRICS> | undefined;

  /** @throws {Error} When the file of users cannot be read. */
  constructor(options: BasicAuthConfig, sharedState: SharedState, { name, log, metrics }: BasicAuthParts) {
    const { users, users_file, realm, user_header, forward_credentials, attempts_per_minute } = options;
    this.#ownUsers = new Map(Object.entries(users));
    this.#file = users_file === undefined ? undefined : new UsersFile(users_file, log);
    const rate = { requests: attempts_per_minute, periodMs: 60_000, burst: attempts_per_minute, maxKeys: 16_384 };
    this.#attempts = new MemoryRateStore(rate, sharedState, name);
    this.#challenge = ["www-authenticate", `Basic realm="${realm.replace(/["\\]/g, "\\$&")}", charset="UTF-8"`];
    this.#userHeader = user_header;
    const names = [...user_header === undefined ? [] : [user_header], ...forward_credentials ? [] : ["authorization"]];
    this.#fields = names.length === 0 ? undefined : new UpstreamFields(names);
    this.#metrics = metrics;
  }

  request(exchange: Exchange): Outcome | undefined | Promise<Outcome | undefined> {
    const given = credentialsOf(exchange.head.headers);
    if (given === undefined) return this.#refused(exchange, "The request has no user and password", MISSING);
    if (exchange.dryRun !== undefined) return undefined;
    const { user, password } = given;
    const hash = this.#hashOf(user);
    const nowMs = sharedTime.nowMs;
    const key = this.#known.keyOf(user, password, hash ?? "");
    if (hash !== undefined && this.#known.has(key, nowMs)) return this.#passed(exchange, user, CACHED);
    const running = this.#checks.get(key);
    if (running !== undefined) return running.then((verified) => this.#judge(exchange, given, verified));
    const { allowed, retryMs } = this.#attempts.take(addressKey(exchange.clientAddress), nowMs);
    if (!allowed) {
      this.#metrics?.add(requests, 1, LIMITED);
      const lines = ["retry-after", String(Math.ceil(retryMs / 1000))];
      return new ExchangeFailure(429, "The client has tried too many passwords", { lines });
    }
    const check = this.#check(key, given, hash);
    this.#checks.set(key, check);
    return check.then((verified) => this.#judge(exchange, given, verified));
  }

  #hashOf(user: string): string | undefined {
    return this.#ownUsers.get(user) ?? this.#file?.users.get(user);
  }

  /** Whether the password is right; undefined if too many wait to be checked. */
  async #check(key: string, { user, password }: Credentials, hash: string | undefined): Promise<boolean | undefined> {
    try {
      const verified = await passwordThread.verify(password, hash ?? this.#anyHash(user));
      if (verified !== true || hash === undefined) return verified && false;
      this.#known.add(key, sharedTime.nowMs);
      return true;
    } finally {
      this.#checks.delete(key);
    }
  }

  /**
   * The hash that an unknown user is checked with, so that it takes as long as a known one. Where hashes differ in their kind or
   * cost, so do the times of names: each name has always the same of all hashes.
   */
  #anyHash(user: string): string {
    const hashes = [...this.#ownUsers.values(), ...this.#file?.users.values() ?? []];
    return hashes[this.#known.drawOf(user) % Math.max(1, hashes.length)] ?? "";
  }

  #judge(exchange: Exchange, { user }: Credentials, verified: boolean | undefined): Outcome | undefined {
    if (verified === true) return this.#passed(exchange, user, VERIFIED);
    if (verified === false) {
      return this.#refused(exchange, `User and password are wrong, for ${JSON.stringify(user)}`, WRONG);
    }
    this.#metrics?.add(requests, 1, OVERLOADED);
    return new ExchangeFailure(503, "Too many passwords wait to be checked", { lines: ["retry-after", "1"] });
  }

  #refused({ dryRun }: Exchange, cause: string, result: number): Outcome {
    if (dryRun === undefined) this.#metrics?.add(requests, 1, result);
    return new ExchangeFailure(401, cause, { lines: this.#challenge });
  }

  #passed(exchange: Exchange, user: string, result: number): undefined {
    this.#metrics?.add(requests, 1, result);
    exchange.user = user;
    if (this.#fields === undefined) return;
    const lines = this.#userHeader === undefined ? [] : [this.#userHeader, latin1(user)];
    exchange.head = this.#fields.replaced(exchange.head, lines);
  }
}

interface Credentials {
  readonly user: string;
  readonly password: string;
}

/** User and password of a request; undefined where it has none, or none that can be read. */
function credentialsOf(headers: readonly string[]): Credentials | undefined {
  const [value, ...others] = headerValues(headers, "authorization");
  // Of two, the upstream might read the other one.
  if (value === undefined || others.length > 0 || !/^basic /i.test(value)) return undefined;
  let text: string;
  try {
    text = decoder.decode(Uint8Array.fromBase64(value.slice("basic ".length).trim()));
  } catch {
    return undefined;
  }
  const colon = text.indexOf(":");
  // bcrypt looks at 72 bytes; a long password would only take time.
  if (colon < 0 || text.length > MOST_CHARS) return undefined;
  return { user: text.slice(0, colon), password: text.slice(colon + 1) };
}

const MOST_CHARS = 1024;
const decoder = new TextDecoder();

/** Header fields have one character for each byte of UTF-8. */
function latin1(text: string): string {
  return String.fromCharCode(...new TextEncoder().encode(text));
}
